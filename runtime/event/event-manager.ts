import type { Behaviour } from '../kernel/behaviour.ts';
import { Message } from '../kernel/message.ts';
import type { Pid } from '../kernel/pid.ts';
import { type Call, isPromise, type MaybePromise } from '../kernel/protocol.ts';
import { ExitSignal } from '../kernel/signals.ts';
import { runSteps, type Steps } from '../kernel/steps.ts';
import { serverDefinition } from '../server/gen-server.ts';
import { GenServerLoop } from '../server/gen-server-loop.ts';
import { noreply, reply, type ServerResult } from '../server/server-result.ts';
import type { HandlerRef, HandlerSwap } from './event-handler.ts';
import {
  type AddResult,
  type HandlerReply,
  type HandlerState,
  InstalledHandlers,
  shownState,
} from './installed-handlers.ts';

/** The tag of the message that brings an event. */
export const EVENT = 'gen_event_notify';
/** The tag under which the loop hands any message on that is neither an event nor an exit signal. */
const OTHER = 'gen_event_info';

interface Tagged {
  readonly tag: string;
  readonly payload: unknown;
}

/**
 * What an event manager understands: `Events` maps the tags of its events to their payloads, `Info` those of plain
 * messages, for `handleInfo` of its handlers. The calls are reached through the functions of `genEvent`.
 */
export interface EventProtocol<Events extends object = any, Info extends object = object> {
  readonly call: {
    readonly syncNotify: Call<Tagged, 'ok'>;
    readonly addHandler: Call<
      { readonly handler: HandlerRef; readonly arg: unknown; readonly supervisor: Pid | undefined },
      AddResult
    >;
    readonly deleteHandler: Call<{ readonly handler: HandlerRef; readonly arg: unknown }, HandlerReply>;
    readonly swapHandler: Call<
      { readonly old: HandlerRef; readonly swap: HandlerSwap; readonly supervisor: Pid | undefined },
      AddResult
    >;
    readonly callHandler: Call<Tagged & { readonly handler: HandlerRef }, HandlerReply>;
    readonly whichHandlers: Call<void, readonly HandlerRef[]>;
  };
  readonly info: Info;
  /** Exists for the compiler only. */
  readonly event?: Events;
}

type ManagerInfo = { readonly [EVENT]: Tagged; readonly [OTHER]: Tagged };

/** The event manager as a server: it traps exits, and all its handlers run in it. */
const definition = serverDefinition<EventProtocol<any, ManagerInfo>, undefined, InstalledHandlers>(
  'EventManager',
  {
    init(_start, ctx) {
      ctx.trapExit(true);
      return new InstalledHandlers(ctx);
    },
    handleCall: {
      syncNotify: (handlers, { tag, payload }) =>
        then(handlers.notify(tag, payload), () => reply('ok' as const, handlers)),
      addHandler: (handlers, { handler, arg, supervisor }) => answer(handlers, handlers.add(handler, arg, supervisor)),
      deleteHandler: (handlers, { handler, arg }) => answer(handlers, handlers.delete(handler, arg)),
      swapHandler: (handlers, { old, swap, supervisor }) => answer(handlers, handlers.swap(old, swap, supervisor)),
      callHandler: (handlers, { handler, tag, payload }) => answer(handlers, handlers.call(handler, tag, payload)),
      whichHandlers: (handlers) => reply(handlers.refs, handlers),
    },
    handleInfo: {
      [EVENT]: (handlers, { tag, payload }) => then(handlers.notify(tag, payload), () => noreply(handlers)),
      [OTHER]: (handlers, { tag, payload }) => then(handlers.inform(tag, payload), () => noreply(handlers)),
      EXIT: (handlers, signal) => then(exited(handlers, signal), () => noreply(handlers)),
    },
    terminate: (_reason, handlers) => runSteps(handlers.stop()),
    formatStatus: (handlers) => handlers.states(shownState),
  },
  true,
);

/** A message of user code that looks like a signal is none, but may mean something to a handler. */
function* exited(handlers: InstalledHandlers, signal: { readonly from: Pid; readonly reason: unknown }): Steps<void> {
  if (signal instanceof ExitSignal) yield* handlers.supervisorExited(signal.from, signal.reason);
  yield* handlers.inform('EXIT', signal);
}

function answer<Reply>(
  handlers: InstalledHandlers,
  steps: Steps<Reply>,
): MaybePromise<ServerResult<'reply', Reply, InstalledHandlers>> {
  return then(steps, (value) => reply(value, handlers));
}

function then<Result, Next>(steps: Steps<Result>, next: (result: Result) => Next): MaybePromise<Next> {
  const result = runSteps(steps);
  return isPromise(result) ? (result as PromiseLike<Result>).then(next) : next(result as Result);
}

/** The loop of a manager: every message is for its handlers, whatever its tag. */
class EventManagerLoop extends GenServerLoop {
  override handle(message: Message): unknown {
    const { kind, tag, payload } = message;
    const known = kind !== 'info' || tag === EVENT || tag === 'EXIT';
    return super.handle(known ? message : new Message('info', OTHER, { tag, payload }));
  }

  override sysState(): readonly HandlerState[] {
    return (super.sysState() as InstalledHandlers).states();
  }

  override sysReplaceState(replace: (state: HandlerState) => HandlerState): readonly HandlerState[] {
    return (super.sysState() as InstalledHandlers).replaceStates(replace);
  }
}

/** The behaviour of every event manager. */
export const EventManager: Behaviour<EventProtocol, undefined> = Object.freeze({
  module: import.meta.url,
  exportName: 'EventManager',
  createRunner: (kernel, start) => new EventManagerLoop(kernel, definition, start),
} satisfies Behaviour<EventProtocol, undefined>);
