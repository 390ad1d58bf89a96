import type { Agent, ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../../runtime/index.ts';
import type { CarrierEnd } from '../client-transport.ts';
import type { HttpClientLimits } from '../limits.ts';
import type { CarrierOutlet } from './carrier-outlet.ts';
import { EventStream } from './event-stream.ts';

/** How a request is made: `request` of node:http or node:https. */
export type MakeRequest = (
  url: URL,
  options: { readonly method: string; readonly headers: Record<string, string | number>; readonly agent: Agent },
) => ClientRequest;

/** What the calls of one carrier share. */
interface CallMeans {
  readonly url: URL;
  readonly make: MakeRequest;
  readonly agent: Agent;
  readonly clock: Clock;
}

interface CallOptions {
  readonly exchange: number;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly limits: HttpClientLimits;
}

/**
 * One HTTP exchange: a request, and its response as one JSON text or as an event stream. Each text is reported, then
 * the end. No deadline is set here, since a response may take as long as the work behind it: the client aborts.
 */
export class HttpCall {
  private readonly exchange: number;
  private readonly outlet: CarrierOutlet;
  private readonly request: ClientRequest;
  private readonly messageBytesMax: number;
  private readonly ended: () => void;
  private response: IncomingMessage | undefined;
  private events: EventStream | undefined;
  private over = false;
  /** The server may have seen something of the request. */
  private sent = false;

  constructor(means: CallMeans, options: CallOptions, outlet: CarrierOutlet, ended: () => void) {
    const { url, make, agent } = means;
    const { exchange, method, headers, body, limits } = options;
    this.exchange = exchange;
    this.outlet = outlet;
    this.ended = ended;
    this.messageBytesMax = limits.messageBytesMax;
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    this.request = make(url, { method, headers: { ...headers, ...length }, agent });
    this.request
      .on('socket', (socket) => {
        // A socket that was used before is connected: what is written on it may arrive.
        if (!socket.connecting) this.sent = true;
        else this.awaitConnection(socket, means, limits.connectTimeoutMs);
      })
      .on('error', (error: NodeJS.ErrnoException) => this.fail(error))
      .on('response', this.onResponse);
    this.request.end(body);
  }

  /** Nobody wants it any more: the server sees a closed stream. */
  abort(): void {
    this.over = true;
    this.request.destroy();
  }

  /** The owner has handled texts. */
  pump(): void {
    if (this.response?.isPaused() === true && !this.outlet.isFull) this.response.resume();
  }

  private awaitConnection(socket: Socket, { url, clock }: CallMeans, timeoutMs: number): void {
    const timer = clock.setTimer(() => {
      this.request.destroy(Object.assign(new Error(`no connection within ${timeoutMs} ms`), { code: 'ETIMEDOUT' }));
    }, timeoutMs);
    const connected = url.protocol === 'https:' ? 'secureConnect' : 'connect';
    socket.once(connected, () => {
      this.sent = true;
    });
    for (const event of [connected, 'close']) socket.once(event, () => clock.clearTimer(timer));
  }

  private readonly onResponse = (response: IncomingMessage): void => {
    if (this.over) return;
    this.response = response;
    const headers: Record<string, string | undefined> = {};
    for (const [name, value] of Object.entries(response.headers)) {
      headers[name] = Array.isArray(value) ? value.join(', ') : value;
    }
    this.outlet.head({ exchange: this.exchange, status: response.statusCode ?? 0, headers });
    const type = (headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
    response.on('error', (error: NodeJS.ErrnoException) => this.fail(error));
    response.on('aborted', () =>
      this.fail(Object.assign(new Error('the response was cut off'), { code: 'ECONNRESET' })),
    );
    if (type === 'text/event-stream') this.readEvents(response);
    else this.readBody(response);
  };

  private readEvents(response: IncomingMessage): void {
    const events = new EventStream(this.messageBytesMax);
    this.events = events;
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => {
      for (const event of events.push(chunk)) {
        if ('fault' in event) this.outlet.text({ exchange: this.exchange, text: '', fault: event.fault });
        else this.outlet.text({ exchange: this.exchange, text: event.data });
      }
      if (this.outlet.isFull) response.pause();
    });
    response.on('end', () => this.end());
  }

  private readBody(response: IncomingMessage): void {
    const pieces: Buffer[] = [];
    let length = 0;
    response.on('data', (piece: Buffer) => {
      length += piece.length;
      if (length <= this.messageBytesMax) pieces.push(piece);
      else pieces.length = 0;
    });
    response.on('end', () => {
      if (length > this.messageBytesMax) {
        this.outlet.text({ exchange: this.exchange, text: '', fault: 'message_too_long' });
      } else if (length > 0)
        this.outlet.text({ exchange: this.exchange, text: Buffer.concat(pieces).toString('utf8') });
      this.end();
    });
  }

  private fail(error: NodeJS.ErrnoException): void {
    const { code = 'EUNKNOWN', message } = error;
    this.end({ code, message, sent: this.sent });
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
