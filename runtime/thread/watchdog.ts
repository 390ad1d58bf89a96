import type { Clock } from '../clock.ts';
import { STALL_LOOK_MS, STALL_SUSPECT_LOOK_MS } from '../limits.ts';
import { type Look, StallTracker } from './stall.ts';

/** A thread that can be watched. */
export interface Watched {
  look(): Look;
  /** Whether it does not yield, for long enough that others should not wait for it. */
  busy(is: boolean): void;
  /** It does not yield: to be terminated. */
  stalled(): void;
}

/** Looks at all threads from time to time, and more often at one that seems to be stalled. They do nothing for it. */
export class Watchdog {
  private readonly trackers = new Map<Watched, StallTracker>();
  private readonly busy = new Set<Watched>();
  private timer: unknown;
  private readonly clock: Clock;
  private stallMs: number;
  private readonly busyMs: number;
  private readonly looked: () => void;

  /** `looked`: called at each look. */
  constructor(clock: Clock, times: { readonly stallMs: number; readonly busyMs: number }, looked: () => void) {
    this.clock = clock;
    this.stallMs = times.stallMs;
    this.busyMs = times.busyMs;
    this.looked = looked;
  }

  watch(thread: Watched): void {
    this.trackers.set(thread, new StallTracker(this.clock.now()));
    if (this.timer === undefined) this.lookIn(STALL_LOOK_MS);
  }

  forget(thread: Watched): void {
    this.trackers.delete(thread);
    this.busy.delete(thread);
    if (this.trackers.size === 0) this.stop();
  }

  /** From now on no thread may stall for ever: if none was looked at, each is given that time. */
  watchAll(stallMs: number): void {
    if (this.stallMs !== 0) return;
    this.stallMs = stallMs;
    for (const thread of this.trackers.keys()) this.trackers.set(thread, new StallTracker(this.clock.now()));
  }

  stop(): void {
    if (this.timer !== undefined) this.clock.clearTimer(this.timer);
    this.timer = undefined;
  }

  private setBusy(thread: Watched, is: boolean): void {
    if (this.busy.has(thread) === is) return;
    if (is) this.busy.add(thread);
    else this.busy.delete(thread);
    thread.busy(is);
  }

  private lookIn(delayMs: number): void {
    const often = this.stallMs === 0 ? delayMs : Math.min(delayMs, Math.max(1, Math.floor(this.stallMs / 4)));
    this.timer = this.clock.setTimer(() => this.look(), often);
  }

  private look(): void {
    const now = this.clock.now();
    let suspects = false;
    for (const [thread, tracker] of [...this.trackers]) {
      const unmovedMs = tracker.look(now, thread.look());
      if (unmovedMs > 0) suspects = true;
      this.setBusy(thread, this.busyMs > 0 && unmovedMs >= this.busyMs);
      if (this.stallMs === 0 || unmovedMs < this.stallMs) continue;
      this.forget(thread);
      thread.stalled();
    }
    this.looked();
    if (this.trackers.size > 0) this.lookIn(suspects ? STALL_SUSPECT_LOOK_MS : STALL_LOOK_MS);
  }
}
