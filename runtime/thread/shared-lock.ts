/** Whose turn it is to change memory that threads share, when a thread may be terminated at any instruction. */

const OPEN = 0;
const WAIT_MS = 1;

/**
 * A lock that outlives its holders. Whoever terminates a thread does so with `markDead`, which takes the lock first: so
 * a thread that is marked holds it at most to find that it is dead, and anybody may take it from there. What is done
 * under the lock must not allocate: a thread that runs out of memory would stop in the middle.
 */
export class SharedLock {
  private readonly words: Int32Array;
  private readonly at: number;
  private readonly dead: Int32Array;
  private readonly me: number;

  /** `dead`: per thread, whether it is marked. */
  constructor(words: Int32Array, at: number, dead: Int32Array, thread: number) {
    this.words = words;
    this.at = at;
    this.dead = dead;
    this.me = thread + 1;
  }

  acquire(): void {
    for (;;) {
      const holder = Atomics.compareExchange(this.words, this.at, OPEN, this.me);
      if (holder === OPEN) break;
      if (this.isDead(holder) && this.takeFrom(holder)) break;
      // What is done under it takes well below a microsecond: who waits that long waits for a thread without a core.
      Atomics.wait(this.words, this.at, holder, WAIT_MS);
    }
    if (!this.isDead(this.me)) return;
    this.release();
    throw new Error('this thread is being terminated');
  }

  release(): void {
    // Not if somebody took it from a dead thread meanwhile.
    if (Atomics.compareExchange(this.words, this.at, this.me, OPEN) === this.me) Atomics.notify(this.words, this.at, 1);
  }

  /** From now on the thread takes no lock: to be called before it is terminated, or when it has `ended` by itself. */
  markDead(thread: number, ended: boolean): void {
    if (!ended) this.acquire();
    Atomics.store(this.dead, thread, 1);
    if (!ended) this.release();
  }

  private isDead(holder: number): boolean {
    return Atomics.load(this.dead, holder - 1) === 1;
  }

  private takeFrom(holder: number): boolean {
    return Atomics.compareExchange(this.words, this.at, holder, this.me) === holder;
  }
}
