import { BadArgError } from '../kernel/errors.ts';
import { NAME_LENGTH_MAX, NAMES_MAX } from '../limits.ts';
import type { SharedLock } from './shared-lock.ts';

/** Where a process is: what a name stands for. */
export interface Place {
  readonly thread: number;
  readonly slot: number;
  readonly serial: number;
}

// An entry: next in its bucket or free list, thread, slot, serial (low, high), length, bucket; then its characters.
const NEXT = 0;
const THREAD = 1;
const SLOT = 2;
const LOW = 3;
const HIGH = 4;
const LENGTH = 5;
const BUCKET = 6;
export const FIELDS = 7;
const NOBODY = -1;
const NONE = 0; // entries count from 1
const TWO_32 = 2 ** 32;

// The head of the table: the lock, the first free entry, how many entries were ever used.
const FREE = 1;
const USED = 2;
const HEAD = 4;

const BUCKETS = 16_384;

/**
 * The registered names of a system with several threads, in memory that all of them share: a name is taken, looked up
 * and freed at once, without a message, so that of two threads exactly one gets it, and so that it is free before
 * anybody hears of the death of its holder.
 */
export class NameTable {
  private readonly lock: SharedLock;
  private readonly head: Int32Array;
  private readonly buckets: Int32Array;
  private readonly fields: Int32Array;
  private readonly characters: Uint16Array;

  static allocate(): SharedArrayBuffer {
    // Pages that no name has touched take no room.
    const entries = NAMES_MAX + 1;
    return new SharedArrayBuffer(4 * (HEAD + BUCKETS + FIELDS * entries) + 2 * NAME_LENGTH_MAX * entries);
  }

  /** Where its lock is. */
  static lockWords(memory: SharedArrayBuffer): Int32Array {
    return new Int32Array(memory, 0, 1);
  }

  constructor(memory: SharedArrayBuffer, lock: SharedLock) {
    this.head = new Int32Array(memory, 0, HEAD);
    this.buckets = new Int32Array(memory, 4 * HEAD, BUCKETS);
    const fieldsAt = 4 * (HEAD + BUCKETS);
    this.fields = new Int32Array(memory, fieldsAt, FIELDS * (NAMES_MAX + 1));
    this.characters = new Uint16Array(memory, fieldsAt + this.fields.byteLength);
    this.lock = lock;
  }

  /** Undefined if the process has the name now, else who has it. `BadArgError` if it is too long or no room is left. */
  claim(name: string, place: Place): Place | undefined {
    if (name.length > NAME_LENGTH_MAX) {
      throw new BadArgError(`a name has at most ${NAME_LENGTH_MAX} characters, this one has ${name.length}`);
    }
    const bucket = bucketOf(name);
    this.lock.acquire();
    try {
      const holder = this.find(name, bucket);
      if (holder !== NONE) return this.placeAt(holder);
      const entry = this.newEntry();
      if (entry === NONE) throw new BadArgError(`no room for another name: a system of threads has ${NAMES_MAX}`);
      this.write(entry, name, place);
      this.fields[entry * FIELDS + BUCKET] = bucket;
      this.fields[entry * FIELDS + NEXT] = this.buckets[bucket] as number;
      this.buckets[bucket] = entry;
      return undefined;
    } finally {
      this.lock.release();
    }
  }

  holder(name: string): Place | undefined {
    if (name.length > NAME_LENGTH_MAX) return undefined;
    const bucket = bucketOf(name);
    if (Atomics.load(this.buckets, bucket) === NONE) return undefined;
    this.lock.acquire();
    try {
      const entry = this.find(name, bucket);
      return entry === NONE ? undefined : this.placeAt(entry);
    } finally {
      this.lock.release();
    }
  }

  /** Frees the name if that process has it. */
  release(name: string, { thread, serial }: Place): void {
    const bucket = bucketOf(name);
    this.lock.acquire();
    try {
      const entry = this.find(name, bucket);
      if (entry === NONE) return;
      const at = this.placeAt(entry);
      if (at.thread === thread && at.serial === serial) this.remove(entry, bucket);
    } finally {
      this.lock.release();
    }
  }

  /** Frees all names of a thread that has died, or of one slot there. */
  releaseAll(thread: number, slot?: number): void {
    this.lock.acquire();
    try {
      const used = this.head[USED] as number;
      for (let entry = 1; entry <= used; entry++) {
        const at = entry * FIELDS;
        if (this.fields[at + THREAD] !== thread || (slot !== undefined && this.fields[at + SLOT] !== slot)) continue;
        this.remove(entry, this.fields[at + BUCKET] as number);
      }
    } finally {
      this.lock.release();
    }
  }

  private find(name: string, bucket: number): number {
    let entry = this.buckets[bucket] as number;
    while (entry !== NONE && !this.isNamed(entry, name)) entry = this.fields[entry * FIELDS + NEXT] as number;
    return entry;
  }

  private isNamed(entry: number, name: string): boolean {
    if (this.fields[entry * FIELDS + LENGTH] !== name.length) return false;
    const from = entry * NAME_LENGTH_MAX;
    for (let i = 0; i < name.length; i++) if (this.characters[from + i] !== name.charCodeAt(i)) return false;
    return true;
  }

  private placeAt(entry: number): Place {
    const at = entry * FIELDS;
    const low = (this.fields[at + LOW] as number) >>> 0;
    return {
      thread: this.fields[at + THREAD] as number,
      slot: this.fields[at + SLOT] as number,
      serial: (this.fields[at + HIGH] as number) * TWO_32 + low,
    };
  }

  private write(entry: number, name: string, { thread, slot, serial }: Place): void {
    const at = entry * FIELDS;
    this.fields[at + THREAD] = thread;
    this.fields[at + SLOT] = slot;
    this.fields[at + LOW] = serial | 0;
    this.fields[at + HIGH] = Math.floor(serial / TWO_32);
    this.fields[at + LENGTH] = name.length;
    const from = entry * NAME_LENGTH_MAX;
    for (let i = 0; i < name.length; i++) this.characters[from + i] = name.charCodeAt(i);
  }

  private newEntry(): number {
    const free = this.head[FREE] as number;
    if (free !== NONE) {
      this.head[FREE] = this.fields[free * FIELDS + NEXT] as number;
      return free;
    }
    const used = this.head[USED] as number;
    if (used === NAMES_MAX) return NONE;
    this.head[USED] = used + 1;
    return used + 1;
  }

  private remove(entry: number, bucket: number): void {
    const next = this.fields[entry * FIELDS + NEXT] as number;
    let before = this.buckets[bucket] as number;
    if (before === entry) this.buckets[bucket] = next;
    else {
      while (this.fields[before * FIELDS + NEXT] !== entry) before = this.fields[before * FIELDS + NEXT] as number;
      this.fields[before * FIELDS + NEXT] = next;
    }
    this.fields[entry * FIELDS + THREAD] = NOBODY;
    this.fields[entry * FIELDS + NEXT] = this.head[FREE] as number;
    this.head[FREE] = entry;
  }
}

/** FNV-1a over the characters. */
function bucketOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return (hash ^ (hash >>> 15)) & (BUCKETS - 1);
}
