import type { ExitReason } from '../runtime/index.ts';
import { TRANSPORT_LIMITS, type TransportLimits } from './limits.ts';
import type { Intake, Peer, SlowReader } from './peer.ts';
import { serialise } from './serialise.ts';
import type { ConnectionInfo, Outbound } from './transport.ts';

/** A client in memory sends faster than the server takes: as many messages wait as exchanges may be open. */
export class MemoryQueueError extends Error {
  override readonly name = 'MemoryQueueError';
  readonly code = 'ERR_MEMORY_QUEUE';
}

interface Queued {
  readonly text: string;
  readonly bytes: number;
}

/**
 * Both ends of a connection in memory. Messages cross it as JSON text, so that neither side sees the other's objects
 * and what works here works on a wire.
 */
export class MemoryLink implements Peer {
  readonly info: ConnectionInfo = { transport: 'memory', kind: 'stream' };
  readonly closed: Promise<ExitReason>;
  private resolveClosed!: (reason: ExitReason) => void;
  private limits: TransportLimits = TRANSPORT_LIMITS;
  private intake: Intake | undefined;
  private exchanges = 0;
  private sending = true;
  private reading = true;
  private waiting: string[] = [];
  private isClosed = false;
  private queue: Queued[] = [];
  private queuedBytes = 0;
  private readers: ((result: IteratorResult<object>) => void)[] = [];

  constructor() {
    this.closed = new Promise((resolve) => {
      this.resolveClosed = resolve;
    });
  }

  /** The server side takes the link under its own bounds. */
  bind(limits: TransportLimits): this {
    this.limits = limits;
    return this;
  }

  // ---- the client's end

  sendText(text: string): boolean {
    if (!this.sending) return false;
    if (this.waiting.length >= this.limits.openExchangesMax) {
      throw new MemoryQueueError(`${this.waiting.length} messages wait already; read answers before you send more`);
    }
    this.waiting.push(text);
    this.pump();
    return true;
  }

  endSending(): void {
    if (!this.sending) return;
    this.sending = false;
    this.pump();
  }

  leave(): void {
    this.sending = false;
    this.waiting = [];
    this.intake?.closed();
  }

  read(): Promise<IteratorResult<object>> {
    const first = this.queue.shift();
    if (first !== undefined) {
      this.queuedBytes -= first.bytes;
      return Promise.resolve({ done: false, value: JSON.parse(first.text) as object });
    }
    if (this.isClosed) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => this.readers.push(resolve));
  }

  // ---- the server's end

  open(intake: Intake): void {
    this.intake = intake;
    this.pump();
  }

  send({ message, end }: Outbound): SlowReader | undefined {
    const slow = message === undefined ? undefined : this.enqueue(serialise(message));
    if (end) this.pump();
    return slow;
  }

  stopReading(): void {
    this.reading = false;
    this.sending = false;
    this.waiting = [];
  }

  end(): void {
    this.intake?.closed();
  }

  close(reason: ExitReason): void {
    if (this.isClosed) return;
    this.stopReading();
    this.isClosed = true;
    for (const reader of this.readers.splice(0)) reader({ done: true, value: undefined });
    this.resolveClosed(reason);
  }

  private enqueue(text: string): SlowReader | undefined {
    const reader = this.readers.shift();
    if (reader !== undefined) {
      reader({ done: false, value: JSON.parse(text) as object });
      return undefined;
    }
    const limitBytes = this.limits.queuedBytesMax;
    if (this.queuedBytes > limitBytes) return { slow_reader: { queuedBytes: this.queuedBytes, limitBytes } };
    const bytes = Buffer.byteLength(text);
    this.queuedBytes += bytes;
    this.queue.push({ text, bytes });
    return undefined;
  }

  /** Delivers what waits, as far as exchanges may be opened. */
  private pump(): void {
    const { intake } = this;
    if (intake === undefined || !this.reading) return;
    while (!intake.isFull) {
      const text = this.waiting.shift();
      if (text === undefined) {
        if (!this.sending) this.finishReading(intake);
        return;
      }
      const fits = Buffer.byteLength(text) <= this.limits.messageBytesMax;
      const exchange = ++this.exchanges;
      intake.deliver(fits ? { exchange, text } : { exchange, text: '', fault: 'message_too_long' });
    }
  }

  private finishReading(intake: Intake): void {
    this.reading = false;
    intake.ended();
  }
}
