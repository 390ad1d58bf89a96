import { checkObject } from '../kernel/arguments.ts';
import type { CallOptions, Context, Messaging, StartOptions } from '../kernel/context.ts';
import type { Dest, Name, Pid } from '../kernel/pid.ts';
import type { StartResult } from '../kernel/process.ts';
import type { CallPayload, CallReply, CallTag, PayloadArgs } from '../kernel/protocol.ts';
import type { ViaName } from '../kernel/via.ts';
import { type ChildOptions, type ChildSpec, child } from '../supervisor/child-spec.ts';
import type { EventHandler, EventHandlerFor, HandlerProtocol, HandlerRef } from './event-handler.ts';
import { EVENT, EventManager, type EventProtocol } from './event-manager.ts';
import type { AddResult, HandlerReply } from './installed-handlers.ts';

/** Any process or system that can make calls. */
type Caller = Pick<Messaging, 'call'>;
type Manager<Events extends object> = Dest<EventProtocol<Events, any>>;

/** A manager whose protocol is not known takes any event. */
type EventTag<Events> = [keyof Events] extends [never] ? string : keyof Events & string;
type EventPayload<Events, T> = T extends keyof Events ? Events[T] : any;

/**
 * One half of a swap: which handler goes, with what `terminate` is given; or which comes, with the argument of its
 * init.
 */
interface Half<H, Arg> {
  readonly handler: H;
  readonly arg: Arg;
}

/**
 * Event managers and their handlers (gen_event). All functions that wait do so without limit, but `call`, and reject
 * with `CallError` if there is no such manager or it ends first. A handler is meant by itself, or by `{ handler, id }`
 * if it was added under an id; the same one may be added more than once, and then the newest is meant.
 */
export interface GenEvent {
  /** The specification of a manager without handlers. Options as for `child`; the id defaults to `EventManager`. */
  child<Events extends object>(
    options?: Omit<ChildOptions, 'name'> & {
      readonly name?: Name<EventProtocol<Events, any>> | ViaName<EventProtocol<Events, any>>;
    },
  ): ChildSpec;
  /** Starts a manager without handlers (gen_event:start/2). See `Context.start`. */
  start<Events extends object>(
    ctx: Pick<Context, 'start'>,
    options?: StartOptions,
  ): Promise<StartResult<EventProtocol<Events>>>;
  /** As `start`, linked (gen_event:start_link/2). */
  startLink<Events extends object>(
    ctx: Pick<Context, 'startLink'>,
    options?: StartOptions,
  ): Promise<StartResult<EventProtocol<Events>>>;

  /**
   * Sends an event: each handler has its turn, the newest first (gen_event:notify/2). To a dead manager it is lost; to
   * a name that nobody has it throws `BadArgError`.
   */
  notify<Events extends object, T extends EventTag<Events>>(
    sender: Pick<Messaging, 'send'>,
    manager: Manager<Events>,
    tag: T,
    ...payload: PayloadArgs<EventPayload<Events, T>>
  ): void;
  /** As `notify`, and settles when all handlers have handled the event (gen_event:sync_notify/2). */
  syncNotify<Events extends object, T extends EventTag<Events>>(
    caller: Caller,
    manager: Manager<Events>,
    tag: T,
    ...payload: PayloadArgs<EventPayload<Events, T>>
  ): Promise<'ok'>;

