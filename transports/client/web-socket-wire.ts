import { WebSocket } from 'ws';
import type { Clock, TimerHandle } from '../../runtime/index.ts';
import { CLOSE_TIMEOUT_MS, type WebSocketClientLimits } from '../limits.ts';
import { serialise } from '../serialise.ts';
import { clientTls, type TlsClientOptions } from '../tls.ts';
import type { CarrierOutlet } from './carrier-outlet.ts';
import { connectedWithin } from './connecting.ts';
import type { Disconnected, Wire } from './stream-carrier.ts';

/** Where a WebSocket client connects to. */
export interface WebSocketTarget {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: TlsClientOptions | undefined;
}

const NORMAL = 1_000;

/** The client's end of a WebSocket. */
export class WebSocketWire implements Wire {
  private readonly webSocket: WebSocket;
  private readonly outlet: CarrierOutlet;
  private readonly limits: WebSocketClientLimits;
  private readonly clock: Clock;
  private fail: (error: Error) => void = () => {};
  private isConnected = false;
  private error: NodeJS.ErrnoException | undefined;
  private timer: TimerHandle | undefined;
  /** The server has sent something since the last look. */
  private heard = true;

  constructor(
    { url, headers, tls }: WebSocketTarget,
    outlet: CarrierOutlet,
    limits: WebSocketClientLimits,
    clock: Clock,
  ) {
    this.outlet = outlet;
    this.limits = limits;
    this.clock = clock;
    this.webSocket = new WebSocket(url, 'mcp', {
      headers,
      perMessageDeflate: false,
      maxPayload: limits.messageBytesMax,
      closeTimeout: CLOSE_TIMEOUT_MS,
      ...(tls !== undefined && clientTls(tls)),
    } as ConstructorParameters<typeof WebSocket>[2]);
    this.webSocket
      .on('message', (data: Buffer) => this.onMessage(data))
      .on('ping', () => this.hear())
      .on('pong', () => this.hear())
      .on('error', (error) => {
        this.error ??= error;
      })
      .on('close', (code, reason) => this.onClose(code, reason.toString()));
  }

  async connected(): Promise<void> {
    await connectedWithin(this.limits.connectTimeoutMs, this.clock, (ready, fail) => {
      this.fail = fail;
      this.webSocket.once('open', ready);
    });
    this.isConnected = true;
    this.watch();
  }

  send(message: object): boolean {
    if (this.webSocket.bufferedAmount > this.limits.queuedBytesMax) return false;
    this.webSocket.send(serialise(message));
    return true;
  }

  pump(): void {
    if (this.webSocket.isPaused && !this.outlet.isFull) this.webSocket.resume();
  }

  close(): void {
    if (this.timer !== undefined) this.clock.clearTimer(this.timer);
    this.webSocket.resume(); // the answer to our close is behind what waits to be read
    if (this.isConnected) this.webSocket.close(NORMAL);
    else this.webSocket.terminate();
  }

  private onMessage(data: Buffer): void {
    this.heard = true;
    this.outlet.text({ exchange: 0, text: data.toString('utf8') });
    if (this.outlet.isFull) this.webSocket.pause();
  }

  private hear(): void {
    this.heard = true;
  }

  private onClose(code: number, reason: string): void {
    if (this.timer !== undefined) this.clock.clearTimer(this.timer);
    const closed = { code: `WS_${code}`, message: reason };
    const { code: errno = closed.code, message = reason } = this.error ?? {};
    const why: Disconnected = this.error === undefined ? closed : { code: errno, message };
    if (this.isConnected) this.outlet.self('disconnected', code === NORMAL ? undefined : why);
    else this.fail(Object.assign(new Error(why.message), { code: why.code }));
  }

  /** A server that is silent is asked whether it is there; one that does not answer is taken for gone. */
  private watch(): void {
    const { pingIntervalMs } = this.limits;
    let pinged = false;
    const look = (): void => {
      this.timer = this.clock.setTimer(look, pingIntervalMs);
      const silent = !this.heard && !this.webSocket.isPaused;
      this.heard = false;
      if (!silent) {
        pinged = false;
      } else if (pinged) {
        this.error ??= Object.assign(new Error(`no answer to a ping within ${pingIntervalMs} ms`), {
          code: 'ETIMEDOUT',
        });
        this.webSocket.terminate();
      } else {
        pinged = true;
        this.webSocket.ping();
      }
    };
    this.timer = this.clock.setTimer(look, pingIntervalMs);
  }
}
