import type { Clock } from '../clock.ts';

/** Something that happens at `at` unless it is `done` before. */
export abstract class Deadline {
  done = false;
  at = 0;
  /** The next of its queue; for the queue. */
  next: Deadline | null = null;

  abstract expire(): void;
}

/**
 * Deadlines of one duration, in the order in which they fall due: one timer of the clock serves them all.
 * They are chained through themselves, and one that is done is dropped when it reaches the front: the usual case costs
 * no memory beyond the deadline.
 */
class DeadlineQueue {
  private first: Deadline | null = null;
  private last: Deadline | null = null;
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
    if (this.last === null) this.first = deadline;
    else this.last.next = deadline;
    this.last = deadline;
    if (this.timer === undefined) this.timer = this.clock.setTimer(this.tick, this.durationMs);
  }

  clear(): void {
    if (this.timer !== undefined) this.clock.clearTimer(this.timer);
    this.timer = undefined;
    this.first = null;
    this.last = null;
  }

  private readonly tick = (): void => {
    this.timer = undefined;
    const now = this.clock.now();
    for (;;) {
      this.dropDone();
      const { first } = this;
      if (first === null) {
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
    let { first } = this;
    while (first?.done === true) {
      const { next }: Deadline = first;
      // A dead deadline that has grown old must not keep those behind it from being collected young.
      first.next = null;
      first = next;
    }
    this.first = first;
    if (first === null) this.last = null;
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
