import type { MessagePort } from 'node:worker_threads';
import {
  CHANNEL_BATCH_BYTES,
  CHANNEL_BATCH_FRAMES,
  CHANNEL_BELL_BYTES,
  CHANNEL_HIGH_WATER_BYTES,
  CHANNEL_LOW_WATER_BYTES,
  CHANNEL_OUTSIDE_BYTES_MAX,
  CHANNEL_PENDING_BYTES_MAX,
} from '../limits.ts';
import {
  BELL,
  ChannelClosedError,
  type ChannelEnd,
  ChannelFullError,
  FRESH,
  type Frame,
  OUTSIDE,
  type Outside,
  outsideBytes,
  SEQUENCE_SHIFT,
  SEQUENCES,
} from './channel.ts';
import { Encoder, IllFormedKeyError } from './codec.ts';
import { Crossing, type CrossingRules, type Part } from './crossing.ts';
import { RingWriter } from './ring.ts';

export interface ChannelWriterOptions {
  /** A frame that was sent can not be encoded after all: a getter threw, or it has changed since. */
  readonly onRefused: (frame: Frame, error: unknown) => void;
  /** After `send` returned false: the senders may go on. */
  readonly onDrain?: () => void;
  /**
   * When what was sent leaves: `'turn'` (default), at the end of each turn. `'round'`: at the end of the turn as well,
   * unless something has left in this round of the event loop or at the end of the one before; then once the sockets
   * and timers of the round have been served. Who waits for one answer does not wait for them, and what they send
   * together wakes the reader once.
   */
  readonly leaves?: 'turn' | 'round';
  /** `send` returns false from here on. Default `CHANNEL_HIGH_WATER_BYTES`. */
  readonly highWaterBytes?: number;
  /** `onDrain` is called from here down. Default `CHANNEL_LOW_WATER_BYTES`. */
  readonly lowWaterBytes?: number;
  /** `send` throws from here on. Default `CHANNEL_PENDING_BYTES_MAX`. */
  readonly maxPendingBytes?: number;
}

/** A frame as it was sent, and the buffers that cross beside it. */
interface Changed {
  readonly original: Frame;
  readonly parts: readonly Part[];
}

/** An encoded batch for which there is no room yet. */
interface Waiting {
  readonly bytes: Uint8Array;
  readonly flags: number;
  readonly parts: readonly Part[];
  readonly frames: number;
  readonly size: number;
}

/** What a frame takes beside its values, as it is counted. */
const FRAME_BYTES = 32;
const noParts: readonly Part[] = [];
/** A marker of a batch outside has no bytes. */
const nothing = new Uint8Array(0);

/** The writing end of a channel. It never waits: what does not fit into the ring stays here, in order and bounded. */
export class ChannelWriter {
  /** Bytes that wait here: of frames as they were counted, of batches as they are. */
  private pending = 0;
  private batch: Frame[] = [];
  private batchBytes = 0;
  private batchInside = 0;
  /** The frames of the batch that were changed to be encoded. */
  private changed = new Map<Frame, Changed>();
  private waiting: Waiting[] = [];
  private sequence = 0;
  /** The flag that asks for room is up, or the bell for it on its way. */
  private wantsRoom = false;
  private isArmed = false;
  /** Something has left, and what follows waits until the sockets and timers of this round have been served. */
  private isRoundOpen = false;
  /** Bytes that were written since the reader was last woken if it slept. */
  private unannounced = 0;
  private isSuspending = false;
  private isClosed = false;
  private readonly ring: RingWriter;
  private readonly port: MessagePort;
  private readonly crossing: Crossing;
  private readonly encoder: Encoder;
  private readonly options: Required<Omit<ChannelWriterOptions, 'onDrain'>> & Pick<ChannelWriterOptions, 'onDrain'>;

