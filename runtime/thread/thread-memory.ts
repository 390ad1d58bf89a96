import { SERIALS_PER_THREAD } from '../kernel/pid.ts';

// The words of a thread's block.
const PROCESSES = 0;
const BEAT = 1;
const RUNNING_SLOT = 2;
const RUNNING_LOW = 3;
const RUNNING_HIGH = 6;
const OWN_MAX = 4;
const RESERVED_MAX = 5;
const RESTS = 7;
const IMPORTS = 8;
/** How many slots each thread has reserved whose process has not begun to run: at least so many, by their spawner. */
const WAITING = 16;
const WAITING_WORDS = 64;
const LIVE = WAITING + WAITING_WORDS;

const FREE = 0;
const TWO_32 = 2 ** 32;

const SPAWNER_BITS = 12;
const SPAWNERS = 2 ** SPAWNER_BITS;
const COUNTS = 2 ** (30 - SPAWNER_BITS);
/** Odd, so that it goes through all slots. */
const STRIDE = 7_919;

/** A serial as a word that is never 0. Slots are reused long before two serials that look alike. */
function mark(serial: number): number {
  if (serial < SERIALS_PER_THREAD) return (serial % 0x7fff_ffff) + 1;
  // Tells who has reserved the slot.
  return (spawnerOf(serial) % SPAWNERS) * COUNTS + (serial % COUNTS) + 1;
}

/** The word that counts the reservations of a thread. */
function waitingOf(spawner: number): number {
  return WAITING + (spawner % WAITING_WORDS);
}

function spawnerOf(serial: number): number {
  return Math.floor(serial / SERIALS_PER_THREAD) - 1;
}

/** The word of a process that has not begun to run: negative. */
function waitingMark(serial: number): number {
  return ~mark(serial);
}

function isMarkOf(spawner: number, word: number): boolean {
  return word < 0 && Math.floor((~word - 1) / COUNTS) === spawner % SPAWNERS;
}

/**
 * What one thread says of itself in memory that all threads of its system can read, also while it is stalled: which of
 * its processes live, how many, whether it is busy and with whom. It alone writes here, but for the slots that other
 * threads reserve for what they spawn on it.
 */
export class ThreadMemory {
  readonly memory: SharedArrayBuffer;
  /** How many slots it gives out itself; those from here on are reserved by other threads. */
  readonly ownMax: number;
  private readonly reservedMax: number;
  private readonly words: Int32Array;

