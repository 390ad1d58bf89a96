/** What a state machine is told to do, and what happened then: the same for this runtime and for Erlang/OTP. */

export type StateName = 'a' | 'b' | 'c';
export type TimeoutName = 'state_timeout' | 'timeout' | 'timeout:x' | 'timeout:y';
export type EventName = 'call' | 'cast' | 'info' | 'internal' | TimeoutName;

/** `abs` turns the milliseconds into a time of the clock. The number that an event carries is its key in `events`. */
export type Action =
  | { readonly do: 'postpone' | 'bad' }
  | { readonly do: 'reply'; readonly call: number }
  | { readonly do: 'next_event'; readonly type: EventName; readonly event: number }
  | {
      readonly do: 'set';
      readonly timeout: TimeoutName;
      readonly time: number | 'infinity' | 'update' | 'cancel';
      readonly event: number;
      readonly abs: boolean;
    };

export type ResultKind =
  | 'next_state'
  | 'keep_state'
  | 'keep_state_and_data'
  | 'repeat_state'
  | 'repeat_state_and_data'
  | 'stop'
  | 'stop_and_reply'
  | 'throw'
  | 'bad';

/** What a clause returns. `state` and `data` count for the kinds that have them. */
export interface Result {
  readonly kind: ResultKind;
  readonly state: StateName;
  readonly data: number;
  readonly actions: readonly Action[];
}

export interface Scenario {
  readonly id: string;
  /** Whether the machine has `enter` clauses. */
  readonly enter: boolean;
  readonly init: Pick<Result, 'state' | 'data' | 'actions'>;
  /** What the first, second … handling of an event returns; after that it changes nothing. */
  readonly events: Readonly<Record<string, readonly Result[]>>;
  /** The same for the `enter` calls of each state. */
  readonly enters: Readonly<Record<StateName, readonly Result[]>>;
  /** What is in the mailbox when init returns. */
  readonly messages: readonly { readonly type: 'call' | 'cast' | 'info'; readonly event: number }[];
  /** When the message comes that ends the machine. */
  readonly endMs: number;
}

export interface Trace {
  /** The callbacks, in order: `cast 3 in a 17`, `enter b from a 18`, `terminate normal in b 18`. */
  readonly log: readonly string[];
  /** The first reply to each call, in order: `7 3` is call 7 answered while event 3 was handled. */
  readonly replies: readonly string[];
  readonly exit: string;
}

/** What a recording holds: the scenario of that id is what `generateOne` makes. */
export interface Recorded {
  readonly id: string;
  readonly trace: Trace;
}

/** The event that ends a machine. */
export const END = 0;