  /**
   * Adds a handler in front of the others (gen_event:add_handler/3). `'ok'`; `'ignore'` or `{ error: reason }` if init
   * declined, with its `stopInit` reason or `{ error, stack }`; `{ error: 'bad_module' }` if it is no event handler.
   */
  addHandler<Events extends object, Start>(
    caller: Caller,
    manager: Manager<Events>,
    handler: HandlerRef<EventHandlerFor<NoInfer<Events>, Start>>,
    arg: Start,
  ): Promise<AddResult>;
  /**
   * As `addHandler`, and the calling process supervises the handler: it is linked to the manager, and when it exits,
   * the handler is removed with `terminate({ stop: reason })`; when the handler is removed for another cause, the
   * process gets the info message `gen_event_EXIT` `{ manager, handler, reason }` with `'normal'` (deleted, or by its
   * own wish), `'shutdown'` (the manager ended), `{ swapped: { handler, supervisor } }` or what it failed with
   * (gen_event:add_sup_handler/3). The link stays when the handler goes.
   */
  addSupHandler<Events extends object, Start>(
    ctx: Context,
    manager: Manager<Events>,
    handler: HandlerRef<EventHandlerFor<NoInfer<Events>, Start>>,
    arg: Start,
  ): Promise<AddResult>;
  /**
   * Removes a handler: `{ ok }` with what its `terminate(arg, state)` returned, `{ error }` with what that threw, or
   * `{ error: 'module_not_found' }` (gen_event:delete_handler/3).
   */
  deleteHandler(
    caller: Caller,
    manager: Manager<any>,
    handler: HandlerRef<EventHandlerFor<any>>,
    arg?: unknown,
  ): Promise<HandlerReply>;
  /**
   * Replaces a handler (gen_event:swap_handler/3): `terminate(old.arg, state)` of the old one, then init of the new one
   * with `next.arg` and `swapped.term`, what terminate returned, or `'error'` if the old one was not there. The new one
   * comes to the front, and who supervised the old one supervises it. Returns as `addHandler`; if init declines, both
   * are gone.
   */
  swapHandler<Events extends object, Start>(
    caller: Caller,
    manager: Manager<Events>,
    old: Half<HandlerRef<EventHandlerFor<any>>, unknown>,
    next: Half<HandlerRef<EventHandlerFor<NoInfer<Events>, Start>>, Start>,
  ): Promise<AddResult>;
  /** As `swapHandler`, and the calling process supervises the new handler (gen_event:swap_sup_handler/3). */
  swapSupHandler<Events extends object, Start>(
    ctx: Context,
    manager: Manager<Events>,
    old: Half<HandlerRef<EventHandlerFor<any>>, unknown>,
    next: Half<HandlerRef<EventHandlerFor<NoInfer<Events>, Start>>, Start>,
  ): Promise<AddResult>;
  /**
   * Calls one handler (gen_event:call/3): `{ ok: reply }`; `{ error: 'bad_module' }` if it is not there; `{ error:
   * reason }` if it failed, and is gone. Options as for `Messaging.call`.
   */
  call<P extends HandlerProtocol, T extends CallTag<P>>(
    caller: Caller,
    manager: Manager<any>,
    handler: HandlerRef<EventHandler<P, any>>,
    tag: T,
    ...args: PayloadArgs<CallPayload<P, T>, CallOptions>
  ): Promise<HandlerReply<CallReply<P, T>>>;
  /** The handlers, the newest first, as they can be given to `deleteHandler` (gen_event:which_handlers/1). */
  whichHandlers(caller: Caller, manager: Manager<any>): Promise<readonly HandlerRef[]>;
}

const wait = { timeoutMs: 'infinity' } as const;

function request<T extends CallTag<EventProtocol>>(
  caller: Caller,
  manager: Dest,
  tag: T,
  payload: CallPayload<EventProtocol, T>,
  options: CallOptions = wait,
): Promise<any> {
  const { call } = caller as { call(...args: unknown[]): Promise<any> };
  return call.call(caller, manager, tag, payload, options);
}

/** See `GenEvent`. */
export const genEvent: GenEvent = Object.freeze<GenEvent>({
  child: (options = {}) => child(EventManager, undefined, options),
  start: (ctx, options) => ctx.start(EventManager, undefined, options),
  startLink: (ctx, options) => ctx.startLink(EventManager, undefined, options),
  notify: (sender, manager, tag, payload?) => sender.send(manager as Dest, EVENT, { tag, payload }),
  syncNotify: (caller, manager, tag, payload?) => request(caller, manager, 'syncNotify', { tag, payload }),
  addHandler: (caller, manager, handler, arg) =>
    request(caller, manager, 'addHandler', { handler, arg, supervisor: undefined }),
  addSupHandler: (ctx, manager, handler, arg) =>
    request(ctx, manager, 'addHandler', { handler, arg, supervisor: ctx.self }),
  deleteHandler: (caller, manager, handler, arg) => request(caller, manager, 'deleteHandler', { handler, arg }),
  swapHandler: (caller, manager, old, next) => request(caller, manager, 'swapHandler', swapOf(old, next, undefined)),
  swapSupHandler: (ctx, manager, old, next) => request(ctx, manager, 'swapHandler', swapOf(old, next, ctx.self)),
  call: (caller, manager, handler, tag, payload?, options = {}) =>
    request(caller, manager, 'callHandler', { handler, tag, payload }, options),
  whichHandlers: (caller, manager) => request(caller, manager, 'whichHandlers', undefined),
});

function swapOf(
  old: Half<HandlerRef, unknown>,
  next: Half<HandlerRef, unknown>,
  supervisor: Pid | undefined,
): CallPayload<EventProtocol, 'swapHandler'> {
  checkObject(old, 'swapHandler: old');
  checkObject(next, 'swapHandler: next');
  const swap = { terminateArg: old.arg, handler: next.handler, arg: next.arg };
  return { old: old.handler, swap, supervisor };
}
