import type { Socket } from 'node:net';
import { type Arrival, type TurnedAway, turnedAwayMessage } from '../arrival.ts';
import { IdleWatch } from '../idle-watch.ts';
import type { SocketLimits } from '../limits.ts';
import { type LineReader, LineSocket } from '../line-socket.ts';
import type { Line } from '../line-splitter.ts';
import type { Intake, SlowReader } from '../peer.ts';
import { serialise } from '../serialise.ts';
import { remoteEndOf } from '../tls.ts';
import type { ConnectionInfo, Outbound } from '../transport.ts';

/** One client of a TCP or Unix socket, which talks in lines. */
export class TcpPeer implements Arrival, LineReader {
  readonly info: ConnectionInfo;
  private readonly lines: LineSocket;
  private readonly limits: SocketLimits;
  private readonly idle: IdleWatch;
  private intake: Intake | undefined;
  private exchanges = 0;
  private gone = false;

  constructor(socket: Socket, limits: SocketLimits) {
    this.info = { transport: 'tcp', kind: 'stream', ...remoteEndOf(socket) };
    this.limits = limits;
    this.idle = new IdleWatch(limits.idleTimeoutMs);
    this.lines = new LineSocket(socket, this, limits.messageBytesMax);
  }

  get isOpen(): boolean {
    return this.intake !== undefined;
  }

  get isGone(): boolean {
    return this.gone;
  }

  turnAway(why: TurnedAway): void {
    this.gone = true;
    this.lines.write(`${turnedAwayMessage(why)}\n`);
    this.lines.close(true);
  }

  // ---- Peer

  open(intake: Intake): void {
    this.intake = intake;
    if (this.gone) {
      intake.closed();
      return;
    }
    intake.wakeAfter(this.idle.checkMs);
    this.lines.start();
  }

  send({ message, end }: Outbound): SlowReader | undefined {
    const { lines } = this;
    if (message !== undefined) {
      const limitBytes = this.limits.queuedBytesMax;
      const { queuedBytes } = lines;
      if (queuedBytes > limitBytes) return { slow_reader: { queuedBytes, limitBytes } };
      lines.write(`${serialise(message)}\n`);
    }
    if (end) lines.pump();
    return undefined;
  }

  stopReading(): void {
    this.lines.discard();
  }

  end(): void {
    this.lines.end();
  }

  close(): void {
    this.gone = true;
    this.lines.close(true);
  }

  wake(): void {
    const { idle, intake } = this;
    if (intake !== undefined && !this.gone && !idle.check(intake)) intake.wakeAfter(idle.checkMs);
  }

  // ---- LineReader

  get isFull(): boolean {
    return this.intake?.isFull !== false;
  }

  line(line: Line): void {
    this.idle.touch();
    const exchange = ++this.exchanges;
    this.intake?.deliver(
      typeof line === 'string' ? { exchange, text: line } : { exchange, text: '', fault: line.fault },
    );
  }

  inputEnded(): void {
    this.intake?.ended();
  }

  socketClosed(): void {
    this.gone = true;
    this.intake?.closed();
  }
}
