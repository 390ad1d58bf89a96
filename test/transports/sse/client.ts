import { once } from 'node:events';
import http from 'node:http';
import { type System, startSystem } from '../../../runtime/index.ts';
import { deepFreeze } from '../../../runtime/testing.ts';
import { EventStream } from '../../../transports/client/event-stream.ts';
import { type SseAddress, type SseOptions, sse, sseListenerName } from '../../../transports/sse/index.ts';
import { type RequestOptions, type Response, request } from '../http/client.ts';
import { MessageClient } from '../message-client.ts';
import { Observer } from '../probe-endpoint.ts';

export interface Running {
  readonly system: System;
  readonly observer: Observer;
  readonly address: SseAddress;
  connect(): Promise<SseTestClient>;
}

/** Runs the transport on a free port with the probe endpoint behind it. */
export async function withSse(options: Partial<SseOptions>, body: (running: Running) => Promise<void>): Promise<void> {
  const observer = new Observer();
  const transport = sse({ port: 0, ...options });
  const system = await startSystem({ children: [transport.childSpec(observer.spec)], onSend: deepFreeze });
  try {
    const address = await system.call(sseListenerName(transport.id), 'address');
    await body({ system, observer, address, connect: () => connect(address) });
  } finally {
    await system.stop();
  }
}

export const postHeaders = { 'content-type': 'application/json' };

/** A client with its event stream open. */
export class SseTestClient extends MessageClient {
  readonly response: http.IncomingMessage;
  readonly endpoint: string;
  private readonly port: number;

  constructor(port: number, response: http.IncomingMessage, events: EventStream, endpoint: string) {
    super({
      send: (text) => {
        this.post(text).catch(() => {
          // the end of the stream is what a test looks at
        });
      },
      read: (take) => {
        response.on('data', (chunk: string) => {
          for (const event of events.push(chunk)) if ('data' in event) take(event.data);
        });
      },
      stopReading: () => void response.pause(),
      leave: () => void response.destroy(),
      closed: new Promise((resolve) => response.once('close', resolve)),
    });
    this.port = port;
    this.response = response;
    this.endpoint = endpoint;
  }

  post(body: string, options: RequestOptions = {}): Promise<Response> {
    return request(this.port, { path: this.endpoint, headers: postHeaders, body, ...options });
  }

  override async notify(message: object): Promise<void> {
    await this.post(JSON.stringify(message));
  }
}

export async function connect({ host, port, url }: SseAddress): Promise<SseTestClient> {
  const headers = { accept: 'text/event-stream' };
  const options = { host, port, path: new URL(url).pathname, headers, agent: false } as const;
  const [response] = (await once(http.get(options), 'response')) as [http.IncomingMessage];
  if (response.statusCode !== 200) throw new Error(`HTTP ${response.statusCode}`);
  response.on('error', () => {}).setEncoding('utf8');
  const events = new EventStream(1e9, 'endpoint');
  for (;;) {
    const [chunk] = (await once(response, 'data')) as [string];
    const [first] = events.push(chunk);
    if (first === undefined) continue;
    if (!('type' in first) || first.type !== 'endpoint') throw new Error(`no endpoint: ${JSON.stringify(first)}`);
    return new SseTestClient(port, response, events, first.data);
  }
}
