import type { Clock } from '../clock.ts';

/** Something that happens at `at` unless it is `done` before. */
export interface Deadline {
  done: boolean;
  at: number;
  expire(): void;
}

const COMPACT_MIN = 1_024;

/**
 * Deadlines of one duration, in the order in which they fall due: one timer of the clock serves them all.
 * A deadline that is done is dropped when it reaches the front, so the usual case costs an array push.
 */
class DeadlineQueue {
  private entries: (Deadline | undefined)[] = [];
  private head = 0;
  private timer: unknown = undefined;
  private readonly durationMs: number;
  private readonly clock: Clock;
  private readonly emptied: () => void;

  constructor(clock: Clock, durationMs: number, emptied: () => void) {
    this.clock = clock;
    this.durationMs = durationMs;
    this.emptied = emptied;
  }

  add(deadline: Deadline): void {
    this.dropDone();
    this.entries.push(deadline);
    if (this.timer === undefined) this.timer = this.clock.setTimer(this.tick, this.durationMs);
  }

  clear(): void {
    if (this.timer !== undefined) this.clock.clearTimer(this.timer);
    this.timer = undefined;
    this.entries = [];
    this.head = 0;
  }

  private readonly tick = (): void => {
    this.timer = undefined;
    const now = this.clock.now();
    for (;;) {
      this.dropDone();
      const first = this.entries[this.head];
      if (first === undefined) {
        this.emptied();
        return;
      }
      if (first.at > now) {
        this.timer = this.clock.setTimer(this.tick, Math.max(1, first.at - now));
        return;
      }
      first.done = true;
      first.expire();
    }
  };

  private dropDone(): void {
    const { entries } = this;
    while (this.head < entries.length && entries[this.head]?.done === true) {
      entries[this.head++] = undefined;
    }
    if (this.head === entries.length) {
      entries.length = 0;
      this.head = 0;
    } else if (this.head > COMPACT_MIN && this.head * 2 > entries.length) {
      this.entries = entries.slice(this.head);
      this.head = 0;
    }
  }
}

/** All deadlines of a kernel, a queue per duration: a call must not cost a timer of its own. */
export class Deadlines {
  private readonly queues = new Map<number, DeadlineQueue>();
  private readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  add(deadline: Deadline, durationMs: number): void {
    deadline.at = this.clock.now() + durationMs;
    let queue = this.queues.get(durationMs);
    if (queue === undefined) {
      // Durations may be computed: a queue that has run empty must not stay for ever.
      queue = new DeadlineQueue(this.clock, durationMs, () => this.queues.delete(durationMs));
      this.queues.set(durationMs, queue);
    }
    queue.add(deadline);
  }

  clear(): void {
    for (const queue of this.queues.values()) queue.clear();
    this.queues.clear();
  }
}
