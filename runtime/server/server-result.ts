import type { ExitReason } from '../kernel/exit.ts';
import { checkTime } from '../kernel/time.ts';

/** What happens right after a callback: a `continue` before any queued message, or a timeout when nothing comes. */
export type Next =
  | { readonly continue: { readonly tag: string; readonly payload: unknown } }
  | { readonly idleTimeoutMs: number }
  | { readonly hibernate: true };

/** Whether it is one of these: what a callback returns may be anything. */
export function isNext(next: unknown): next is Next {
  return (
    typeof next === 'object' && next !== null && ('continue' in next || 'idleTimeoutMs' in next || 'hibernate' in next)
  );
}

/** The result of a callback. One class for all, so that the loop that reads it stays monomorphic. */
export class ServerResult<K extends string = string, Reply = unknown, State = unknown> {
  /** Exists for the compiler only. */
  declare readonly replyType?: Reply;
  readonly kind: K;
  readonly value: unknown;
  readonly state: State;
  readonly reason: ExitReason;
  readonly next: Next | null;

  constructor(kind: K, value: unknown, state: State, reason: ExitReason, next: Next | null) {
    this.kind = kind;
    this.value = value;
    this.state = state;
    this.reason = reason;
    this.next = next;
  }
}

/** What a clause for a cast, an info message or a continue returns. */
export type HandlerResult<State> = ServerResult<'noreply' | 'stop', never, State>;
/** What a clause for a call returns. */
export type CallResult<Reply, State> = HandlerResult<State> | ServerResult<'reply' | 'stopReply', Reply, State>;

/** A start that did not lead to a server. */
export class InitRefusal {
  readonly kind: 'ignore' | 'stop';
  readonly reason: ExitReason;
  constructor(kind: 'ignore' | 'stop', reason: ExitReason) {
    this.kind = kind;
    this.reason = reason;
  }
}

/** A first state with something to do next. */
export class InitOk<State> {
  readonly state: State;
  readonly next: Next | null;
  constructor(state: State, next: Next | null) {
    this.state = state;
    this.next = next;
  }
}

/** What `init` returns: the state itself, or one of `initOk`, `ignore`, `stopInit`. */
export type InitResult<State> = State | InitOk<State> | InitRefusal;

/** Replies to the call and goes on with the state ({reply, Reply, NewState}). */
export function reply<Reply, State>(value: Reply, state: State, next?: Next): ServerResult<'reply', Reply, State> {
  return new ServerResult('reply', value, state, undefined, next ?? null);
}

/** Goes on with the state; a call stays open until `replyTo` answers it ({noreply, NewState}). */
export function noreply<State>(state: State, next?: Next): ServerResult<'noreply', never, State> {
  return new ServerResult('noreply', undefined, state, undefined, next ?? null);
}

/** Ends the server: `terminate` runs, then it exits with the reason ({stop, Reason, NewState}). */
export function stop<State>(reason: ExitReason, state: State): ServerResult<'stop', never, State> {
  return new ServerResult('stop', undefined, state, reason, null);
}

/** Ends the server and replies to the call when `terminate` has returned ({stop, Reason, Reply, NewState}). */
export function stopReply<Reply, State>(
  reason: ExitReason,
  value: Reply,
  state: State,
): ServerResult<'stopReply', Reply, State> {
  return new ServerResult('stopReply', value, state, reason, null);
}

/** From `init`: the first state, and what to do next ({ok, State, {continue, Continue}}). */
export function initOk<State>(state: State, next?: Next): InitOk<State> {
  return new InitOk(state, next ?? null);
}

/** From `init`: there is nothing to run; the start returns `'ignore'` and the process exits `'normal'`. */
export function ignore(): InitRefusal {
  return new InitRefusal('ignore', 'normal');
}

/** From `init`: the start fails with `{ error: reason }` and the process exits with the reason ({stop, Reason}). */
export function stopInit(reason: ExitReason): InitRefusal {
  return new InitRefusal('stop', reason);
}

/** Runs `handleContinue[tag]` before any message, also those that came before ({continue, Continue}). */
export function continueWith(tag: string, payload?: unknown): Next {
  return { continue: { tag, payload } };
}

/**
 * Delivers the info message `'timeout'` if no message comes within `timeoutMs`; any message cancels it. `BadArgError`
 * for a time that no timer can take.
 */
export function idleTimeout(timeoutMs: number): Next {
  return { idleTimeoutMs: checkTime(timeoutMs, 'idleTimeout') };
}

/**
 * The server expects no message soon: it lets go of what it keeps for its next burst ({noreply, State, hibernate}). Its
 * state and mailbox stay; a process has no heap of its own that could be collected.
 */
export function hibernate(): Next {
  return { hibernate: true };
}
