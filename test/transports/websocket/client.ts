import { once } from 'node:events';
import { type ClientOptions, WebSocket } from 'ws';
import { type System, startSystem } from '../../../runtime/index.ts';
import { deepFreeze } from '../../../runtime/testing.ts';
import {
  type WebSocketAddress,
  type WebSocketOptions,
  webSocket,
  webSocketListenerName,
} from '../../../transports/websocket/index.ts';
import { MessageClient } from '../message-client.ts';
import { Observer } from '../probe-endpoint.ts';

export interface Running {
  readonly system: System;
  readonly observer: Observer;
  readonly address: WebSocketAddress;
  connect(options?: ClientOptions): Promise<WebSocketTestClient>;
}

/** Runs the transport on a free port with the probe endpoint behind it. */
export async function withWebSocket(
  options: Partial<WebSocketOptions>,
  body: (running: Running) => Promise<void>,
): Promise<void> {
  const observer = new Observer();
  const transport = webSocket({ port: 0, ...options });
  const system = await startSystem({ children: [transport.childSpec(observer.spec)], onSend: deepFreeze });
  try {
    const address = await system.call(webSocketListenerName(transport.id), 'address');
    await body({ system, observer, address, connect: (client) => connect(address.url, client) });
  } finally {
    await system.stop();
  }
}

/** How the server has closed. */
export interface Closed {
  readonly code: number;
  readonly reason: string;
}

/** A client on `ws`. */
export class WebSocketTestClient extends MessageClient {
  readonly socket: WebSocket;
  declare readonly closed: Promise<Closed>;

  constructor(socket: WebSocket) {
    // What a test looks at is the close that follows an error.
    socket.on('error', () => {});
    super({
      send: (text) => socket.send(text),
      read: (take) => void socket.on('message', (data: Buffer) => take(data.toString())),
      stopReading: () => socket.pause(),
      leave: () => socket.terminate(),
      closed: new Promise<Closed>((resolve) => {
        socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }));
      }),
    });
    this.socket = socket;
  }
}

export async function connect(url: string, options: ClientOptions = {}): Promise<WebSocketTestClient> {
  const socket = new WebSocket(url, 'mcp', options);
  const client = new WebSocketTestClient(socket);
  await once(socket, 'open');
  return client;
}

/** The status and the body of a refused upgrade. */
export function refusedUpgrade(
  url: string,
  protocols: string[] = ['mcp'],
  options: ClientOptions = {},
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, protocols, options);
    socket.on('error', reject).on('open', () => reject(new Error('was not refused')));
    socket.on('unexpected-response', async (_request, response) => {
      let text = '';
      for await (const chunk of response.setEncoding('utf8')) text += chunk;
      resolve({ status: response.statusCode ?? 0, text });
    });
  });
}
