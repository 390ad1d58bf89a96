import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { type System, startSystem } from '../../../runtime/index.ts';
import { deepFreeze } from '../../../runtime/testing.ts';
import {
  type HttpAddress,
  listenerName,
  type StreamableHttpOptions,
  streamableHttp,
} from '../../../transports/http/index.ts';
import type { ContractClient } from '../../transport-contract.ts';
import { Observer } from '../probe-endpoint.ts';

export interface Running {
  readonly system: System;
  readonly observer: Observer;
  readonly address: HttpAddress;
}

/** Runs the transport on a free port with the probe endpoint behind it. */
export async function withHttp(
  options: StreamableHttpOptions,
  body: (running: Running) => Promise<void>,
): Promise<void> {
  const observer = new Observer();
  const transport = streamableHttp({ port: 0, ...options });
  const system = await startSystem({ children: [transport.childSpec(observer.spec)], onSend: deepFreeze });
  try {
    const address = await system.call(listenerName(transport.id), 'address');
    await body({ system, observer, address });
  } finally {
    await system.stop();
  }
}

export const jsonHeaders = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
} as const;

export interface Response {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
}

export interface RequestOptions {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly agent?: http.Agent | false;
  /** The address it comes from. */
  readonly localAddress?: string;
}

/** One request to a port of this machine; resolves when the whole response is there. */
export async function request(port: number, options: RequestOptions = {}): Promise<Response> {
  const { method = 'POST', path = '/mcp', headers = jsonHeaders, body, agent = false, localAddress } = options;
  const sent = http.request({ host: '127.0.0.1', port, method, path, headers, agent, localAddress });
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [http.IncomingMessage];
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  return { status: response.statusCode ?? 0, headers: response.headers, text };
}

/** A call of a method of the probe endpoint. */
export function call(port: number, method: string, params?: unknown, options: RequestOptions = {}): Promise<Response> {
  return request(port, { body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }), ...options });
}

/** The messages of a response, whatever its form. */
export function messagesOf({ headers, text }: Response): any[] {
  if (headers['content-type'] !== 'text/event-stream') return text === '' ? [] : [JSON.parse(text)];
  return text
    .split('\n\n')
    .filter((event) => event.startsWith('event: message\n'))
    .map((event) => JSON.parse(event.slice('event: message\ndata: '.length)));
}

/** A socket on which a test writes bytes of its own. */
export class RawSocket {
  readonly socket: net.Socket;
  readonly closed: Promise<unknown>;
  text = '';
  readonly errors: (string | undefined)[] = [];

  constructor(port: number) {
    this.socket = net.connect(port, '127.0.0.1');
    this.socket.setEncoding('latin1').on('data', (chunk) => {
      this.text += chunk;
    });
    this.socket.on('error', ({ code }: NodeJS.ErrnoException) => this.errors.push(code)); // such as a reset
    this.closed = new Promise((resolve) => this.socket.once('close', resolve));
  }

  write(text: string | Buffer): void {
    this.socket.write(text);
  }

  /** Waits until the text so far passes. */
  async until(accept: (text: string) => boolean): Promise<string> {
    while (!accept(this.text)) {
      const data = new Promise<boolean>((resolve) => this.socket.once('data', () => resolve(true)));
      const more = await Promise.race([data, this.closed.then(() => false)]);
      if (!more && !accept(this.text)) throw new Error(`closed after ${JSON.stringify(this.text)}`);
    }
    return this.text;
  }

  /** The whole text when the server has closed. */
  async all(): Promise<string> {
    await this.closed;
    return this.text;
  }
}

export function post(body: string, headers = ''): string {
  const length = Buffer.byteLength(body);
  const head = `POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${headers}`;
  return `${head}Content-Length: ${length}\r\n\r\n${body}`;
}

/** The `reason` of a refusal. */
export function reasonOf(text: string): string | undefined {
  return /"reason":"([a-z_0-9]+)"/.exec(text)?.[1];
}

/** Lets sockets of this program pass on what has been written to them. */
export async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** A client that keeps to one socket. */
export function contractClient(port: number): ContractClient {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  // The agent lets the program end while its sockets are idle; a test waits for them.
  agent.on('free', (socket) => socket.ref());
  const sockets = new WeakSet<object>();
  let resolveClosed: () => void = () => {};
  const closed = new Promise<void>((resolve) => {
    resolveClosed = resolve;
  });
  const start = (message: object): http.ClientRequest => {
    const sent = http.request({ host: '127.0.0.1', port, path: '/mcp', method: 'POST', headers: jsonHeaders, agent });
    sent.on('error', () => {}).end(JSON.stringify(message));
    sent.on('socket', (socket) => {
      if (!sockets.has(socket)) socket.once('close', resolveClosed);
      sockets.add(socket);
    });
    return sent;
  };
  return {
    async request(message) {
      const [response] = (await once(start(message), 'response')) as [http.IncomingMessage];
      let text = '';
      for await (const chunk of response.setEncoding('utf8')) text += chunk;
      return messagesOf({ status: response.statusCode ?? 0, headers: response.headers, text });
    },
    async notify(message) {
      const { status } = await request(port, { body: JSON.stringify(message), agent });
      if (status !== 202) throw new Error(`HTTP ${status}`);
    },
    requestUnread(message) {
      start(message).on('response', (response) => response.pause());
    },
    leave: () => agent.destroy(),
    closed,
  };
}
