import { SystemLimitError } from '../kernel/errors.ts';
import { THREADS_MAX } from '../limits.ts';
import { NameTable } from './name-table.ts';
import { SharedLock } from './shared-lock.ts';

// The words of the control block; then one per thread, whether it is dead.
const NEXT_THREAD = 0;
const NUMBERS = 2; // and 3: a number of 64 bits
const DEAD = 16;

/** What crosses when a thread joins a system. */
export interface SharedMemory {
  readonly control: SharedArrayBuffer;
  readonly names: SharedArrayBuffer;
}

/** What all threads of a system share, beside what each says of itself in its own block (`thread-memory.ts`). */
export class SystemMemory {
  readonly shared: SharedMemory;
  readonly names: NameTable;
  private readonly control: Int32Array;
  private readonly numbers: BigInt64Array;
  private readonly dead: Int32Array;
  private readonly nameLock: SharedLock;

  static allocate(): SharedMemory {
    const control = new SharedArrayBuffer(4 * (DEAD + THREADS_MAX));
    new Int32Array(control)[NEXT_THREAD] = 1; // 0 is the thread that starts the system
    return { control, names: NameTable.allocate() };
  }

  constructor(shared: SharedMemory, thread: number) {
    this.shared = shared;
    this.control = new Int32Array(shared.control);
    this.numbers = new BigInt64Array(shared.control, 4 * NUMBERS, 1);
    this.dead = new Int32Array(shared.control, 4 * DEAD);
    this.nameLock = new SharedLock(NameTable.lockWords(shared.names), 0, this.dead, thread);
    this.names = new NameTable(shared.names, this.nameLock);
  }

  newThread(): number {
    const thread = Atomics.add(this.control, NEXT_THREAD, 1);
    if (thread < THREADS_MAX) return thread;
    throw new SystemLimitError(`this system has started ${THREADS_MAX} threads, and starts no more`);
  }

  /** Greater than all that were taken before, on whatever thread: puts what happens on several in order. */
  nextNumber(): number {
    return Number(Atomics.add(this.numbers, 0, 1n));
  }

  isDead(thread: number): boolean {
    return Atomics.load(this.dead, thread) === 1;
  }

  /** To be called before a thread is terminated, and when one has `ended` by itself. */
  markDead(thread: number, ended: boolean): void {
    this.nameLock.markDead(thread, ended);
  }
}
