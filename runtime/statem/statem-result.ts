import type { ExitReason } from '../kernel/exit.ts';
import type { Actions, AnyAction, EnterAction, EventAction, ReplyAction } from './statem-action.ts';
import type { StatemProtocol } from './statem-protocol.ts';

/** What a state can be: a string, or any plain value, which is compared by its structure. */
export type StateTerm = string | number | boolean | object;

/** A result that names no state or no data: to the compiler it fits any. */
const NONE = undefined as never;

/** The result of a clause or of init (gen_statem:event_handler_result/1). */
export class StatemResult<Kind extends string = string, State = unknown, Data = unknown, A = unknown> {
  readonly kind: Kind;
  readonly state: State;
  readonly data: Data;
  readonly reason: ExitReason;
  readonly actions: readonly A[];

  constructor(kind: Kind, state: State, data: Data, reason: ExitReason, actions: Actions<A> | undefined) {
    this.kind = kind;
    this.state = state;
    this.data = data;
    this.reason = reason;
    if (actions === undefined) this.actions = [];
    else this.actions = Array.isArray(actions) ? actions : [actions as A];
  }
}

type Staying<P extends StatemProtocol, A> =
  | StatemResult<'keep_state' | 'repeat_state', never, P['data'], A>
  | StatemResult<'keep_state_and_data' | 'repeat_state_and_data', never, never, A>
  | StatemResult<'stop_and_reply', never, P['data'], ReplyAction>;

/** `stop(reason, data)` of the servers ends a machine too. */
export interface Stopping<Data> {
  readonly kind: 'stop';
  readonly state: Data;
  readonly reason: ExitReason;
}

/** What init of a machine returns to start it; made by `initState`. */
export type StatemInit<P extends StatemProtocol> = StatemResult<'ok', P['state'], P['data'], EventAction<P>>;
/** What a clause for an event returns; made by `nextState`, `keepState` and the like, or by `stop(reason, data)`. */
export type StatemEventResult<P extends StatemProtocol> =
  | StatemResult<'next_state', P['state'], P['data'], EventAction<P>>
  | Staying<P, EventAction<P>>
  | Stopping<P['data']>;
/** What an `enter` clause returns: all of those but a change of state. */
export type StatemEnterResult<P extends StatemProtocol> = Staying<P, EnterAction<P>> | Stopping<P['data']>;

/** From `init`: the first state, what to remember, and what to do first ({ok, State, Data, Actions}). */
export function initState<S extends StateTerm, D, A extends AnyAction = never>(
  state: S,
  data: D,
  actions?: Actions<A>,
): StatemResult<'ok', S, D, A> {
  return new StatemResult('ok', state, data, undefined, actions);
}

/**
 * Goes to a state ({next_state, NewState, NewData, Actions}). If it is another one than before, its `enter` clause runs
 * and postponed events are retried; else it is as `keepState`.
 */
export function nextState<S extends StateTerm, D, A extends AnyAction = never>(
  state: S,
  data: D,
  actions?: Actions<A>,
): StatemResult<'next_state', S, D, A> {
  return new StatemResult('next_state', state, data, undefined, actions);
}

/** Stays in the state with new data ({keep_state, NewData, Actions}). */
export function keepState<D, A extends AnyAction = never>(
  data: D,
  actions?: Actions<A>,
): StatemResult<'keep_state', never, D, A> {
  return new StatemResult('keep_state', NONE, data, undefined, actions);
}

/** Stays in the state ({keep_state_and_data, Actions}). */
export function keepStateAndData<A extends AnyAction = never>(
  actions?: Actions<A>,
): StatemResult<'keep_state_and_data', never, never, A> {
  return new StatemResult('keep_state_and_data', NONE, NONE, undefined, actions);
}

/** As `keepState`, but the `enter` clause runs again ({repeat_state, NewData, Actions}). */
export function repeatState<D, A extends AnyAction = never>(
  data: D,
  actions?: Actions<A>,
): StatemResult<'repeat_state', never, D, A> {
  return new StatemResult('repeat_state', NONE, data, undefined, actions);
}

/** As `keepStateAndData`, but the `enter` clause runs again ({repeat_state_and_data, Actions}). */
export function repeatStateAndData<A extends AnyAction = never>(
  actions?: Actions<A>,
): StatemResult<'repeat_state_and_data', never, never, A> {
  return new StatemResult('repeat_state_and_data', NONE, NONE, undefined, actions);
}

/** Sends the replies, then ends the machine: `terminate` runs ({stop_and_reply, Reason, Replies, NewData}). */
export function stopAndReply<D>(
  reason: ExitReason,
  replies: Actions<ReplyAction>,
  data: D,
): StatemResult<'stop_and_reply', never, D, ReplyAction> {
  return new StatemResult('stop_and_reply', NONE, data, reason, replies);
}
