import { checkObject } from '../kernel/arguments.ts';
import type { Behaviour } from '../kernel/behaviour.ts';
import type { From } from '../kernel/pid.ts';
import { checkTime } from '../kernel/time.ts';
import type { EventPayload, EventTag, EventType, TimeoutType } from './statem-protocol.ts';

/** When a time-out is due, in milliseconds; `'infinity'` is never; `'update'` changes what a running one delivers. */
export type TimeoutTime = number | 'infinity' | 'update';

/** Options of `stateTimeout`, `eventTimeout` and `genericTimeout`. */
export interface TimeoutOptions {
  /** The time is a time of `ctx.clock`, not a duration (gen_statem:timeout_option/0). Default false. */
  readonly abs?: boolean;
}

/** Something to do after a callback (gen_statem:action/0). One class for all, so that its reader stays monomorphic. */
export class StatemAction<
  Kind extends string = string,
  Type = unknown,
  Tag = unknown,
  Payload = unknown,
  Target = unknown,
> {
  readonly kind: Kind;
  /** The type of an event or time-out. */
  readonly type: Type;
  readonly tag: Tag;
  readonly payload: Payload;
  /** Who gets a reply, or the behaviour to go on with. */
  readonly target: Target;
  readonly time: TimeoutTime;
  readonly abs: boolean;

  constructor(kind: Kind, type: Type, tag: Tag, payload: Payload, target: Target, time: TimeoutTime, abs: boolean) {
    this.kind = kind;
    this.type = type;
    this.tag = tag;
    this.payload = payload;
    this.target = target;
    this.time = time;
    this.abs = abs;
  }
}

type None = undefined;
/** An answer to a call; made by `replyTo`. */
export type ReplyAction = StatemAction<'reply', None, None, unknown, From<any>>;
type EventActions<P, Kind extends string, K extends EventType, Target> = {
  [Q in K]: { [T in EventTag<P, Q>]: StatemAction<Kind, Q, T, EventPayload<P, Q, T>, Target> }[EventTag<P, Q>];
}[K];
type CancelActions<P> =
  | StatemAction<'cancel', 'stateTimeout' | 'eventTimeout', None, None, None>
  | StatemAction<'cancel', 'genericTimeout', EventTag<P, 'genericTimeout'>, None, None>;
type ModuleActions<P> =
  | StatemAction<'change_callback_module' | 'push_callback_module', None, None, None, Behaviour<P & object, any>>
  | StatemAction<'pop_callback_module', None, None, None, None>;

/** What an `enter` clause may ask for; `'hibernate'` as the function of that name for servers. */
export type EnterAction<P> =
  | 'hibernate'
  | ReplyAction
  | EventActions<P, 'timeout', TimeoutType, None>
  | CancelActions<P>;

/**
 * What a clause for an event may ask for. `'postpone'`: the event is retried when the state has changed, before newer
 * ones.
 */
export type EventAction<P> =
  | EnterAction<P>
  | 'postpone'
  | EventActions<P, 'next_event', Exclude<EventType, 'call'>, None>
  | EventActions<P, 'next_event', 'call', From<any>>
  | ModuleActions<P>;

/** Any action, of any machine. */
export type AnyAction = 'postpone' | 'hibernate' | StatemAction;
/** One, or several in order. */
export type Actions<A> = A | readonly A[];

/** Answers a call, at once and before any `enter` clause runs ({reply, From, Reply}). */
export function replyTo<Reply>(from: From<Reply>, value: NoInfer<Reply>): ReplyAction {
  return new StatemAction('reply', undefined, undefined, value, from, 'infinity', false);
}

/**
 * Inserts an event to be handled next, before all that wait: `'call'` with who waits for its reply, or any other type
 * ({next_event, EventType, EventContent}). Several are handled in the order in which they are given.
 */
export function nextEvent<T extends string, Payload>(
  type: 'call',
  tag: T,
  payload: Payload,
  from: From<any>,
): StatemAction<'next_event', 'call', T, Payload, From<any>>;
export function nextEvent<K extends Exclude<EventType, 'call'>, T extends string>(
  type: K,
  tag: T,
): StatemAction<'next_event', K, T, undefined, undefined>;
export function nextEvent<K extends Exclude<EventType, 'call'>, T extends string, Payload>(
  type: K,
  tag: T,
  payload: Payload,
): StatemAction<'next_event', K, T, Payload, undefined>;
export function nextEvent(
  type: EventType,
  tag: string,
  payload?: unknown,
  from?: From,
): StatemAction<'next_event', any, any, any, any> {
  return new StatemAction('next_event', type, tag, payload, from, 'infinity', false);
}

