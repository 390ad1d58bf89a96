import type { Agent, ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../../runtime/index.ts';
import type { HttpClientLimits } from '../limits.ts';
import type { CarrierOutlet } from './carrier-outlet.ts';
import type { ExchangeRequest } from './exchange-carrier.ts';
import { cutOff, joinedHeaders, ResponseReader } from './response-reader.ts';

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

interface CallOptions extends ExchangeRequest {
  readonly limits: HttpClientLimits;
}

/**
 * One HTTP exchange. No deadline is set here, since a response may take as long as the work behind it: the client
 * aborts.
 */
export class HttpCall {
  private readonly request: ClientRequest;
  private readonly reader: ResponseReader;
  /** The server may have seen something of the request. */
  private sent = false;

  constructor(means: CallMeans, options: CallOptions, outlet: CarrierOutlet, ended: () => void) {
    const { url, make, agent } = means;
    const { exchange, method, headers, body, limits } = options;
    this.reader = new ResponseReader(exchange, outlet, limits.messageBytesMax, ended);
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    this.request = make(url, { method, headers: { ...headers, ...length }, agent });
    this.request
      .on('socket', (socket) => {
        // A socket that was used before is connected: what is written on it may arrive.
        if (!socket.connecting) this.sent = true;
        else this.awaitConnection(socket, means, limits.connectTimeoutMs);
      })
      .on('error', (error: NodeJS.ErrnoException) => this.reader.fail(error, this.sent))
      .on('response', this.onResponse);
    this.request.end(body);
  }

  /** Nobody wants it any more: the server sees a closed stream. */
  abort(): void {
    this.reader.stop();
    this.request.destroy();
  }

  /** The owner has handled texts. */
  pump(): void {
    this.reader.pump();
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
    response.on('error', (error: NodeJS.ErrnoException) => this.reader.fail(error, this.sent));
    response.on('aborted', () => this.reader.fail(cutOff(), this.sent));
    this.reader.read(response.statusCode ?? 0, joinedHeaders(response.headers), response);
  };
}
