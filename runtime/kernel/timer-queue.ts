import type { Clock, TimerHandle } from '../clock.ts';
import { runUnattributed } from './attribution.ts';

/** What a queue knows of a timer: when it falls due, and its neighbours. */
export interface Queued {
  readonly at: number;
  previous: this | null;
  next: this | null;
}

/**
 * Timers of one delay, in the order in which they fall due: one timer of the clock serves them all, since most are
 * cancelled long before. One that is taken out lets go of its neighbours: a dead one that has grown old must not keep
 * those behind it from being collected young.
 */
export class TimerQueue<Timer extends Queued> {
  private first: Timer | null = null;
  private last: Timer | null = null;
  private handle: TimerHandle = undefined;
  private ticking = false;
  private readonly clock: Clock;
  private readonly expire: (timer: Timer) => void;

  constructor(clock: Clock, expire: (timer: Timer) => void) {
    this.clock = clock;
    this.expire = expire;
  }

  get isEmpty(): boolean {
    return this.first === null;
  }

  /** No timer in it falls due later. */
  add(timer: Timer, delayMs: number): void {
    timer.previous = this.last;
    if (this.last === null) this.first = timer;
    else this.last.next = timer;
    this.last = timer;
    if (this.handle === undefined && !this.ticking) this.arm(delayMs);
  }

  remove(timer: Timer): void {
    const { previous, next } = timer;
    if (previous === null) this.first = next;
    else previous.next = next;
    if (next === null) this.last = previous;
    else next.previous = previous;
    timer.previous = null;
    timer.next = null;
    if (this.first === null) this.disarm();
  }

  clear(): void {
    this.first = null;
    this.last = null;
    this.disarm();
  }

  private disarm(): void {
    if (this.handle !== undefined) this.clock.clearTimer(this.handle);
    this.handle = undefined;
  }

  /** It belongs to no process, whoever has set the first timer. */
  private arm(delayMs: number): void {
    runUnattributed(() => {
      this.handle = this.clock.setTimer(this.tick, delayMs);
    });
  }

  private readonly tick = (): void => {
    this.handle = undefined;
    this.ticking = true;
    const now = this.clock.now();
    try {
      for (let { first } = this; first !== null && first.at <= now; first = this.first) {
        this.remove(first);
        this.expire(first);
      }
    } finally {
      this.ticking = false;
      if (this.first !== null) this.arm(Math.max(1, this.first.at - now));
    }
  };
}
