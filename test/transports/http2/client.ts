import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2, { type ClientHttp2Session, type ClientHttp2Stream, type SecureClientSessionOptions } from 'node:http2';
import { type System, startSystem } from '../../../runtime/index.ts';
import { deepFreeze } from '../../../runtime/testing.ts';
import type { HttpAddress } from '../../../transports/http/index.ts';
import { http2ListenerName, type StreamableHttp2Options, streamableHttp2 } from '../../../transports/http2/index.ts';
import { Observer } from '../probe-endpoint.ts';

export interface Running {
  readonly system: System;
  readonly observer: Observer;
  readonly address: HttpAddress;
}

/** Runs the transport on a free port with the probe endpoint behind it. */
export async function withHttp2(
  options: StreamableHttp2Options,
  body: (running: Running) => Promise<void>,
): Promise<void> {
  const observer = new Observer();
  const transport = streamableHttp2({ port: 0, ...options });
  const system = await startSystem({ children: [transport.childSpec(observer.spec)], onSend: deepFreeze });
  try {
    await body({ system, observer, address: await system.call(http2ListenerName(transport.id), 'address') });
  } finally {
    await system.stop();
  }
}

export interface Response {
  readonly status: number;
  readonly headers: http2.IncomingHttpHeaders;
  readonly text: string;
}

export const postHeaders = {
  ':method': 'POST',
  ':path': '/mcp',
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
} as const;

/** A session of HTTP/2 as a test uses it. */
export class Session {
  readonly http2: ClientHttp2Session;
  readonly closed: Promise<unknown>;
  /** The code of the GOAWAY that came, if one did. */
  goaway: number | undefined;

  constructor(url: string, options: SecureClientSessionOptions = {}) {
    this.http2 = http2.connect(url, options);
    this.closed = new Promise((resolve) => this.http2.once('close', resolve));
    this.http2.on('error', () => {}); // it closes, which is what tests wait for
    this.http2.on('goaway', (code) => {
      this.goaway ??= code;
    });
  }

  open(body: string | Buffer | undefined, headers: http2.OutgoingHttpHeaders = {}): ClientHttp2Stream {
    const stream = this.http2.request({ ...postHeaders, ...headers }, { endStream: body === undefined });
    stream.on('error', () => {}); // it closes, the same
    if (body !== undefined) stream.end(body);
    return stream;
  }

  async request(body: string | Buffer | undefined, headers: http2.OutgoingHttpHeaders = {}): Promise<Response> {
    return responseOf(this.open(body, headers));
  }

  call(method: string, params?: unknown, headers: http2.OutgoingHttpHeaders = {}): Promise<Response> {
    return this.request(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }), headers);
  }

  [Symbol.dispose](): void {
    this.http2.destroy();
  }
}

/** The whole response; rejects if the stream is closed before it is there. */
export async function responseOf(stream: ClientHttp2Stream): Promise<Response> {
  const closed = once(stream, 'close').then(() => undefined);
  const head = (await Promise.race([once(stream, 'response'), closed])) as [http2.IncomingHttpHeaders] | undefined;
  if (head === undefined) throw new Error(`the stream was reset: ${stream.rstCode}`);
  let text = '';
  for await (const chunk of stream.setEncoding('utf8')) text += chunk;
  await closed;
  assert.equal(stream.rstCode, 0, 'the stream was reset');
  return { status: Number(head[0][':status']), headers: head[0], text };
}

/** The messages of a response, whatever its form. */
export function messagesOf({ headers, text }: Response): any[] {
  if (headers['content-type'] !== 'text/event-stream') return text === '' ? [] : [JSON.parse(text)];
  return text
    .split('\n\n')
    .filter((event) => event.startsWith('event: message\n'))
    .map((event) => JSON.parse(event.slice('event: message\ndata: '.length)));
}
