import { BadArgError } from './errors.ts';

/**
 * The types of a process's protocol: which calls, casts and info messages it understands.
 */

declare const callSignature: unique symbol;

/** One synchronous request of a protocol: what is sent and what comes back. Exists at compile time only. */
export interface Call<Payload, Reply> {
  readonly [callSignature]?: (payload: Payload) => Reply;
}

/**
 * What a process understands: one section per kind of message, one key per tag.
 *
 * - `call`: tag -> `Call<Payload, Reply>`, answered by `handleCall`.
 * - `cast`: tag -> payload, handled by `handleCast`.
 * - `info`: tag -> payload, plain messages handled by `handleInfo`.
 * - `continue`: tag -> payload, handled by `handleContinue`.
 *
 * A `void` payload is left out at the call site.
 */
export interface Protocol {
  readonly call?: object;
  readonly cast?: object;
  readonly info?: object;
  readonly continue?: object;
}

/** The messages of one section of a protocol. */
export type Section<P extends Protocol, K extends keyof Protocol> = K extends keyof P ? NonNullable<P[K]> : object;
/** The tags of one section of a protocol. */
export type Tag<P extends Protocol, K extends keyof Protocol> = keyof Section<P, K> & string;
/** What goes with a tag of a section. */
export type Payload<P extends Protocol, K extends keyof Protocol, T> = T extends keyof Section<P, K>
  ? Section<P, K>[T]
  : never;

/** The tags of the calls of a protocol. */
export type CallTag<P extends Protocol> = Tag<P, 'call'>;
/** What the call of that tag takes. */
export type CallPayload<P extends Protocol, T> =
  Payload<P, 'call', T> extends Call<infer In, infer _Out> ? In : Payload<P, 'call', T>;
/** What the call of that tag brings. */
export type CallReply<P extends Protocol, T> =
  Payload<P, 'call', T> extends Call<infer _In, infer Out> ? Out : Payload<P, 'call', T>;

/** The arguments after a tag: the payload unless it is `void`, then the options, if the operation has any. */
export type PayloadArgs<Value, Options = never> =
  IsAny<Value> extends true
    ? WithOptions<[payload?: any], Options>
    : [Value] extends [void]
      ? WithOptions<[payload?: undefined], Options>
      : WithOptions<[payload: Value], Options>;

type WithOptions<Args extends unknown[], Options> = [Options] extends [never] ? Args : [...Args, options?: Options];
/** A destination whose protocol is not known takes any payload. */
type IsAny<T> = 0 extends 1 & T ? true : false;

/** Callbacks may be async. */
export type MaybePromise<T> = T | PromiseLike<T>;

/**
 * Handlers run synchronously unless they return a promise: awaiting always would cost every message a turn of the
 * microtask queue.
 */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  try {
    return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
  } catch {
    return false; // a getter or a proxy of user code: no promise, and as a result it will be refused
  }
}

/** A state that is a promise is a mistake: nobody would wait for it, nor for its rejection. */
export function synchronous(state: unknown): unknown {
  if (!isPromise(state)) return state;
  state.then(undefined, () => {});
  throw new BadArgError('a function that makes a state must not be async');
}
