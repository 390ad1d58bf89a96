/** Processes that come and go. */
import { type Context, type GenServer, genServer, noreply, type Pid } from '../../../../runtime/index.ts';
import { type Cost, costPerOperation, type Operation } from '../../../contender-program.ts';
import { burst } from '../burst.ts';
import { later, started, system } from './bench-system.ts';

interface SpawnerProtocol {
  readonly info: { readonly begin: undefined; readonly done: undefined };
}

interface Task {
  readonly count: number;
  readonly over: () => void;
}

interface SpawnerState {
  left: number;
  awaited: number;
  readonly over: () => void;
}

const toDo = ({ count, over }: Task): SpawnerState => ({ left: count, awaited: 0, over });

/** Spawns bursts of processes that each send one message and end. */
export const Spawner: GenServer<SpawnerProtocol, Task> = genServer(import.meta, 'Spawner', {
  init: toDo,
  handleInfo: {
    begin: (state, _payload, ctx) => {
      spawnBurst(state, ctx);
      return noreply(state);
    },
    done: (state, _payload, ctx) => {
      if (--state.awaited === 0) spawnBurst(state, ctx);
      return noreply(state);
    },
  },
});

function spawnBurst(state: SpawnerState, ctx: Context): void {
  if (state.left === 0) {
    state.over();
    return;
  }
  state.awaited = Math.min(burst, state.left);
  state.left -= state.awaited;
  for (let i = state.awaited; i > 0; i--) ctx.spawn(sayDone, ctx.self);
}

function sayDone(parent: Pid<SpawnerProtocol>, ctx: Context): void {
  ctx.send(parent, 'done', undefined);
}

interface WatcherProtocol {
  readonly info: { readonly begin: undefined };
}

/** Spawns and monitors one process, waits for its DOWN, and so on. */
export const Watcher: GenServer<WatcherProtocol, Task> = genServer(import.meta, 'Watcher', {
  init: toDo,
  handleInfo: {
    begin: (state, _payload, ctx) => {
      ctx.spawnMonitor(doNothing, undefined);
      return noreply(state);
    },
    DOWN: (state, _down, ctx) => {
      if (--state.left === 0) state.over();
      else ctx.spawnMonitor(doNothing, undefined);
      return noreply(state);
    },
  },
});

function doNothing(): void {}

async function begin<P extends WatcherProtocol>(server: GenServer<P, Task>, count: number): Promise<Cost> {
  const { promise, resolve } = later<void>();
  const pid: Pid<any> = await started(system, server, { count, over: resolve });
  const cost = await costPerOperation(count, () => {
    system.send(pid, 'begin');
    return promise;
  });
  system.exitProcess(pid, 'kill');
  return cost;
}

export const spawnAndExit: Operation = (count) => begin(Spawner, count);
export const spawnMonitor: Operation = (count) => begin(Watcher, count);