  constructor({ memory, port }: ChannelEnd, rules: CrossingRules, options: ChannelWriterOptions) {
    this.ring = new RingWriter(memory);
    this.port = port;
    this.crossing = new Crossing(rules);
    this.encoder = new Encoder(rules);
    this.options = {
      leaves: 'turn',
      highWaterBytes: CHANNEL_HIGH_WATER_BYTES,
      lowWaterBytes: CHANNEL_LOW_WATER_BYTES,
      maxPendingBytes: CHANNEL_PENDING_BYTES_MAX,
      ...options,
    };
    port.on('message', () => {
      if (this.isClosed) return;
      this.wantsRoom = false;
      this.writeWaiting();
      this.tellDrain();
    });
    port.unref();
  }

  /** Bytes that wait for the reader to make room, or for the end of the turn. */
  get pendingBytes(): number {
    return this.pending;
  }

  /**
   * Appends to the batch that is written at the end of the turn. False if so much waits that the sender should wait
   * for `onDrain`; the frame was taken all the same.
   *
   * Throws `NotTransferableError`, and `ChannelFullError` unless `force`: then nothing was sent.
   */
  send(frame: Frame, force = false): boolean {
    if (this.isClosed) throw new ChannelClosedError('the channel to that thread is closed');
    const { highWaterBytes, maxPendingBytes } = this.options;
    if (!force && this.pending >= maxPendingBytes) {
      throw new ChannelFullError(`${this.pending} bytes wait for that thread, which does not take them: send less`);
    }
    const { crossing } = this;
    const checked = crossing.check(frame);
    if (checked !== frame) this.changed.set(checked, { original: frame, parts: crossing.parts });
    const bytes = FRAME_BYTES + crossing.bytes;
    this.batch.push(checked);
    this.batchBytes += bytes;
    this.pending += bytes;
    // Buffers that cross beside the ring do not count for what is to fit into it.
    this.batchInside += bytes - (crossing.parts.length === 0 ? 0 : outsideBytes(nothing, crossing.parts));
    const isFull =
      this.batch.length >= CHANNEL_BATCH_FRAMES ||
      this.batchInside >= this.ring.capacity / 16 ||
      this.batchBytes >= CHANNEL_BATCH_BYTES;
    if (isFull) this.writeFull();
    if (!this.isArmed) this.arm();
    if (this.pending < highWaterBytes) return true;
    this.isSuspending = true;
    return false;
  }

  private arm(): void {
    this.isArmed = true;
    if (!this.isRoundOpen) queueMicrotask(this.flushArmed);
  }

  private readonly flushArmed = (): void => {
    this.isArmed = false;
    if (this.isClosed) return;
    this.flush();
    if (this.options.leaves === 'turn') return;
    // Not before: somebody may wait for what has just left.
    this.isRoundOpen = true;
    setImmediate(this.endRound);
  };

  private readonly endRound = (): void => {
    this.isRoundOpen = false;
    if (this.isArmed) this.flushArmed();
  };

  /** Writes what was sent up to now. */
  flush(): void {
    this.writeBatch();
    this.ringBell();
    this.tellDrain();
  }

  /** Within a turn that sends much: a bell for each batch would cost more than the batch. */
  private writeFull(): void {
    this.writeBatch();
    if (this.unannounced >= CHANNEL_BELL_BYTES) this.ringBell();
  }

  private writeBatch(): void {
    const { batch, changed, batchBytes } = this;
    if (batch.length === 0) return;
    this.batch = [];
    this.batchBytes = 0;
    this.batchInside = 0;
    this.pending -= batchBytes;
    if (changed.size > 0) this.changed = new Map();
    const bytes = this.encode(batch);
    if (bytes === undefined) this.putOneByOne(batch, changed);
    else
      this.put(bytes, changed.size === 0 ? noParts : [...changed.values()].flatMap(({ parts }) => parts), batch.length);
  }

  /** Undefined if a frame of the batch can not be encoded. */
  private encode(batch: readonly Frame[]): Uint8Array | undefined {
    const { encoder } = this;
    try {
      return encoder.encode(batch, false);
    } catch (error) {
      if (!(error instanceof IllFormedKeyError)) return undefined; // found again, and reported, one by one
    }
    try {
      return encoder.encode(encoder.escapeKeys(batch), true);
    } catch {
      return undefined; // found again, and reported, one by one
    }
  }