  /** Pages that no slot has touched take no room. */
  static allocate(ownMax: number, reservedMax: number): SharedArrayBuffer {
    const memory = new SharedArrayBuffer(4 * (LIVE + ownMax + reservedMax));
    const words = new Int32Array(memory);
    words[OWN_MAX] = ownMax;
    words[RESERVED_MAX] = reservedMax;
    return memory;
  }

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.words = new Int32Array(memory);
    this.ownMax = this.words[OWN_MAX] as number;
    this.reservedMax = this.words[RESERVED_MAX] as number;
  }

  get processCount(): number {
    return Atomics.load(this.words, PROCESSES);
  }

  /** Odd while the scheduler runs processes; changes with every round. */
  get beat(): number {
    return Atomics.load(this.words, BEAT);
  }

  /** The process that is in its turn, of a thread that does not move. */
  get running(): { readonly slot: number; readonly serial: number } | undefined {
    if (this.beat % 2 === 0) return undefined;
    const low = (this.words[RUNNING_LOW] as number) >>> 0;
    const serial = (this.words[RUNNING_HIGH] as number) * TWO_32 + low;
    return { slot: this.words[RUNNING_SLOT] as number, serial };
  }

  isLive(slot: number, serial: number): boolean {
    const word = Atomics.load(this.words, LIVE + slot);
    return word === mark(serial) || word === waitingMark(serial);
  }

  /** A process of one of its own slots lives; one in a reserved slot does since it was spawned. */
  born(slot: number, serial: number): void {
    if (slot < this.ownMax) this.words[LIVE + slot] = mark(serial);
    this.words[PROCESSES] = (this.words[PROCESSES] as number) + 1;
  }

  /** Whoever is told of the death must find it here. The slot may have been taken by another since it was withdrawn. */
  died(slot: number, serial: number): void {
    if (!this.withdraw(slot, serial)) Atomics.compareExchange(this.words, LIVE + slot, mark(serial), FREE);
    this.words[PROCESSES] = (this.words[PROCESSES] as number) - 1;
  }

  /** Takes a slot for a process that another thread spawns here: it lives from now on. Undefined if all are taken. */
  reserve(serial: number): number | undefined {
    // Two serials that look alike do not begin at the same slot.
    const waiting = waitingOf(spawnerOf(serial));
    // First, and taken back last: whoever dies in between leaves a count that is too high, never one that is too low.
    Atomics.add(this.words, waiting, 1);
    const start = ((serial % COUNTS) + STRIDE * Math.floor((serial % SERIALS_PER_THREAD) / COUNTS)) % this.reservedMax;
    for (let i = 0; i < this.reservedMax; i++) {
      const slot = this.ownMax + ((start + i) % this.reservedMax);
      if (Atomics.compareExchange(this.words, LIVE + slot, FREE, waitingMark(serial)) === FREE) return slot;
    }
    Atomics.sub(this.words, waiting, 1);
    return undefined;
  }

  /** A process has its first turn; false if its spawn was taken back. */
  begins(slot: number, serial: number): boolean {
    return slot < this.ownMax || this.waitsNoMore(slot, serial, mark(serial));
  }

  /** Takes back a spawn; false if the process has begun to run, or has exited. */
  withdraw(slot: number, serial: number): boolean {
    return slot >= this.ownMax && this.waitsNoMore(slot, serial, FREE);
  }

  private waitsNoMore(slot: number, serial: number, word: number): boolean {
    const waiting = waitingMark(serial);
    if (Atomics.compareExchange(this.words, LIVE + slot, waiting, word) !== waiting) return false;
    Atomics.sub(this.words, waitingOf(spawnerOf(serial)), 1);
    return true;
  }

  /** The slots that a thread has reserved, and whose process has not begun to run. */
  *reservedBy(spawner: number): Iterable<number> {
    // As a rule there is none, and the slots are many.
    if (Atomics.load(this.words, waitingOf(spawner)) === 0) return;
    for (let slot = this.ownMax; slot < this.ownMax + this.reservedMax; slot++) {
      if (isMarkOf(spawner, this.words[LIVE + slot] as number)) yield slot;
    }
  }

  /** Whether another thread has a process here, or is about to. */
  get isReserved(): boolean {
    for (let slot = this.ownMax; slot < this.ownMax + this.reservedMax; slot++) {
      if (Atomics.load(this.words, LIVE + slot) !== FREE) return true;
    }
    return false;
  }

  /** A slot that the thread has reserved is not needed after all. */
  unreserve(slot: number, spawner: number): void {
    if (Atomics.exchange(this.words, LIVE + slot, FREE) < 0) Atomics.sub(this.words, waitingOf(spawner), 1);
  }

  /** Whether it is looked at rarely, until it begins a round. */
  get rests(): boolean {
    return Atomics.load(this.words, RESTS) === 1;
  }

  rest(): void {
    Atomics.store(this.words, RESTS, 1);
  }

  /** Whether it imports a module: code at the top of one may take long, and is no process that does not yield. */
  get imports(): boolean {
    return Atomics.load(this.words, IMPORTS) === 1;
  }

  /** A beat too, since what it did before is no longer what it does. */
  importing(is: boolean): void {
    Atomics.store(this.words, IMPORTS, is ? 1 : 0);
    this.words[BEAT] = (this.words[BEAT] as number) + 2;
  }

  /** True if it rested until now. */
  roundBegins(): boolean {
    this.words[BEAT] = ((this.words[BEAT] as number) + 1) | 1;
    if (this.words[RESTS] === 0) return false;
    this.words[RESTS] = 0;
    return true;
  }

  roundEnds(): void {
    this.words[BEAT] = ((this.words[BEAT] as number) | 1) + 1;
  }

  runs(slot: number, serial: number): void {
    this.words[RUNNING_SLOT] = slot;
    this.words[RUNNING_LOW] = serial | 0;
    this.words[RUNNING_HIGH] = serial / TWO_32;
  }
}
