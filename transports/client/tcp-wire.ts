import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Clock } from '../../runtime/index.ts';
import type { SocketClientLimits } from '../limits.ts';
import { type LineReader, LineSocket } from '../line-socket.ts';
import type { Line } from '../line-splitter.ts';
import { serialise } from '../serialise.ts';
import { clientTls, type TlsClientOptions } from '../tls.ts';
import type { CarrierOutlet } from './carrier-outlet.ts';
import { connectedWithin } from './connecting.ts';

/** Where a TCP client connects to. */
export interface TcpTarget {
  readonly at: { readonly host: string; readonly port: number } | { readonly path: string };
  readonly tls: TlsClientOptions | undefined;
}

/** The client's end of a connection in lines. */
export class TcpWire implements LineReader {
  private readonly socket: Socket;
  private readonly lines: LineSocket;
  private readonly outlet: CarrierOutlet;
  private readonly limits: SocketClientLimits;
  private readonly clock: Clock;
  private readonly ready: 'connect' | 'secureConnect';
  private fail: (error: Error) => void = () => {};
  private isConnected = false;

  constructor({ at, tls }: TcpTarget, outlet: CarrierOutlet, limits: SocketClientLimits, clock: Clock) {
    this.outlet = outlet;
    this.limits = limits;
    this.clock = clock;
    this.ready = tls === undefined ? 'connect' : 'secureConnect';
    const options = { ...at, noDelay: true, keepAlive: true };
    this.socket = tls === undefined ? connect(options) : connectTls({ ...options, ...clientTls(tls) });
    this.lines = new LineSocket(this.socket, this, limits.messageBytesMax);
  }

  async connected(): Promise<void> {
    await connectedWithin(this.limits.connectTimeoutMs, this.clock, (ready, fail) => {
      this.fail = fail;
      this.socket.once(this.ready, ready);
    });
    this.isConnected = true;
    this.lines.start();
  }

  send(message: object): boolean {
    if (this.lines.queuedBytes > this.limits.queuedBytesMax) return false;
    this.lines.write(`${serialise(message)}\n`);
    return true;
  }

  pump(): void {
    this.lines.pump();
  }

  close(): void {
    this.lines.close(this.isConnected);
  }

  get isFull(): boolean {
    return this.outlet.isFull;
  }

  line(line: Line): void {
    this.outlet.text(
      typeof line === 'string' ? { exchange: 0, text: line } : { exchange: 0, text: '', fault: line.fault },
    );
  }

  /** The server has said its last: nothing that is sent from now on would be answered. */
  inputEnded(): void {
    this.outlet.self('disconnected');
  }

  socketClosed(error: NodeJS.ErrnoException | undefined): void {
    if (!this.isConnected) {
      const closed = Object.assign(new Error('the server has closed the connection'), { code: 'ECONNRESET' });
      this.fail(error ?? closed);
      return;
    }
    const { code = 'EUNKNOWN', message = '' } = error ?? {};
    this.outlet.self('disconnected', error === undefined ? undefined : { code, message });
  }
}
