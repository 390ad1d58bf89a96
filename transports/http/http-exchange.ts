import type { IncomingMessage, ServerResponse } from 'node:http';
import { serialise } from '../serialise.ts';
import type { Outbound } from '../transport.ts';
import type { Accepted } from './accept.ts';
import { Body } from './body.ts';
import { eventText, KEEP_ALIVE_COMMENT } from './event-text.ts';
import type { Refusal } from './refusal.ts';

type Head = NonNullable<Outbound['http']>;
type Field = string | number;

/** Reused by every plain answer: written out before `writeHead` returns. */
const jsonHead: Field[] = ['Content-Type', 'application/json', 'Content-Length', 0];
const CONTENT_LENGTH_AT = 3;

/** The head of an event stream. */
export const STREAM_HEAD: readonly string[] = [
  'Content-Type',
  'text/event-stream',
  'Cache-Control',
  'no-store',
  'X-Accel-Buffering',
  'no',
];

/** One request and its response. */
export class HttpExchange {
  readonly id: number;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly accepted: Accepted;
  readonly body: Body = new Body();
  /** Whether an event stream has begun. */
  streaming = false;
  /** Whether the endpoint has the request. */
  delivered = false;
  /** Whether the stream was silent since the last look. */
  silent = false;
  private readonly cors: readonly string[];
  private head: Head | undefined;

  constructor(
    id: number,
    request: IncomingMessage,
    response: ServerResponse,
    accepted: Accepted,
    cors: readonly string[],
  ) {
    this.id = id;
    this.request = request;
    this.response = response;
    this.accepted = accepted;
    this.cors = cors;
  }

  /** Bytes that the client has not taken. */
  get queuedBytes(): number {
    return this.response.writableLength;
  }

  /** The head of the response, for when it is written. */
  keepHead(head: Head | undefined): void {
    this.head ??= head;
  }

  /** The only message, as the whole response. */
  answer(message: object | undefined, head: Head | undefined, sse: Outbound['sse']): void {
    this.keepHead(head);
    if (message !== undefined && !this.accepted.json) {
      this.openStream(false);
      this.endStream(message, sse);
      return;
    }
    const { response } = this;
    if (message === undefined) {
      response.writeHead(this.head?.status ?? 202, this.fields(['Content-Length', 0]));
      response.end();
      return;
    }
    const body = serialise(message);
    jsonHead[CONTENT_LENGTH_AT] = Buffer.byteLength(body);
    response.writeHead(this.head?.status ?? 200, this.fields(jsonHead));
    response.end(body);
  }

  /** `flush`: nothing follows at once that the head could go out with. */
  openStream(flush: boolean): void {
    this.streaming = true;
    this.response.writeHead(this.head?.status ?? 200, this.fields(STREAM_HEAD));
    if (flush) this.response.flushHeaders();
  }

  event(message: object | undefined, sse: Outbound['sse']): void {
    this.silent = false;
    this.response.write(eventText(message, sse));
  }

  endStream(message: object | undefined, sse: Outbound['sse']): void {
    if (message === undefined && sse === undefined) this.response.end();
    else this.response.end(eventText(message, sse));
  }

  /** A comment, which clients skip, if there was nothing else to send. */
  keepAlive(): void {
    if (this.silent) this.response.write(KEEP_ALIVE_COMMENT);
    this.silent = true;
  }

  /** Tells the client that there will be no answer, as far as it can still be told. */
  fail(refusal: Refusal): void {
    if (this.response.headersSent) this.response.destroy();
    else refuse(this.response, refusal, this.cors);
  }

  private fields(own: readonly Field[]): string[] {
    const extra = this.head?.headers;
    // The types want texts, but numbers are written as well.
    if (extra === undefined && this.cors.length === 0) return own as string[];
    const all = [...own, ...this.cors] as string[];
    for (const [field, value] of Object.entries(extra ?? {})) all.push(field, value);
    return all;
  }
}

/** Answers a request without the endpoint. */
export function refuse(response: ServerResponse, refusal: Refusal, cors: readonly string[]): void {
  const { status, headers, body } = refusal;
  if (refusal.close) response.shouldKeepAlive = false;
  const own =
    body === '' ? [] : ['Content-Type', 'application/json', 'Content-Length', String(Buffer.byteLength(body))];
  response.writeHead(status, [...headers, ...own, ...cors]);
  response.end(body);
}
