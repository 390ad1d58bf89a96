/** The way of a request's messages to its client: what comes before the answer, and the answer. */

import { randomBytes } from 'node:crypto';
import type { Context } from '../../runtime/index.ts';
import type { Outbound } from '../../transports/transport.ts';
import { sessionName } from './node-names.ts';
import { eventId, type Recorded } from './session-log.ts';
import type { WorkRequest } from './work-request.ts';

/** What of a request decides about its stream. */
type StreamOf = Pick<WorkRequest, 'id' | 'connection' | 'exchange' | 'session' | 'resumption'>;

/**
 * Sends to the exchange of a request. Where its client can come back for what it missed (`resumable`), what is sent
 * before the answer begins an event stream with a name, and from then on the session keeps a copy of everything.
 */
export class RequestStream {
  readonly #node: string;
  readonly #request: StreamOf;
  readonly #ctx: Context;
  /** Given with the first event: most requests have none, and nothing is kept of them. */
  #name: string | undefined;
  #next = 0;
  /** The client has been sent away: the session alone takes what comes. */
  #away = false;

  constructor(node: string, request: StreamOf, ctx: Context) {
    this.#node = node;
    this.#request = request;
    this.#ctx = ctx;
  }

  /** A message that comes before the answer; after it there is nobody to send it to. */
  before(message: object): void {
    if (!this.#ctx.isAlive(this.#ctx.self)) return;
    const { resumption } = this.#request;
    if (resumption !== 'none') this.#begin(undefined);
    this.#send(message, false, undefined);
  }

  /** The answer; undefined: there is none, and the exchange ends without. */
  end(message: object | undefined, status: number | undefined): void {
    this.#send(message, true, status);
  }

  disconnect(retryMs: number): void {
    if (this.#request.resumption !== 'polling' || this.#away || !this.#ctx.isAlive(this.#ctx.self)) return;
    const { connection, exchange } = this.#request;
    if (!this.#begin(retryMs)) this.#ctx.cast(connection, 'send', { exchange, end: false, sse: { retryMs } });
    this.#ctx.cast(connection, 'send', { exchange, end: true });
    this.#away = true;
  }

  /** Whether it is this that begins the event stream. */
  #begin(retryMs: number | undefined): boolean {
    if (this.#name !== undefined) return false;
    this.#name = randomBytes(9).toString('base64url');
    if (this.#request.resumption !== 'polling') return true;
    // To have something to come back to before there is a message.
    const sse = { id: eventId(this.#name, this.#next), ...(retryMs === undefined ? {} : { retryMs }) };
    this.#out({ end: false, sse });
    this.#record(undefined, false);
    return true;
  }

  #send(message: object | undefined, last: boolean, status: number | undefined): void {
    const event = this.#name === undefined ? {} : { sse: { id: eventId(this.#name, this.#next) } };
    this.#out({
      end: last,
      ...(message === undefined ? {} : { message, ...event }),
      ...(status === undefined ? {} : { http: { status } }),
    });
    this.#record(message, last);
  }

  #out(outbound: Omit<Outbound, 'exchange'>): void {
    const { connection, exchange } = this.#request;
    if (!this.#away) this.#ctx.cast(connection, 'send', { ...outbound, exchange });
  }

  #record(message: object | undefined, end: boolean): void {
    const { session, id: requestId } = this.#request;
    if (this.#name === undefined || session === undefined) return;
    const recorded: Recorded = { stream: this.#name, n: this.#next, message, end, pid: this.#ctx.self, requestId };
    this.#next += 1;
    this.#ctx.cast(sessionName(this.#node, session.id), 'record', recorded);
  }
}
