import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { systemClock } from '../clock.ts';
import { CHANNEL_FRAMES_PER_LOOP, CHANNEL_LOOP_MS, CHANNEL_SPIN_US } from '../limits.ts';
import { BELL, type ChannelEnd, FRESH, OUTSIDE, type Outside, outsideBytes, SEQUENCE_SHIFT } from './channel.ts';
import { Decoder } from './codec.ts';
import type { CrossingRules } from './crossing.ts';
import { RingReader } from './ring.ts';

export interface ChannelReaderOptions {
  /** A frame was lost: it could not be rebuilt here, or a batch beside the ring never came. */
  readonly onLost: (error: unknown) => void;
  /** How long it looks for more after the last frame before it sleeps, in microseconds. 0: not at all. Default 50. */
  readonly spinUs?: number;
  /** Milliseconds. Default: the clock of the system. */
  readonly now?: () => number;
}

const none: ReadonlyMap<number, ArrayBufferLike> = new Map();
/** Frames of a batch between two looks at the clock. */
const CLOCK_CHECK_FRAMES = 64;
/** So many short pauses may be needed for another try, after spinning was in vain again and again. */
const SHORT_PAUSES_MAX = 1_024;

/** The reading end of a channel. */
export class ChannelReader {
  spinUs: number;
  /** The frames that were decoded and not yet handed over, from `next` on. */
  private batch: unknown[][] = [];
  private next = 0;
  private wake: NodeJS.Immediate | undefined;
  /** When the last frame was handed over. */
  private quietSince = 0;
  private spins = false;
  /** Short pauses since it last spun, and how many it takes to spin again. */
  private shortPauses = 0;
  private needed = 1;
  private isClosed = false;
  /** The records of the decoder are not those of the encoder. */
  private isBroken = false;
  /** Batches beside the ring that came before their place in it. */
  private readonly outside = new Map<number, Outside>();
  private readonly ring: RingReader;
  private readonly port: MessagePort;
  private readonly decoder: Decoder;
  private readonly onFrame: (frame: unknown[]) => void;
  private readonly onLost: (error: unknown) => void;
  private readonly now: () => number;

  constructor(
    { memory, port }: ChannelEnd,
    rules: CrossingRules,
    onFrame: (frame: unknown[]) => void,
    { onLost, spinUs = CHANNEL_SPIN_US, now = systemClock.now }: ChannelReaderOptions,
  ) {
    this.ring = new RingReader(memory);
    this.port = port;
    this.decoder = new Decoder(rules);
    this.onFrame = onFrame;
    this.onLost = onLost;
    this.spinUs = spinUs;
    this.now = now;
    port.on('message', (message: typeof BELL | Outside) => {
      if (message !== BELL) this.outside.set(message.sequence, message);
      else if (this.wake === undefined) this.run();
    });
    // The writer is gone, perhaps with a bell that it did not ring.
    port.on('close', () => this.schedule());
    this.schedule();
  }

  /** The channel keeps the thread alive; as it does from the start. */
  ref(): void {
    this.port.ref();
  }

  unref(): void {
    this.port.unref();
  }

  /**
   * Hands over all that has been written up to now, whatever the time. For the end of the writer's thread: what it
   * wrote completely is here. Returns the number of frames.
   */
  poll(): number {
    if (this.isClosed) return 0;
    return this.handOver(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
  }

  /** What has not been handed over is dropped. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    clearImmediate(this.wake);
    this.port.close();
  }

  private schedule(): void {
    if (this.isClosed || this.wake !== undefined) return;
    this.wake = setImmediate(() => {
      this.wake = undefined;
      this.run();
    });
  }

  /** One round: hands over, then comes again soon, or sleeps. */
  private run(): void {
    if (this.isClosed) return;
    const start = this.now();
    let count = 0;
    let isDone = false;
    try {
      count = this.handOver(CHANNEL_FRAMES_PER_LOOP, start + CHANNEL_LOOP_MS);
      isDone = true;
    } finally {
      // What the host's handler throws is for the host; the frames after that one come in the next round.
      if (!isDone) this.schedule();
    }
    if (count > 0) this.learnPause(start);
    if (this.hasMore() || this.isSpinning(start) || !this.ring.sleep()) this.schedule();
  }

  private hasMore(): boolean {
    return this.next < this.batch.length || !this.ring.isEmpty();
  }

  /** Whether spinning pays is seen from how pauses end; `end` is when this one did. */
  private learnPause(end: number): void {
    const pauseUs = (end - this.quietSince) * 1_000;
    if (this.spins) {
      // Found while spinning.
      this.needed = Math.max(1, this.needed >> 1);
    } else if (pauseUs <= 2 * this.spinUs && ++this.shortPauses >= this.needed) {
      this.spins = true;
    }
    this.quietSince = this.now();
  }

  private isSpinning(now: number): boolean {
    if (!this.spins) return false;
    if ((now - this.quietSince) * 1_000 < this.spinUs) return true;
    // In vain: the traffic is over, or the writer has no core to itself while this thread spins.
    this.spins = false;
    this.shortPauses = 0;
    this.needed = Math.min(this.needed * 2, SHORT_PAUSES_MAX);
    return false;
  }

  private handOver(maxFrames: number, until: number): number {
    let count = 0;
    do {
      while (this.next < this.batch.length) {
        const frame = this.batch[this.next++]!;
        count++;
        this.onFrame(frame);
        if (this.isClosed) return count;
        if (count % CLOCK_CHECK_FRAMES === 0 && (count >= maxFrames || this.now() >= until)) return count;
      }
    } while (count < maxFrames && !this.ring.isEmpty() && (count === 0 || this.now() < until) && this.readBatch());
    return count;
  }

  /** Decodes the next batch. False if there is none. */
  private readBatch(): boolean {
    const { ring } = this;
    if (!ring.read()) return false;
    const { flags } = ring;
    const outside = (flags & OUTSIDE) === 0 ? undefined : this.takeOutside(flags >>> SEQUENCE_SHIFT);
    if (outside !== undefined) ring.takeOutside(outsideBytes(outside.bytes, outside.parts));
    if (ring.mustRing()) this.port.postMessage(BELL);
    this.next = 0;
    this.batch = this.decode(flags, outside);
    return true;
  }

  private decode(flags: number, outside: Outside | undefined): unknown[][] {
    const { decoder, ring, onLost } = this;
    if ((flags & FRESH) !== 0) {
      decoder.reset();
      this.isBroken = false;
    }
    try {
      if (this.isBroken) throw new Error('a batch follows one that could not be read');
      if ((flags & OUTSIDE) === 0) return decoder.decode(ring.record, ring.length, none, onLost);
      if (outside === undefined) throw new Error('a batch that was sent beside the ring did not arrive');
      const { buffer, byteOffset, length } = outside.bytes;
      const parts = new Map(outside.parts.map(({ number, buffer: part }) => [number, part]));
      return decoder.decode(Buffer.from(buffer, byteOffset, length), length, parts, onLost);
    } catch (error) {
      // Its records are missing from now on.
      this.isBroken = true;
      onLost(error);
      return [];
    }
  }

  /** It was posted before its place in the ring was written, so it is here. */
  private takeOutside(sequence: number): Outside | undefined {
    for (;;) {
      const found = this.outside.get(sequence);
      if (found !== undefined) {
        this.outside.delete(sequence);
        return found;
      }
      const received = receiveMessageOnPort(this.port) as { readonly message: typeof BELL | Outside } | undefined;
      if (received === undefined) return undefined;
      if (received.message === BELL) this.schedule();
      else this.outside.set(received.message.sequence, received.message);
    }
  }
}
