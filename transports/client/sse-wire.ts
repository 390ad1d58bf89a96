import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Clock, TimerHandle } from '../../runtime/index.ts';
import type { SocketClientLimits } from '../limits.ts';
import { serialise } from '../serialise.ts';
import type { CarrierOutlet } from './carrier-outlet.ts';
import { EventStream } from './event-stream.ts';
import type { Wire } from './stream-carrier.ts';

/** Where a client of HTTP+SSE connects to. */
export interface SseTarget {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

const INTERNAL_ERROR = -32_603;

/**
 * The client's end of HTTP+SSE: an event stream on which the server speaks, and posts to the address that its first
 * event names. Posts go over one socket, one after the other, so that they keep their order.
 */
export class SseWire implements Wire {
  private readonly url: URL;
  private readonly headers: Readonly<Record<string, string>>;
  private readonly outlet: CarrierOutlet;
  private readonly limits: SocketClientLimits;
  private readonly clock: Clock;
  private readonly agent: HttpAgent;
  private readonly events: EventStream;
  private readonly stream: ClientRequest;
  private response: IncomingMessage | undefined;
  private endpoint: URL | undefined;
  private ready: () => void = () => {};
  private fail: (error: Error) => void = () => {};
  private unacceptedBytes = 0;
  private over = false;

  constructor({ url, headers }: SseTarget, outlet: CarrierOutlet, limits: SocketClientLimits, clock: Clock) {
    this.url = new URL(url);
    this.headers = headers;
    this.outlet = outlet;
    this.limits = limits;
    this.clock = clock;
    this.events = new EventStream(limits.messageBytesMax, 'endpoint');
    const options = { keepAlive: true, maxSockets: 1, timeout: 0 };
    this.agent = this.url.protocol === 'https:' ? new HttpsAgent(options) : new HttpAgent(options);
    this.stream = this.make(this.url, 'GET', { ...headers, accept: 'text/event-stream' }, false);
    this.stream.on('response', (response) => this.onResponse(response)).end();
  }

  async connected(): Promise<void> {
    const { connectTimeoutMs } = this.limits;
    let timer: TimerHandle | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        this.ready = resolve;
        this.fail = reject;
        timer = this.clock.setTimer(() => {
          const waited = `the server has named no endpoint within ${connectTimeoutMs} ms`;
          reject(coded('ETIMEDOUT', waited));
        }, connectTimeoutMs);
      });
    } finally {
      if (timer !== undefined) this.clock.clearTimer(timer);
    }
  }

  send(message: object): boolean {
    if (this.unacceptedBytes > this.limits.queuedBytesMax) return false;
    const body = serialise(message);
    const length = Buffer.byteLength(body);
    this.unacceptedBytes += length;
    const headers = { ...this.headers, 'content-type': 'application/json', 'content-length': String(length) };
    const post = this.make(this.endpoint ?? this.url, 'POST', headers, true);
    post.on('response', (response) => {
      response.resume().on('end', () => {
        this.unacceptedBytes -= length;
      });
      this.onAnswer(response.statusCode ?? 0, message);
    });
    post.end(body);
    return true;
  }

  pump(): void {
    if (this.response?.isPaused() === true && !this.outlet.isFull) this.response.resume();
  }

  close(): void {
    this.over = true;
    this.stream.destroy();
    this.agent.destroy();
  }

  private make(url: URL, method: string, headers: Record<string, string>, pooled: boolean): ClientRequest {
    const make = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const request = make(url, { method, headers, agent: pooled ? this.agent : false });
    return request.on('error', (error: NodeJS.ErrnoException) => this.end(error));
  }

  private onResponse(response: IncomingMessage): void {
    const { statusCode: status = 0, headers } = response;
    const type = (headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
    if (status !== 200 || type !== 'text/event-stream') {
      this.end(coded(`HTTP_${status}`, `GET brought no event stream: HTTP ${status}, ${type || 'no content type'}`));
      this.stream.destroy();
      return;
    }
    this.response = response;
    response.setEncoding('utf8');
    response.on('error', (error: NodeJS.ErrnoException) => this.end(error));
    response.on('end', () => this.end(undefined));
    response.on('data', (chunk: string) => {
      for (const event of this.events.push(chunk)) {
        if ('fault' in event) this.outlet.text({ exchange: 0, text: '', fault: event.fault });
        else if (event.type === undefined) this.outlet.text({ exchange: 0, text: event.data });
        else this.onEndpoint(event.data);
      }
      if (this.outlet.isFull) response.pause();
    });
  }

  /** Messages, and the headers that may hold secrets, go to the server that was asked and to no other. */
  private onEndpoint(address: string): void {
    const { href } = this.url;
    const endpoint = URL.canParse(address, href) ? new URL(address, href) : undefined;
    if (endpoint?.origin !== this.url.origin) {
      this.end(coded('ERR_SSE_ENDPOINT', `the endpoint ${address} is not of ${this.url.origin}`));
      this.stream.destroy();
      return;
    }
    this.endpoint ??= endpoint;
    this.ready();
  }

  /** A post that was refused: its request will not be answered on the stream. */
  private onAnswer(status: number, message: object): void {
    if (status >= 200 && status < 300) return;
    const { id, method } = message as { id?: unknown; method?: unknown };
    // 401: the token is good no more, and a new one takes a new connection.
    if (status === 404 || status === 401 || id === undefined || method === undefined) {
      this.end(coded(`HTTP_${status}`, `a message was refused: HTTP ${status}`));
      return;
    }
    const error = { code: INTERNAL_ERROR, message: `the server refused the message: HTTP ${status}` };
    this.outlet.text({ exchange: 0, text: JSON.stringify({ jsonrpc: '2.0', id, error }) });
  }

  private end(error: NodeJS.ErrnoException | undefined): void {
    if (this.over) return;
    this.over = true;
    this.fail(error ?? coded('ECONNRESET', 'the server has ended the event stream'));
    const { code = 'EUNKNOWN', message = '' } = error ?? {};
    this.outlet.self('disconnected', error === undefined ? undefined : { code, message });
  }
}

function coded(code: string, message: string): NodeJS.ErrnoException {
  return Object.assign(new Error(message), { code });
}
