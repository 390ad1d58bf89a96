import type { Clock } from '../clock.ts';
import { STALL_LOOK_MS, STALL_SUSPECT_LOOK_MS } from '../limits.ts';
import { type Look, StallTracker } from './stall.ts';

/** A thread that can be watched. */
export interface Watched {
  look(): Look;
  /** It does not yield: to be terminated. */
  stalled(): void;
}

/** Looks at all threads from time to time, and more often at one that seems to be stalled. They do nothing for it. */
export class Watchdog {
  private readonly trackers = new Map<Watched, StallTracker>();
  private timer: unknown;
  private readonly clock: Clock;
  private readonly stallMs: number;
  private readonly looked: () => void;

  /** `looked`: called at each look. */
  constructor(clock: Clock, stallMs: number, looked: () => void) {
    this.clock = clock;
    this.stallMs = stallMs;
    this.looked = looked;
  }

  watch(thread: Watched): void {
    this.trackers.set(thread, new StallTracker(this.clock.now(), this.stallMs));
    if (this.timer === undefined) this.lookIn(STALL_LOOK_MS);
  }

  forget(thread: Watched): void {
    this.trackers.delete(thread);
    if (this.trackers.size === 0) this.stop();
  }

  stop(): void {
    if (this.timer !== undefined) this.clock.clearTimer(this.timer);
    this.timer = undefined;
  }

  private lookIn(delayMs: number): void {
    const often = this.stallMs === 0 ? delayMs : Math.min(delayMs, Math.max(1, Math.floor(this.stallMs / 4)));
    this.timer = this.clock.setTimer(() => this.look(), often);
  }

  private look(): void {
    const now = this.clock.now();
    let suspects = false;
    for (const [thread, tracker] of this.stallMs === 0 ? [] : [...this.trackers]) {
      const seen = tracker.look(now, thread.look());
      if (seen === 'suspect') suspects = true;
      if (seen !== 'stalled') continue;
      this.trackers.delete(thread);
      thread.stalled();
    }
    this.looked();
    if (this.trackers.size === 0) this.timer = undefined;
    else this.lookIn(suspects ? STALL_SUSPECT_LOOK_MS : STALL_LOOK_MS);
  }
}
