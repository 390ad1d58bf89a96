/**
 * An event handler that writes down what happens to it, and does to its manager what an event or a call tells it to.
 */

import {
  type Call,
  type Context,
  type Dest,
  type EventHandler,
  type EventProtocol,
  eventHandler,
  genEvent,
  type HandlerRef,
  noreply,
  removeHandler,
  removeHandlerReply,
  reply,
  swapHandler,
  swapHandlerReply,
} from '../../runtime/index.ts';
import { openProcess, startTestSystem, type TestSystem } from './test-system.ts';

/** What a probe does when it is told to; its result is the result of the clause. */
export type ProbeAction = (state: ProbeState, ctx: Context) => unknown;

export interface ProbeState {
  readonly name: string;
  readonly log: unknown[][];
  /** What `terminate` returns or does. */
  readonly last?: () => unknown;
}

export interface ProbeEvents {
  readonly note: unknown;
  readonly act: ProbeAction;
}

export interface ProbeProtocol {
  readonly event: ProbeEvents;
  readonly call: { readonly ask: Call<unknown, unknown>; readonly act: Call<ProbeAction, unknown> };
  readonly info: { readonly hello: string };
}

/** Its argument is its state, or what its init is to do. */
export type ProbeStart = ProbeState | (() => never | object);

export const Probe: EventHandler<ProbeProtocol, ProbeStart> = eventHandler(import.meta, 'Probe', {
  init: (start, _ctx, swapped): ProbeState => {
    if (typeof start === 'function') return start() as ProbeState;
    start.log.push(swapped === undefined ? [start.name, 'init'] : [start.name, 'init after', swapped.term]);
    return start;
  },
  handleEvent: {
    note: (state, payload) => {
      state.log.push([state.name, 'event', payload]);
      return noreply(state);
    },
    act: (state, action, ctx) => action(state, ctx) as ReturnType<typeof noreply<ProbeState>>,
  },
  handleCall: {
    ask: (state, question) => reply([state.name, question] as unknown, state),
    act: (state, action, ctx) => action(state, ctx) as ReturnType<typeof reply<unknown, ProbeState>>,
  },
  handleInfo: {
    hello: (state, text) => {
      state.log.push([state.name, 'info', text]);
      return noreply(state);
    },
    EXIT: (state, { reason }) => {
      state.log.push([state.name, 'EXIT', reason]);
      return noreply(state);
    },
  },
  terminate: (arg, state) => {
    state.log.push([state.name, 'terminate', arg]);
    return state.last === undefined ? `${state.name}'s last word` : state.last();
  },
});

export type ProbeManager = Dest<EventProtocol<ProbeEvents, ProbeProtocol['info']>>;

export interface ProbeSystem extends TestSystem {
  readonly manager: ProbeManager;
  readonly log: unknown[][];
  /** Adds a probe under its name as the id. */
  add(name: string, extra?: Partial<ProbeState>): Promise<HandlerRef<typeof Probe>>;
}

/** A system with a manager that its opener started, not linked. */
export async function startProbeSystem(t: Parameters<typeof startTestSystem>[0]): Promise<ProbeSystem> {
  const system = await startTestSystem(t);
  const started = await genEvent.start<ProbeEvents>(system.opener, { name: 'manager' });
  if (started === 'ignore' || 'error' in started) throw new Error('the manager did not start');
  const manager = started.ok as ProbeManager;
  const log: unknown[][] = [];
  const add = async (name: string, extra: Partial<ProbeState> = {}): Promise<HandlerRef<typeof Probe>> => {
    const ref = { handler: Probe, id: name };
    await genEvent.addHandler(system.system, manager, ref, { name, log, ...extra });
    return ref;
  };
  return { ...system, manager, log, add };
}

/** A process that supervises a probe, and that probe. */
export async function superviseProbe(
  system: ProbeSystem,
  name: string,
  extra: Partial<ProbeState> = {},
): Promise<{ readonly owner: Awaited<ReturnType<typeof openProcess>>; readonly ref: HandlerRef<typeof Probe> }> {
  const owner = await openProcess(system, { trapExit: true });
  const ref = { handler: Probe, id: name };
  await genEvent.addSupHandler(owner.ctx, system.manager, ref, { name, log: system.log, ...extra });
  return { owner, ref };
}

/** What a probe can be told to do. */
export const actions: Readonly<Record<string, ProbeAction>> = {
  fail: () => {
    throw new Error('boom');
  },
  reject: async () => {
    throw new Error('boom later');
  },
  exit: (_state, ctx) => ctx.exit('enough'),
  bad: () => 'nonsense',
  remove: () => removeHandler(),
  removeReply: () => removeHandlerReply('bye'),
};

/** An action that lets another probe take the place of the one that does it. */
export function swapTo(name: string, arg: ProbeStart): { readonly event: ProbeAction; readonly call: ProbeAction } {
  const swap = { terminateArg: 'swap', handler: { handler: Probe, id: name }, arg };
  return {
    event: (state) => swapHandler(state, swap),
    call: (state) => swapHandlerReply('swapped', state, swap),
  };
}
