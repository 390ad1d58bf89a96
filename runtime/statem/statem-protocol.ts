import type { Call, Protocol } from '../kernel/protocol.ts';

/**
 * What a state machine understands, which states it has and what it remembers. Beside `call`, `cast` and `info` of
 * every protocol:
 *
 * - `state`: the states; a string needs a table of clauses, any other value is handled by `handleEvent`.
 * - `data`: what it remembers from event to event.
 * - `internal`: tag -> payload, events that only the machine itself inserts.
 * - `stateTimeout`, `eventTimeout`: tag -> payload, what such a time-out delivers.
 * - `genericTimeout`: name -> payload, time-outs of its own, each with a name.
 *
 * Clients need not see the latter: a name or pid of a machine is also one of any protocol that has a part of its
 * sections.
 */
export interface StatemProtocol extends Protocol {
  readonly state: unknown;
  readonly data: unknown;
  readonly internal?: object;
  readonly stateTimeout?: object;
  readonly eventTimeout?: object;
  readonly genericTimeout?: object;
}

/** The time-outs of a machine (gen_statem, "Time-Outs"): one of each of the first two, any number of the last. */
export type TimeoutType = 'stateTimeout' | 'eventTimeout' | 'genericTimeout';

/** The types of events (gen_statem:event_type/0), named as the sections of the protocol. */
export type EventType = 'call' | 'cast' | 'info' | 'internal' | TimeoutType;

export const TIMEOUT_TYPES: readonly TimeoutType[] = ['stateTimeout', 'eventTimeout', 'genericTimeout'];
export const EVENT_TYPES: readonly EventType[] = ['call', 'cast', 'info', 'internal', ...TIMEOUT_TYPES];

type SectionOf<P, K extends string> = K extends keyof P ? NonNullable<P[K]> : object;
type Entry<P, K extends string, T> = T extends keyof SectionOf<P, K> ? SectionOf<P, K>[T] : never;

/** The tags of one type of event. */
export type EventTag<P, K extends string> = keyof SectionOf<P, K> & string;

export type EventPayload<P, K extends string, T> = K extends 'call'
  ? Entry<P, K, T> extends Call<infer In, infer _Out>
    ? In
    : Entry<P, K, T>
  : Entry<P, K, T>;

export type EventReply<P, T> = Entry<P, 'call', T> extends Call<infer _In, infer Out> ? Out : Entry<P, 'call', T>;
