import type { Clock } from './clock.ts';
import { settle } from './settle.ts';

/** A clock that stands still until it is told to move. */
export interface SimulatedClock extends Clock {
  /**
   * Moves time on and fires what falls due, in order of time; between two timers, and at the end, everything that runs
   * without waiting for the outside has its turn.
   */
  advance(ms: number): Promise<void>;
  /** Moves time to the next timer and fires it; false if none waits. */
  fireNext(): boolean;
  /** Timers that wait. */
  readonly pending: number;
}

interface SimulatedTimer {
  readonly at: number;
  readonly serial: number;
  readonly callback: () => void;
}

/** A clock for tests; give it to `startSystem({ clock })`. Starts at 0. */
export function simulatedClock(): SimulatedClock {
  const timers = new Set<SimulatedTimer>();
  let now = 0;
  let serial = 0;
  const earliest = (until: number): SimulatedTimer | undefined => {
    let first: SimulatedTimer | undefined;
    for (const timer of timers) {
      if (timer.at > until) continue;
      const sooner =
        first === undefined || timer.at < first.at || (timer.at === first.at && timer.serial < first.serial);
      if (sooner) first = timer;
    }
    return first;
  };
  const fire = (timer: SimulatedTimer): void => {
    timers.delete(timer);
    now = timer.at;
    timer.callback();
  };
  return {
    now: () => now,
    setTimer(callback, delayMs) {
      const timer: SimulatedTimer = { at: now + delayMs, serial: ++serial, callback };
      timers.add(timer);
      return timer;
    },
    clearTimer(handle) {
      timers.delete(handle as SimulatedTimer);
    },
    async advance(ms) {
      const until = now + ms;
      await settle();
      for (let timer = earliest(until); timer !== undefined; timer = earliest(until)) {
        fire(timer);
        await settle();
      }
      now = until;
      await settle();
    },
    fireNext() {
      const next = earliest(Number.POSITIVE_INFINITY);
      if (next !== undefined) fire(next);
      return next !== undefined;
    },
    get pending() {
      return timers.size;
    },
  };
}