/**
 * An event unless the state changes first; one at a time ({state_timeout, Time, EventContent}). A time of 0 comes right
 * after the events that are inserted already, before any message. Given again it starts anew; `'infinity'` and
 * `'cancel'` end it; `'update'` makes it deliver the new tag and payload in its old time, or at once if none runs.
 * Of several for the same time-out the last one counts. `BadArgError` for a time that no timer can take.
 */
export function stateTimeout(time: 'cancel'): StatemAction<'cancel', 'stateTimeout', undefined, undefined, undefined>;
export function stateTimeout<T extends string>(
  time: TimeoutTime,
  tag: T,
): StatemAction<'timeout', 'stateTimeout', T, undefined, undefined>;
export function stateTimeout<T extends string, Payload>(
  time: TimeoutTime,
  tag: T,
  payload: Payload,
  options?: TimeoutOptions,
): StatemAction<'timeout', 'stateTimeout', T, Payload, undefined>;
export function stateTimeout(
  time: TimeoutTime | 'cancel',
  tag?: string,
  payload?: unknown,
  options?: TimeoutOptions,
): StatemAction<any, any, any, any, any> {
  return timeout('stateTimeout', time, tag, payload, options);
}

/** An event unless any other comes first, inserted ones too ({timeout, Time, EventContent}). See `stateTimeout`. */
export function eventTimeout(time: 'cancel'): StatemAction<'cancel', 'eventTimeout', undefined, undefined, undefined>;
export function eventTimeout<T extends string>(
  time: TimeoutTime,
  tag: T,
): StatemAction<'timeout', 'eventTimeout', T, undefined, undefined>;
export function eventTimeout<T extends string, Payload>(
  time: TimeoutTime,
  tag: T,
  payload: Payload,
  options?: TimeoutOptions,
): StatemAction<'timeout', 'eventTimeout', T, Payload, undefined>;
export function eventTimeout(
  time: TimeoutTime | 'cancel',
  tag?: string,
  payload?: unknown,
  options?: TimeoutOptions,
): StatemAction<any, any, any, any, any> {
  return timeout('eventTimeout', time, tag, payload, options);
}

/** An event, whatever happens; one for each name ({{timeout, Name}, Time, EventContent}). See `stateTimeout`. */
export function genericTimeout<T extends string>(
  time: 'cancel',
  name: T,
): StatemAction<'cancel', 'genericTimeout', T, undefined, undefined>;
export function genericTimeout<T extends string>(
  time: TimeoutTime,
  name: T,
): StatemAction<'timeout', 'genericTimeout', T, undefined, undefined>;
export function genericTimeout<T extends string, Payload>(
  time: TimeoutTime,
  name: T,
  payload: Payload,
  options?: TimeoutOptions,
): StatemAction<'timeout', 'genericTimeout', T, Payload, undefined>;
export function genericTimeout(
  time: TimeoutTime | 'cancel',
  name: string,
  payload?: unknown,
  options?: TimeoutOptions,
): StatemAction<any, any, any, any, any> {
  return timeout('genericTimeout', time, name, payload, options);
}

function timeout(
  type: TimeoutType,
  time: TimeoutTime | 'cancel',
  tag: string | undefined,
  payload: unknown,
  options: TimeoutOptions = {},
): StatemAction<any, any, any, any, any> {
  if (time === 'cancel') return new StatemAction('cancel', type, tag, undefined, undefined, 'infinity', false);
  checkObject(options, `the options of ${type}`);
  const abs = options.abs === true;
  // A time of the clock may lie in the past; how far ahead it lies is known when the time-out starts.
  if (time !== 'infinity' && time !== 'update' && !(abs && Number.isFinite(time))) checkTime(time, type);
  return new StatemAction('timeout', type, tag, payload, undefined, time, abs);
}

/** Goes on with the clauses of another machine of the same protocol ({change_callback_module, NewModule}). */
export function changeCallbackModule<B extends Behaviour>(
  machine: B,
): StatemAction<'change_callback_module', undefined, undefined, undefined, B> {
  return new StatemAction('change_callback_module', undefined, undefined, undefined, machine, 'infinity', false);
}

/** As `changeCallbackModule`; `popCallbackModule` goes back ({push_callback_module, NewModule}). */
export function pushCallbackModule<B extends Behaviour>(
  machine: B,
): StatemAction<'push_callback_module', undefined, undefined, undefined, B> {
  return new StatemAction('push_callback_module', undefined, undefined, undefined, machine, 'infinity', false);
}

/** Goes back to the clauses before the last push; without one it is a bad action (pop_callback_module). */
export function popCallbackModule(): StatemAction<'pop_callback_module', undefined, undefined, undefined, undefined> {
  return new StatemAction('pop_callback_module', undefined, undefined, undefined, undefined, 'infinity', false);
}
