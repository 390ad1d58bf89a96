import type { Readable, Writable } from 'node:stream';
import type { ExitReason } from '../runtime/index.ts';
import type { TransportLimits } from './limits.ts';
import { type Line, LineSplitter } from './line-splitter.ts';
import type { Intake, Peer, SlowReader } from './peer.ts';
import { serialise } from './serialise.ts';
import type { ConnectionInfo, Outbound } from './transport.ts';

export interface StdioStreams {
  /** The id of the transport. */
  readonly id: string;
  /** Default: those of the program. */
  readonly input: Readable | undefined;
  readonly output: Writable | undefined;
  /** Told once, after the connection process has exited. */
  readonly onClose: ((reason: ExitReason) => void) | undefined;
}

/**
 * Both streams of a peer that talks in lines: it reads while there is room for exchanges, and while what it wrote is
 * taken.
 */
export class StdioPeer implements Peer {
  readonly info: ConnectionInfo;
  private readonly input: Readable;
  private readonly output: Writable;
  private readonly onClose: ((reason: ExitReason) => void) | undefined;
  private readonly limits: TransportLimits;
  private readonly splitter: LineSplitter;
  private intake: Intake | undefined;
  private exchanges = 0;
  private reading = true;
  private inputEnded = false;
  /** What was sent in this turn: it goes out in one write. */
  private pending = '';
  private flushing = false;

  constructor(streams: StdioStreams, limits: TransportLimits) {
    // Streams that were given are closed with the connection; those of the program are there for the next.
    const programs = streams.input === undefined && streams.output === undefined;
    this.info = { transport: 'stdio', kind: 'stream', ...(programs && { resumable: streams.id }) };
    this.input = streams.input ?? process.stdin;
    this.output = streams.output ?? process.stdout;
    this.onClose = streams.onClose;
    this.limits = limits;
    this.splitter = new LineSplitter(limits.messageBytesMax);
  }

  open(intake: Intake): void {
    const { input, output } = this;
    this.intake = intake;
    output.on('error', this.onGone).on('close', this.onGone).on('drain', this.pump);
    input.on('error', this.onGone).on('close', this.onInputClosed);
    if (output.destroyed || input.errored) this.onGone();
    else if (input.readableEnded || input.destroyed) this.onEnd();
    else input.on('end', this.onEnd).on('data', this.onData);
    this.pump(); // an earlier connection may have left the input paused
  }

  send({ message, end }: Outbound): SlowReader | undefined {
    if (message !== undefined) {
      const queuedBytes = this.output.writableLength + this.pending.length;
      const limitBytes = this.limits.queuedBytesMax;
      if (queuedBytes > limitBytes) return { slow_reader: { queuedBytes, limitBytes } };
      this.pending += `${serialise(message)}\n`;
      if (!this.flushing) {
        this.flushing = true;
        process.nextTick(this.flush);
      }
    }
    if (end) this.pump();
    return undefined;
  }

  stopReading(): void {
    if (!this.reading) return;
    this.reading = false;
    const { input } = this;
    input.off('data', this.onData).off('end', this.onEnd);
    input.pause();
    // A restarted connection goes on with the same stream: it must find the start of a half-read line there.
    const rest = this.splitter.rest();
    if (rest.length > 0 && !input.readableEnded && !input.destroyed) input.unshift(rest);
  }

  end(): void {
    this.flush();
    const closed = (): void => this.intake?.closed();
    if (this.isLent(this.output)) this.output.write('', closed);
    else this.output.end(closed);
  }

  close(reason: ExitReason): void {
    const { input, output, onClose } = this;
    if (this.intake === undefined) return; // never opened: the streams are as they were given
    this.stopReading();
    this.flush();
    input.off('error', this.onGone).off('close', this.onInputClosed);
    output.off('error', this.onGone).off('close', this.onGone).off('drain', this.pump);
    // A late EPIPE of a peer that has gone concerns nobody, but without a listener it would end the program.
    for (const stream of [input, output]) stream.off('error', ignored).on('error', ignored);
    if (!this.isLent(input)) input.destroy();
    if (!this.isLent(output)) {
      if (output.writableLength === 0) output.end();
      else output.destroy();
    }
    this.intake = undefined;
    if (onClose !== undefined) queueMicrotask(() => onClose(reason));
  }

  /** The program's own streams are let go, never closed: they end with it. */
  private isLent(stream: Readable | Writable): boolean {
    return stream === process.stdin || stream === process.stdout;
  }

  private readonly onData = (chunk: Buffer | string): void => {
    this.splitter.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
    this.pump();
  };

  private readonly onEnd = (): void => {
    this.inputEnded = true;
    this.pump();
  };

  private readonly onInputClosed = (): void => {
    if (!this.inputEnded) this.onEnd();
  };

  private readonly onGone = (): void => {
    this.intake?.closed();
  };

  private readonly flush = (): void => {
    this.flushing = false;
    const { pending } = this;
    if (pending === '') return;
    this.pending = '';
    if (!this.output.write(pending)) this.input.pause(); // until 'drain'
  };

  /** Delivers the lines that are there and room is for, and reads on if that was all. */
  private readonly pump = (): void => {
    const { intake, splitter, input, output } = this;
    if (intake === undefined || !this.reading) return;
    while (!intake.isFull && !output.writableNeedDrain) {
      const line = splitter.next();
      if (line === undefined) break;
      this.deliver(intake, line);
    }
    if (!splitter.isEmpty || output.writableNeedDrain) input.pause();
    else if (this.inputEnded) this.finishReading(intake);
    else if (input.isPaused()) input.resume();
  };

  private finishReading(intake: Intake): void {
    this.reading = false;
    const line = this.splitter.last();
    if (line !== undefined) this.deliver(intake, line);
    intake.ended();
  }

  private deliver(intake: Intake, line: Line): void {
    const exchange = ++this.exchanges;
    intake.deliver(typeof line === 'string' ? { exchange, text: line } : { exchange, text: '', fault: line.fault });
  }
}

function ignored(): void {}
