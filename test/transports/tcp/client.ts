import net from 'node:net';
import { createInterface } from 'node:readline';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { type System, startSystem } from '../../../runtime/index.ts';
import { deepFreeze } from '../../../runtime/testing.ts';
import { type TcpAddress, type TcpOptions, tcp, tcpListenerName } from '../../../transports/tcp/index.ts';
import { MessageClient, type MessageWire } from '../message-client.ts';
import { Observer } from '../probe-endpoint.ts';

export interface Running {
  readonly system: System;
  readonly observer: Observer;
  readonly address: TcpAddress;
  /** A client on a socket of its own. */
  connect(): Promise<LineClient>;
}

/** Runs the transport with the probe endpoint behind it. */
export async function withTcp(options: TcpOptions, body: (running: Running) => Promise<void>): Promise<void> {
  const observer = new Observer();
  const transport = tcp(options.path === undefined ? { port: 0, ...options } : options);
  const system = await startSystem({ children: [transport.childSpec(observer.spec)], onSend: deepFreeze });
  try {
    const address = await system.call(tcpListenerName(transport.id), 'address');
    await body({ system, observer, address, connect: () => connect(address) });
  } finally {
    await system.stop();
  }
}

/** A client that talks in lines. */
export class LineClient extends MessageClient {
  readonly socket: net.Socket;

  constructor(socket: net.Socket) {
    super(lineWire(socket));
    this.socket = socket;
  }
}

function lineWire(socket: net.Socket): MessageWire {
  // A reset is an end too: what a test looks at is that the connection has ended.
  socket.on('error', () => {});
  return {
    send: (text) => void socket.write(`${text}\n`),
    read: (take) =>
      void createInterface({ input: socket })
        .on('line', take)
        .on('error', () => {}),
    stopReading: () => void socket.pause(),
    leave: () => void socket.destroy(),
    closed: new Promise((resolve) => socket.once('close', resolve)),
  };
}

export async function connect(address: TcpAddress, options: Partial<net.TcpNetConnectOpts> = {}): Promise<LineClient> {
  const to = 'path' in address ? { path: address.path } : { host: address.host, port: address.port };
  const socket = net.connect({ ...to, ...options } as net.NetConnectOpts);
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  return new LineClient(socket);
}

export async function connectSecurely(address: TcpAddress, options: ConnectionOptions): Promise<LineClient> {
  if ('path' in address) throw new TypeError('TLS is on a port here');
  const socket = connectTls({ host: address.host, port: address.port, ...options });
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  return new LineClient(socket);
}
