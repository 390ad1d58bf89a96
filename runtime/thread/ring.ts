/**
 * A ring of bytes in shared memory with one writer and one reader. Records are published whole: the bytes first, then
 * the place where the writer is. Nobody waits here; who is to be woken is said by two flags.
 */

import { constants } from 'node:buffer';

// Numbers of the header, each in a cache line of its own.
const WRITTEN = 0;
const READ = 16;
/** The reader sleeps and wants a bell. */
const SLEEP = 32;
/** The writer waits for room and wants a bell. */
const FULL = 48;
/** Bytes taken of what crossed beside the ring. */
const TAKEN = 64;
const HEADER_BYTES = 512;
const RECORD_HEADER_BYTES = 8;
const SMALLEST_RING_BYTES = 4_096;

export function createRing(bytes: number): SharedArrayBuffer {
  if (!Number.isInteger(Math.log2(bytes)) || bytes < SMALLEST_RING_BYTES || bytes > constants.MAX_LENGTH / 2) {
    throw new RangeError(`a ring has a power of two of bytes, at least ${SMALLEST_RING_BYTES}, not ${bytes}`);
  }
  return new SharedArrayBuffer(HEADER_BYTES + bytes);
}

/** Positions count all bytes ever written, modulo 2^32. */
function distance(from: number, to: number): number {
  return (to - from) >>> 0;
}

const padded = (length: number): number => (length + 7) & ~7;

abstract class Ring {
  readonly capacity: number;
  protected readonly header: Int32Array;
  protected readonly words: Uint32Array;
  protected readonly bytes: Uint8Array;

  constructor(memory: SharedArrayBuffer) {
    this.header = new Int32Array(memory, 0, HEADER_BYTES / 4);
    this.words = new Uint32Array(memory, HEADER_BYTES);
    this.bytes = new Uint8Array(memory, HEADER_BYTES);
    this.capacity = this.bytes.length;
  }

  /** Takes a flag down; says whether it was up. Whoever takes it down must do what it asks for. */
  protected takeDown(flag: number): boolean {
    return Atomics.load(this.header, flag) === 1 && Atomics.compareExchange(this.header, flag, 1, 0) === 1;
  }
}

export class RingWriter extends Ring {
  private at: number;
  /** Bytes sent beside the ring. */
  private sent: number;

  constructor(memory: SharedArrayBuffer) {
    super(memory);
    this.at = Atomics.load(this.header, WRITTEN) >>> 0;
    this.sent = Atomics.load(this.header, TAKEN) >>> 0;
  }

  /** False if there is no room now. */
  write(bytes: Uint8Array, flags: number): boolean {
    const { length } = bytes;
    const need = RECORD_HEADER_BYTES + padded(length);
    if (need > this.capacity - this.used()) return false;
    const mask = this.capacity - 1;
    let offset = this.at & mask;
    this.words[offset >>> 2] = length;
    this.words[(offset >>> 2) + 1] = flags;
    offset = (offset + RECORD_HEADER_BYTES) & mask;
    const tail = this.capacity - offset;
    if (length <= tail) {
      this.bytes.set(bytes, offset);
    } else {
      this.bytes.set(bytes.subarray(0, tail), offset);
      this.bytes.set(bytes.subarray(tail), 0);
    }
    this.at = (this.at + need) >>> 0;
    Atomics.store(this.header, WRITTEN, this.at | 0);
    return true;
  }

  /** Whether a record without bytes fits. */
  hasRoom(): boolean {
    return RECORD_HEADER_BYTES <= this.capacity - this.used();
  }

  private used(): number {
    return distance(Atomics.load(this.header, READ) >>> 0, this.at);
  }

  /** Bytes beside the ring that the reader has not yet taken. */
  outside(): number {
    return distance(Atomics.load(this.header, TAKEN) >>> 0, this.sent);
  }

  sendOutside(bytes: number): void {
    this.sent = (this.sent + bytes) >>> 0;
  }

  /** Asks for a bell when there is room. Look for room once more after it. */
  wantRoom(): void {
    Atomics.store(this.header, FULL, 1);
  }

  noLongerWantRoom(): void {
    Atomics.store(this.header, FULL, 0);
  }

  /** True once for each time that the reader went to sleep: ring the bell. */
  mustRing(): boolean {
    return this.takeDown(SLEEP);
  }
}

export class RingReader extends Ring {
  /** The bytes of the record last read are its first `length` ones. They are a copy, and good until the next `read`. */
  record: Buffer = Buffer.allocUnsafeSlow(1_024);
  length = 0;
  flags = 0;
  private at: number;

  constructor(memory: SharedArrayBuffer) {
    super(memory);
    this.at = Atomics.load(this.header, READ) >>> 0;
  }

  isEmpty(): boolean {
    return Atomics.load(this.header, WRITTEN) >>> 0 === this.at;
  }

  /** Takes the next record out of the ring. False if there is none. */
  read(): boolean {
    if (this.isEmpty()) return false;
    const mask = this.capacity - 1;
    let offset = this.at & mask;
    const length = this.words[offset >>> 2]!;
    this.flags = this.words[(offset >>> 2) + 1]!;
    this.length = length;
    if (this.record.length < length) this.record = Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(length)));
    offset = (offset + RECORD_HEADER_BYTES) & mask;
    const tail = this.capacity - offset;
    if (length <= tail) {
      this.record.set(this.bytes.subarray(offset, offset + length), 0);
    } else {
      this.record.set(this.bytes.subarray(offset), 0);
      this.record.set(this.bytes.subarray(0, length - tail), tail);
    }
    this.at = (this.at + RECORD_HEADER_BYTES + padded(length)) >>> 0;
    Atomics.store(this.header, READ, this.at | 0);
    return true;
  }

  takeOutside(bytes: number): void {
    Atomics.store(this.header, TAKEN, (Atomics.load(this.header, TAKEN) + bytes) | 0);
  }

  /** True if a waiting writer has room now: ring its bell. */
  mustRing(): boolean {
    if (Atomics.load(this.header, FULL) === 0) return false;
    const used = distance(this.at, Atomics.load(this.header, WRITTEN) >>> 0);
    return used <= this.capacity / 2 && this.takeDown(FULL);
  }

  /** Asks for a bell when there is something. False if there already is: then go on reading. */
  sleep(): boolean {
    Atomics.store(this.header, SLEEP, 1);
    // Else a bell is on its way, or will be.
    return this.isEmpty() || !this.takeDown(SLEEP);
  }
}
