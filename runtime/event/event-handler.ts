import type { ModuleMeta } from '../kernel/behaviour.ts';
import type { Context } from '../kernel/context.ts';
import type { CallPayload, CallReply, CallTag, MaybePromise, Payload, Tag } from '../kernel/protocol.ts';
import { type ClauseTable, checkDefinition, clauseTable } from '../server/clause-table.ts';
import type { SystemInfo } from '../server/gen-server.ts';
import type { InitRefusal, ServerResult } from '../server/server-result.ts';

declare const acceptedEvents: unique symbol;
declare const handlerProtocol: unique symbol;
declare const startType: unique symbol;

/**
 * What an event handler understands. `event`: tag -> payload, the events of its manager; `otherEvents: true`: it takes
 * events that are not listed too; `call`: tag -> `Call<Payload, Reply>`, requests to this handler; `info`: tag ->
 * payload, plain messages to the manager.
 */
export interface HandlerProtocol {
  readonly event?: object;
  readonly otherEvents?: true;
  readonly call?: object;
  readonly info?: object;
}

type EventsOf<P extends HandlerProtocol> = P extends { readonly event: infer E } ? E : object;
/** As functions, so that a handler fits a manager if it takes all that the manager may send, and not the other way. */
type Accepts<Events> = { readonly [T in keyof Events]: (payload: Events[T]) => void };

interface HandlerBase<Start> {
  readonly module: string;
  readonly exportName: string;
  /** For the runtime, not for users. */
  readonly definition: HandlerDefinition;
  readonly [startType]?: (start: Start) => void;
}

/** An event handler as data, made by `eventHandler`: what `genEvent.addHandler` takes. */
export interface EventHandler<P extends HandlerProtocol = any, Start = any> extends HandlerBase<Start> {
  readonly [acceptedEvents]?: P extends { readonly otherEvents: true } ? any : Accepts<EventsOf<P>>;
  readonly [handlerProtocol]?: P;
}

/** Any handler that takes the events of a manager. */
export interface EventHandlerFor<Events, Start = any> extends HandlerBase<Start> {
  readonly [acceptedEvents]?: Accepts<Events>;
}

/** A handler of a manager: by itself, or by the id under which it was added (OTP: `{Module, Id}`). */
export type HandlerRef<H extends HandlerBase<any> = EventHandler> = H | { readonly handler: H; readonly id: string };

/** What a handler is replaced by: another, and the argument of its init. */
export interface HandlerSwap {
  /** What `terminate` of the handler that goes is given; what that returns is `swapped.term` for the new one's init. */
  readonly terminateArg?: unknown;
  readonly handler: HandlerRef;
  readonly arg: unknown;
}

/** The end of a handler by its own wish. One class, so that the manager can tell it from other results. */
export class HandlerEnd<K extends 'event' | 'call' = 'event' | 'call', Reply = unknown, State = unknown> {
  /** Exist for the compiler only. */
  declare readonly replyType?: Reply;
  declare readonly stateType?: State;
  /** What was being handled. */
  readonly kind: K;
  readonly value: unknown;
  readonly swap: (HandlerSwap & { readonly state: unknown }) | null;

  constructor(kind: K, value: unknown, swap: (HandlerSwap & { readonly state: unknown }) | null) {
    this.kind = kind;
    this.value = value;
    this.swap = swap;
  }
}

/** From a handler of events: it is removed after `terminate('remove_handler', state)` (remove_handler). */
export function removeHandler(): HandlerEnd<'event', never, never> {
  return new HandlerEnd<'event', never, never>('event', undefined, null);
}

/** From a handler of calls: replies, and is removed ({remove_handler, Reply}). */
export function removeHandlerReply<Reply>(value: Reply): HandlerEnd<'call', Reply, never> {
  return new HandlerEnd<'call', Reply, never>('call', value, null);
}

/**
 * From a handler of events: `terminate(terminateArg, state)` runs, and another handler takes its place, in the order of
 * handlers too; who supervised the one supervises the other ({swap_handler, Args1, NewState, Handler2, Args2}).
 */
export function swapHandler<State>(state: State, swap: HandlerSwap): HandlerEnd<'event', never, State> {
  return new HandlerEnd<'event', never, State>('event', undefined, { ...swap, state });
}

/** From a handler of calls: replies, and is replaced ({swap_handler, Reply, Args1, NewState, Handler2, Args2}). */
export function swapHandlerReply<Reply, State>(
  value: Reply,
  state: State,
  swap: HandlerSwap,
): HandlerEnd<'call', Reply, State> {
  return new HandlerEnd<'call', Reply, State>('call', value, { ...swap, state });
}

/** The result of an event or info clause: `noreply(state)`, `removeHandler()` or `swapHandler(…)`. */
export type EventResult<State> = ServerResult<'noreply', never, State> | HandlerEnd<'event', never, State>;
/** The result of a call clause: `reply(value, state)`, `removeHandlerReply(…)` or `swapHandlerReply(…)`. */
export type HandlerCallResult<Reply, State> = ServerResult<'reply', Reply, State> | HandlerEnd<'call', Reply, State>;

