import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Accepted } from '../http/accept.ts';
import { Body } from '../http/body.ts';
import { eventText, KEEP_ALIVE_COMMENT } from '../http/event-text.ts';
import type { Refusal } from '../http/refusal.ts';
import { serialise } from '../serialise.ts';
import type { Outbound } from '../transport.ts';

type Head = NonNullable<Outbound['http']>;
type Fields = Record<string, string | number>;

/** Bytes that were written to a session and that its client has not taken. */
export interface Unread {
  /** Of answers and refusals: they are bounded by their number. */
  answerBytes: number;
  /** Of event streams, which have no end. */
  eventBytes: number;
}

/** One stream of a session: a request and its response. */
export class Http2Exchange {
  readonly id: number;
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  readonly accepted: Accepted;
  readonly body: Body = new Body();
  readonly startedMs: number;
  /** Whether an event stream has begun. */
  streaming = false;
  /** Whether the endpoint has the request. */
  delivered = false;
  private silent = false;
  private readonly unread: Unread;
  private readonly cors: readonly string[];
  private head: Head | undefined;

  constructor(
    id: number,
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    means: {
      readonly accepted: Accepted;
      readonly cors: readonly string[];
      readonly unread: Unread;
      readonly nowMs: number;
    },
  ) {
    this.id = id;
    this.stream = stream;
    this.headers = headers;
    this.accepted = means.accepted;
    this.cors = means.cors;
    this.unread = means.unread;
    this.startedMs = means.nowMs;
  }

  /** The head of the response, for when it is written. */
  keepHead(head: Head | undefined): void {
    this.head ??= head;
  }

  /** The only message, as the whole response. */
  answer(message: object | undefined, head: Head | undefined, sse: Outbound['sse']): void {
    this.keepHead(head);
    if (message !== undefined && !this.accepted.json) {
      this.openStream();
      this.endStream(message, sse);
      return;
    }
    if (this.stream.destroyed) return;
    if (message === undefined) {
      this.stream.respond(this.fields({ ':status': this.head?.status ?? 202 }), { endStream: true });
      return;
    }
    const body = serialise(message);
    const bytes = Buffer.byteLength(body);
    this.stream.respond(
      this.fields({
        ':status': this.head?.status ?? 200,
        'content-type': 'application/json',
        'content-length': bytes,
      }),
    );
    endWith(this.stream, body, bytes, this.unread);
  }

  openStream(): void {
    this.streaming = true;
    if (this.stream.destroyed) return;
    this.stream.respond(
      this.fields({
        ':status': this.head?.status ?? 200,
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      }),
    );
  }

  event(message: object | undefined, sse: Outbound['sse']): void {
    this.silent = false;
    this.write(eventText(message, sse));
  }

  endStream(message: object | undefined, sse: Outbound['sse']): void {
    if (message !== undefined || sse !== undefined) this.write(eventText(message, sse));
    this.stream.end();
  }

  /** A comment, if there was nothing else to send. */
  keepAlive(): void {
    if (this.silent) this.write(KEEP_ALIVE_COMMENT);
    this.silent = true;
  }

  /** Tells the client that there will be no answer, as far as it can still be told. */
  fail(refusal: Refusal): void {
    // With an error the stream is reset; closed, it would first come to a regular end.
    if (this.stream.headersSent) this.stream.destroy(new Error('the exchange was cut off'));
    else refuse(this.stream, refusal, this.cors, this.unread);
  }

  private write(text: string): void {
    if (this.stream.destroyed) return;
    const bytes = Buffer.byteLength(text);
    this.unread.eventBytes += bytes;
    this.stream.write(text, () => {
      this.unread.eventBytes -= bytes;
    });
  }

  private fields(own: Fields): Fields {
    for (let at = 0; at < this.cors.length; at += 2) own[this.cors[at]!] = this.cors[at + 1]!;
    return Object.assign(own, this.head?.headers);
  }
}

/** Answers a request without the endpoint. What is left of its body is not read (RFC 9113, section 8.1). */
export function refuse(stream: ServerHttp2Stream, refusal: Refusal, cors: readonly string[], unread: Unread): void {
  if (stream.destroyed || stream.headersSent) return;
  const { status, headers, body } = refusal;
  const fields: Fields = { ':status': status };
  for (const list of [headers, cors]) {
    for (let at = 0; at < list.length; at += 2) fields[list[at]!] = list[at + 1]!;
  }
  if (body !== '') {
    fields['content-type'] = 'application/json';
    fields['content-length'] = Buffer.byteLength(body);
  }
  stream.once('finish', () => stream.close());
  if (body === '' || isHead(stream)) {
    stream.respond(fields, { endStream: true });
  } else {
    stream.respond(fields);
    endWith(stream, body, Buffer.byteLength(body), unread);
  }
}

function endWith(stream: ServerHttp2Stream, body: string, bytes: number, unread: Unread): void {
  unread.answerBytes += bytes;
  // Before the peer hears of it, who then looks whether there is room.
  stream.prependOnceListener('close', () => {
    unread.answerBytes -= bytes;
  });
  stream.end(body);
}

/** A response to HEAD has no body. The types of Node.js do not know the property. */
function isHead(stream: ServerHttp2Stream): boolean {
  return (stream as unknown as { readonly headRequest?: boolean }).headRequest === true;
}