  private putOneByOne(batch: readonly Frame[], changed: ReadonlyMap<Frame, Changed>): void {
    const refused: (readonly [Frame, unknown])[] = [];
    for (const frame of batch) {
      const { original, parts } = changed.get(frame) ?? { original: frame, parts: noParts };
      try {
        const bytes = this.encoder.encode(this.encoder.escapeKeys([frame]), true);
        this.put(bytes, parts, 1);
      } catch (error) {
        refused.push([original, error]);
      }
    }
    for (const [frame, error] of refused) this.options.onRefused(frame, error);
  }

  /** Into the ring, or behind what waits for it. */
  private put(bytes: Uint8Array, parts: readonly Part[], frames: number): void {
    const flags = this.encoder.takeFresh() ? FRESH : 0;
    if (this.waiting.length === 0 && this.offer(bytes, flags, parts)) return;
    const size = outsideBytes(bytes, parts);
    this.pending += size;
    // A copy, since the encoder uses its bytes again.
    this.waiting.push({ bytes: new Uint8Array(bytes), flags, parts, frames, size });
    if (this.waiting.length > 1) return;
    this.ringBell();
    this.writeWaiting();
  }

  /** False if there is no room now. */
  private offer(bytes: Uint8Array, flags: number, parts: readonly Part[]): boolean {
    const { ring } = this;
    const size = outsideBytes(bytes, parts);
    this.unannounced += size;
    if (parts.length === 0 && bytes.length <= ring.capacity / 8) return ring.write(bytes, flags);
    const onTheWay = ring.outside();
    if ((onTheWay > 0 && onTheWay + size > CHANNEL_OUTSIDE_BYTES_MAX) || !ring.hasRoom()) return false;
    const { sequence } = this;
    // What waited is a copy already.
    const copy = Buffer.isBuffer(bytes) ? new Uint8Array(bytes) : bytes;
    const outside: Outside = { sequence, bytes: copy, parts };
    const buffers = parts.map(({ buffer }) => buffer).filter((buffer) => buffer instanceof ArrayBuffer);
    // First the batch, then its place in the ring: who sees the place can take the batch.
    this.port.postMessage(outside, [copy.buffer as ArrayBuffer, ...buffers]);
    this.sequence = (sequence + 1) % SEQUENCES;
    ring.sendOutside(size);
    return ring.write(nothing, flags | OUTSIDE | (sequence << SEQUENCE_SHIFT));
  }

  /** There is room, perhaps. */
  private writeWaiting(): void {
    const { waiting, ring } = this;
    let written = 0;
    while (written < waiting.length) {
      const { bytes, flags, parts, size } = waiting[written]!;
      if (this.offer(bytes, flags, parts)) {
        this.pending -= size;
        written++;
      } else if (this.wantsRoom) {
        break;
      } else {
        // Room that was made before the flag went up is announced to nobody: look once more.
        this.wantsRoom = true;
        ring.wantRoom();
      }
    }
    waiting.splice(0, written);
    if (waiting.length > 0) this.port.ref();
    else this.port.unref();
    this.ringBell();
  }

  /** Never within `send`, which may be about to say that its caller should wait. */
  private tellDrain(): void {
    if (!this.isSuspending || this.pending > this.options.lowWaterBytes) return;
    this.isSuspending = false;
    this.options.onDrain?.();
  }

  private ringBell(): void {
    if (this.unannounced === 0) return;
    this.unannounced = 0;
    if (this.ring.mustRing()) this.port.postMessage(BELL);
  }

  /** Closes the channel, after what the ring takes at once. Returns how many frames were not written. */
  close(): number {
    if (this.isClosed) return 0;
    this.flush();
    this.isClosed = true;
    this.isSuspending = false;
    const lost = this.waiting.reduce((sum, { frames }) => sum + frames, 0);
    this.waiting = [];
    this.pending = 0;
    this.port.close();
    return lost;
  }
}