/**
 * Set if the handler takes the place of another. `term` is what `terminate` of that returned, `'error'` if it was not
 * there.
 */
export interface Swapped {
  readonly term: unknown;
}

type EventClauses<Events, State> = {
  readonly [T in keyof Events & string]: (
    state: State,
    payload: Events[T],
    ctx: Context,
  ) => MaybePromise<EventResult<State>>;
};

type CallClauses<P extends HandlerProtocol, State> = {
  readonly [T in CallTag<P>]: (
    state: State,
    payload: CallPayload<P, T>,
    ctx: Context,
  ) => MaybePromise<HandlerCallResult<CallReply<P, T>, State>>;
};

type InfoClauses<P extends HandlerProtocol, State> = {
  readonly [T in Tag<P, 'info'>]: (
    state: State,
    payload: Payload<P, 'info', T>,
    ctx: Context,
  ) => MaybePromise<EventResult<State>>;
};

type SystemClauses<State> = {
  readonly [T in keyof SystemInfo]?: (
    state: State,
    payload: SystemInfo[T],
    ctx: Context,
  ) => MaybePromise<EventResult<State>>;
};

type RequiredTable<P extends HandlerProtocol> =
  | ([keyof EventsOf<P>] extends [never] ? never : 'handleEvent')
  | (P extends { readonly otherEvents: true } ? 'handleOtherEvent' : never)
  | ([CallTag<P>] extends [never] ? never : 'handleCall')
  | ([Tag<P, 'info'>] extends [never] ? never : 'handleInfo');

/** The callbacks of an event handler (gen_event, "Callback Functions"). Each may be async; the manager waits. */
export type EventHandlerCallbacks<P extends HandlerProtocol, Start, State> = {
  /** The first state; `stopInit(reason)` or `ignore()`: the handler is not added. `ctx` is that of the manager. */
  readonly init: (start: Start, ctx: Context, swapped: Swapped | undefined) => MaybePromise<State | InitRefusal>;
  /**
   * The handler goes. `arg` says why: what `deleteHandler` or a swap gave; `'stop'`, the manager ends;
   * `{ stop: reason }`, who supervised it has exited; `'remove_handler'`; `{ error: reason }`, it failed. What it
   * returns is the result of `deleteHandler`, or `swapped.term` of the handler that takes its place.
   */
  readonly terminate?: (arg: unknown, state: State, ctx: Context) => unknown;
  /** What reports of its failure show of the state; default the state itself. */
  readonly formatStatus?: (state: State) => unknown;
  readonly handleEvent?: EventClauses<EventsOf<P>, State>;
  /** Every event that has no clause (`handle_event(_, State)`); with `otherEvents` in the protocol. */
  readonly handleOtherEvent?: (
    state: State,
    event: { readonly tag: string; readonly payload: unknown },
    ctx: Context,
  ) => MaybePromise<EventResult<State>>;
  readonly handleCall?: CallClauses<P, State>;
  readonly handleInfo?: InfoClauses<P, State> & SystemClauses<State>;
} & { readonly [K in RequiredTable<P>]: unknown };

/** The callbacks as the manager uses them. */
export interface HandlerDefinition {
  readonly init: (start: any, ctx: Context, swapped: Swapped | undefined) => unknown;
  readonly handleEvent: ClauseTable;
  readonly handleOtherEvent: ((state: any, event: any, ctx: any) => unknown) | undefined;
  readonly handleCall: ClauseTable;
  readonly handleInfo: ClauseTable;
  readonly terminate: ((arg: unknown, state: any, ctx: any) => unknown) | undefined;
  readonly formatStatus: ((state: any) => unknown) | undefined;
}

/**
 * Defines an event handler (gen_event). Put it at the top of a module and export it under `exportName`:
 *
 *     export const Log: EventHandler<{ event: AlarmEvents }, string> = eventHandler(import.meta, 'Log', { … });
 *
 * A handler that throws, rejects, returns anything else or has no clause for an event or a call is removed after
 * `terminate({ error: reason }, state)`; the manager and the other handlers go on. An info message without a clause is
 * ignored. Throws `BadArgError` if the callbacks are malformed.
 */
export function eventHandler<P extends HandlerProtocol, Start, State>(
  meta: ModuleMeta,
  exportName: string,
  callbacks: EventHandlerCallbacks<P, Start, State>,
): EventHandler<P, Start> {
  const owner = `eventHandler '${exportName}'`;
  checkDefinition('eventHandler', meta, exportName, callbacks, ['terminate', 'formatStatus', 'handleOtherEvent']);
  const loose = callbacks as EventHandlerCallbacks<any, any, any>;
  const definition: HandlerDefinition = Object.freeze({
    init: loose.init,
    handleEvent: clauseTable(owner, 'handleEvent', loose.handleEvent),
    handleOtherEvent: loose.handleOtherEvent,
    handleCall: clauseTable(owner, 'handleCall', loose.handleCall),
    handleInfo: clauseTable(owner, 'handleInfo', loose.handleInfo),
    terminate: loose.terminate,
    formatStatus: loose.formatStatus,
  });
  return Object.freeze({ module: meta.url, exportName, definition } satisfies EventHandler<P, Start>);
}
