import type { Clock } from '../clock.ts';
import {
  STALL_IMPORT_MS,
  STALL_LOOK_MS,
  STALL_QUIET_MS,
  STALL_REST_LOOK_MS,
  STALL_SUSPECT_LOOK_MS,
} from '../limits.ts';
import { type Look, StallTracker } from './stall.ts';

/** A thread that can be watched. */
export interface Watched {
  look(): Look;
  /** Whether it does not yield, for long enough that others should not wait for it. */
  busy(is: boolean): void;
  /** Whether it imports a module: then it may take longer. */
  readonly imports: boolean;
  /** It does not yield: to be terminated. */
  stalled(): void;
  /** Asks it to rest: it says that it does, unless it has work that goes on by itself, and when it no longer does. */
  rest(): void;
  /** Whether it has said that it rests, and has done nothing for a process since. */
  readonly rests: boolean;
}

export interface WatchdogListener {
  /** Called at each look. */
  looked(): void;
  /** Whether it looks rarely from now on: then it must be told, by `stir`, of what may keep a thread busy. */
  rests(is: boolean): void;
}

/**
 * Looks at all threads from time to time, and more often at one that seems to be stalled. They do nothing for it, but
 * that they say whether they may rest when nothing has moved for long: an idle system is looked at rarely.
 */
export class Watchdog {
  private readonly trackers = new Map<Watched, StallTracker>();
  private readonly busy = new Set<Watched>();
  private timer: unknown;
  private readonly clock: Clock;
  private stallMs: number;
  private importMs = STALL_IMPORT_MS;
  private readonly busyMs: number;
  private readonly listener: WatchdogListener;
  /** Since when all threads have been quiet, or were asked to rest last. */
  private quietSince: number;
  private isAsked = false;
  private isResting = false;

  constructor(clock: Clock, times: { readonly stallMs: number; readonly busyMs: number }, listener: WatchdogListener) {
    this.clock = clock;
    this.stallMs = times.stallMs;
    this.busyMs = times.busyMs;
    this.listener = listener;
    this.quietSince = clock.now();
  }

  watch(thread: Watched): void {
    this.trackers.set(thread, new StallTracker(this.clock.now()));
    if (this.timer === undefined) this.lookIn(STALL_LOOK_MS);
    else this.stir();
  }

  forget(thread: Watched): void {
    this.trackers.delete(thread);
    this.busy.delete(thread);
    if (this.trackers.size === 0) this.stop();
  }

  /**
   * From now on no thread may stall for ever, nor longer for an import: if none was looked at, each is given that time.
   */
  watchAll(stallMs: number): void {
    this.importMs = 0;
    if (this.stallMs !== 0) return;
    this.stallMs = stallMs;
    for (const thread of this.trackers.keys()) this.trackers.set(thread, new StallTracker(this.clock.now()));
  }

  /** A thread may have something to do from now on. */
  stir(): void {
    if (this.isResting) this.look(false);
  }

  stop(): void {
    this.clearTimer();
    this.setResting(false);
  }

  private clearTimer(): void {
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
    // Since when a thread does not move is known as exactly as it was looked at before.
    const share = this.isResting ? 4 : 8;
    const often = this.stallMs === 0 ? delayMs : Math.min(delayMs, Math.max(1, Math.floor(this.stallMs / share)));
    this.timer = this.clock.setTimer(() => this.look(true), often);
  }

  /** `mayRest`: nobody has told of anything to do. */
  private look(mayRest: boolean): void {
    this.clearTimer();
    const now = this.clock.now();
    let suspects = false;
    let quiet = mayRest;
    for (const [thread, tracker] of [...this.trackers]) {
      const unmovedMs = tracker.look(now, thread.look());
      if (unmovedMs > 0) suspects = true;
      if (!tracker.isQuiet) quiet = false;
      this.setBusy(thread, this.busyMs > 0 && unmovedMs >= this.busyMs);
      const givenMs = thread.imports ? Math.max(this.stallMs, this.importMs) : this.stallMs;
      if (this.stallMs === 0 || unmovedMs < givenMs) continue;
      this.forget(thread);
      thread.stalled();
    }
    this.listener.looked();
    if (this.trackers.size === 0) return;
    this.setResting(this.allRest(quiet, now));
    this.lookIn(this.isResting ? STALL_REST_LOOK_MS : suspects ? STALL_SUSPECT_LOOK_MS : STALL_LOOK_MS);
  }

  /** After some time of quiet all are asked, and the next look finds what they have said. */
  private allRest(quiet: boolean, now: number): boolean {
    if (quiet && now - this.quietSince < STALL_QUIET_MS) return false;
    const threads = [...this.trackers.keys()];
    if (quiet && !this.isAsked) {
      this.isAsked = true;
      for (const thread of threads) thread.rest();
      return false;
    }
    if (quiet && threads.every(({ rests }) => rests)) return true;
    this.quietSince = now;
    this.isAsked = false;
    return false;
  }

  private setResting(is: boolean): void {
    if (this.isResting === is) return;
    this.isResting = is;
    this.listener.rests(is);
  }
}
