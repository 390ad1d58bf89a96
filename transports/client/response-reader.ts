import type { Readable } from 'node:stream';
import type { CarrierEnd } from '../client-transport.ts';
import type { CarrierOutlet } from './carrier-outlet.ts';
import { EventStream } from './event-stream.ts';

/** The response to one HTTP exchange, as one JSON text or as an event stream: each text is reported, then the end. */
export class ResponseReader {
  private readonly exchange: number;
  private readonly outlet: CarrierOutlet;
  private readonly messageBytesMax: number;
  private readonly ended: () => void;
  private body: Readable | undefined;
  private events: EventStream | undefined;
  private over = false;

  constructor(exchange: number, outlet: CarrierOutlet, messageBytesMax: number, ended: () => void) {
    this.exchange = exchange;
    this.outlet = outlet;
    this.messageBytesMax = messageBytesMax;
    this.ended = ended;
  }

  /** The end was reported, or nobody waits for it. */
  get isOver(): boolean {
    return this.over;
  }

  /** Nothing is reported any more. */
  stop(): void {
    this.over = true;
  }

  /** The owner has handled texts. */
  pump(): void {
    if (this.body?.isPaused() === true && !this.outlet.isFull) this.body.resume();
  }

  read(status: number, headers: Readonly<Record<string, string | undefined>>, body: Readable): void {
    if (this.over) return;
    this.body = body;
    this.outlet.head({ exchange: this.exchange, status, headers });
    const type = (headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
    if (type === 'text/event-stream') this.readEvents(body);
    else this.readBody(body, headers['content-length']);
  }

  /** It ended early. `sent`: the server may have seen something of the request. */
  fail(error: NodeJS.ErrnoException, sent: boolean): void {
    const { code = 'EUNKNOWN', message } = error;
    this.end({ code, message, sent });
  }

  private readEvents(body: Readable): void {
    const events = new EventStream(this.messageBytesMax);
    this.events = events;
    body.setEncoding('utf8');
    body.on('data', (chunk: string) => {
      for (const event of events.push(chunk)) {
        if ('fault' in event) this.outlet.text({ exchange: this.exchange, text: '', fault: event.fault });
        else this.outlet.text({ exchange: this.exchange, text: event.data });
      }
      if (this.outlet.isFull) body.pause();
    });
    body.on('end', () => this.end());
  }

  private readBody(body: Readable, expected: string | undefined): void {
    const pieces: Buffer[] = [];
    let length = 0;
    body.on('data', (piece: Buffer) => {
      length += piece.length;
      if (length <= this.messageBytesMax) pieces.push(piece);
      else pieces.length = 0;
    });
    body.on('end', () => {
      if (this.over) return; // what came was not all
      if (expected !== undefined && Number(expected) !== length) {
        // A stream of HTTP/2 that is closed without an error; on HTTP/1.1 Node.js sees to it.
        this.fail(cutOff(), true);
      } else if (length > this.messageBytesMax) {
        this.outlet.text({ exchange: this.exchange, text: '', fault: 'message_too_long' });
      } else if (length > 0)
        this.outlet.text({ exchange: this.exchange, text: Buffer.concat(pieces).toString('utf8') });
      this.end();
    });
  }

  private end(error?: CarrierEnd['error']): void {
    if (this.over) return;
    this.over = true;
    const { lastEventId, retryMs } = this.events ?? {};
    this.outlet.end({
      exchange: this.exchange,
      ...(error === undefined ? {} : { error }),
      ...(lastEventId === undefined ? {} : { lastEventId }),
      ...(retryMs === undefined ? {} : { retryMs }),
    });
    this.ended();
  }
}

/** Fields as one text each. */
export function joinedHeaders(
  headers: Readonly<Record<string, string | readonly string[] | number | undefined>>,
): Record<string, string | undefined> {
  const joined: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(headers)) {
    joined[name] = Array.isArray(value) ? value.join(', ') : (value as string | undefined);
  }
  return joined;
}

export function cutOff(): NodeJS.ErrnoException {
  return Object.assign(new Error('the response was cut off'), { code: 'ECONNRESET' });
}
