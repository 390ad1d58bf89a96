import type { Context } from '../runtime/index.ts';
import type { Principal } from './authorization/principal.ts';
import type { InputAnswers, InputQuestion } from './input.ts';
import type { RequestId } from './json-rpc.ts';

/** How a revision of MCP keeps state: in sessions (2025-11-25 and older), or in each request (2026-07-28). */
export type Era = 'sessions' | 'stateless';

/** Where a server is: the id of its node (the first argument of `mcpNode`) and its name there. */
export interface ServerAddress {
  readonly node: string;
  readonly name: string;
}

/** How grave a log message is, from the least to the most (RFC 5424). */
export type LogLevel = 'debug' | 'info' | 'notice' | 'warning' | 'error' | 'critical' | 'alert' | 'emergency';

/**
 * What the code of a server may do beside computing, in a tool, a resource, a prompt or a completion. It belongs to
 * the process of the request, and ends with it.
 */
export interface RequestContext extends Pick<Context, 'call' | 'cast' | 'whereis' | 'clock'> {
  /** Aborted when the request ends before the code does: cancelled, timed out, or its client gone. */
  readonly signal: AbortSignal;
  readonly requestId: RequestId;
  /** The server that this code is of. */
  readonly server: ServerAddress;
  /** The id of the session; stateless requests have none. */
  readonly session?: string;
  /** Who asks, if anybody has verified it: by a token, or by the certificate of the connection. */
  readonly principal?: Principal;
  readonly era: Era;
  /** What the client has declared: of this request (2026-07-28), or of its session. */
  readonly clientCapabilities: { readonly [name: string]: unknown };
  /**
   * Tells the client how far the work is, if it has asked to know; never fails. `progress` must grow from call to
   * call: a smaller or equal one is dropped, and so are those that follow too quickly.
   */
  progress(progress: number, total?: number, message?: string): void;
  /**
   * Sends the client a log message, if it wants messages of that level; never fails. In a session it wants those from
   * the level on that it has set, or from `'info'` on; a stateless request says itself from which level on, else it
   * wants none. `data` is any JSON; what is none is replaced by a text that says so. `logger` names the part that
   * speaks.
   */
  log(level: LogLevel, data: unknown, logger?: string): void;
  /**
   * Asks the client: `await ctx.input({ name: elicit({ message, schema }), folders: listRoots() })` has the answers by
   * the same names, checked. In a session the questions are requests on the stream of this one, and the time of this
   * request stands still until they are answered, up to `inputTimeoutMs`. For a stateless request (2026-07-28) this run
   * ends here: the client answers with a new request, **and this code runs again from its beginning**, with the answers
   * of earlier rounds; so what stands before must not do harm a second time. In a task it is so in both eras.
   * Tools, resources and prompts may ask.
   *
   * Rejects with an `McpError`: -32021 if the client has not declared what it is asked for, the client's own error, or
   * -32602 if a session's client answers wrongly (a stateless one is asked again). With a `TypeError` if it is asked
   * nothing, or what is no question.
   */
  input<const Q extends { readonly [name: string]: InputQuestion }>(questions: Q): Promise<InputAnswers<Q>>;
  /**
   * Lets the client go for a while, if it can come back: over HTTP, in a session of 2025-11-25. Its event stream ends,
   * it connects again after `retryMs` (default: the limit of that name), and gets what it has missed and what comes.
   * Elsewhere this does nothing. For work that takes long, so that no connection is held open for it.
   */
  disconnect(retryMs?: number): void;
}
