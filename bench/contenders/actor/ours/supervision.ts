/** Supervisors that start and restart children. */
import {
  type Context,
  child,
  type GenServer,
  genServer,
  noreply,
  type Pid,
  startChild,
  supervisor,
  terminateChild,
} from '../../../../runtime/index.ts';
import { type Cost, costPerOperation, type Operation } from '../../../contender-program.ts';
import { inProcess, later, started, system } from './bench-system.ts';
import { Counter } from './messages.ts';

async function startSupervisor(...args: Parameters<typeof supervisor>): Promise<Pid> {
  const result = await startChild(system, system.root, supervisor(...args));
  if ('error' in result || result.ok === undefined) throw new Error('the supervisor did not start');
  return result.ok;
}

/** Its end must not be taken for a failure by the root. */
const temporary = { restart: 'temporary', shutdown: 'infinity' } as const;

export const startChildren: Operation = async (count) => {
  const template = child(Counter, 0, { restart: 'temporary', shutdown: 'brutal_kill' });
  const pid = await startSupervisor('many', { strategy: 'simple_one_for_one', ...temporary }, [template]);
  const cost = await inProcess((ctx) =>
    costPerOperation(count, async () => {
      for (let i = 0; i < count; i++) {
        const result = await startChild(ctx, pid, undefined);
        if ('error' in result) throw new Error('a child did not start');
      }
    }),
  );
  await terminateChild(system, system.root, 'many');
  return cost;
};

interface KillerProtocol {
  readonly info: { readonly up: Pid; readonly begin: undefined };
}

interface KillerTask {
  readonly supervisors: number;
  readonly restartsOfEach: number;
  /** All supervisors have started their child. */
  readonly ready: () => void;
  readonly over: () => void;
}

interface KillerState extends KillerTask {
  readonly up: Pid[];
  restartsLeft: number;
}

/** Kills a child, waits until its successor says that it is up, kills that; under one supervisor after the other. */
export const Killer: GenServer<KillerProtocol, KillerTask> = genServer(import.meta, 'Killer', {
  init: (task: KillerTask): KillerState => ({ ...task, up: [], restartsLeft: 0 }),
  handleInfo: {
    begin: (state, _payload, ctx) => {
      nextSupervisor(state, ctx);
      return noreply(state);
    },
    up: (state, pid, ctx) => {
      if (state.restartsLeft > 0) restarted(state, pid, ctx);
      else if (state.up.push(pid) === state.supervisors) state.ready();
      return noreply(state);
    },
  },
});

function restarted(state: KillerState, pid: Pid, ctx: Context): void {
  if (--state.restartsLeft > 0) ctx.exitProcess(pid, 'kill');
  else nextSupervisor(state, ctx);
}

function nextSupervisor(state: KillerState, ctx: Context): void {
  const pid = state.up.pop();
  if (pid === undefined) {
    state.over();
    return;
  }
  state.restartsLeft = state.restartsOfEach;
  ctx.exitProcess(pid, 'kill');
}

/** Says that it is up when it starts. */
export const Reborn: GenServer<KillerProtocol, Pid<KillerProtocol>> = genServer(import.meta, 'Reborn', {
  init: (killer: Pid<KillerProtocol>, ctx) => {
    ctx.send(killer, 'up', ctx.self);
    return null;
  },
  handleInfo: { begin: (state) => noreply(state), up: (state) => noreply(state) },
});

async function restarts(supervisors: number, restartsOfEach: number): Promise<Cost> {
  const [ready, over] = [later<void>(), later<void>()];
  const task = { supervisors, restartsOfEach, ready: ready.resolve, over: over.resolve };
  const killer = await started(system, Killer, task);
  const flags = { intensity: 10_000_000, periodMs: 60_000, ...temporary };
  for (let i = 0; i < supervisors; i++) await startSupervisor(`restarter-${i}`, flags, [child(Reborn, killer)]);
  await ready.promise;
  const cost = await costPerOperation(supervisors * restartsOfEach, () => {
    system.send(killer, 'begin');
    return over.promise;
  });
  for (let i = 0; i < supervisors; i++) await terminateChild(system, system.root, `restarter-${i}`);
  system.exitProcess(killer, 'kill');
  return cost;
}

const restartsOfFresh = 200;

/** No supervisor has more than 200 restarts behind it. */
export const restart: Operation = (count) =>
  restarts(Math.ceil(count / restartsOfFresh), Math.min(count, restartsOfFresh));

/** All restarts are of one supervisor, within one period. */
export const restartStorm: Operation = (count) => restarts(1, count);
