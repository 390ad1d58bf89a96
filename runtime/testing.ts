import type { Clock } from './clock.ts';

/** A clock that stands still until it is told to move. */
export interface SimulatedClock extends Clock {
  /**
   * Moves time on and fires what falls due, in order of time; between two timers, and at the end, everything that runs
   * without waiting for the outside has its turn.
   */
  advance(ms: number): Promise<void>;
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
      if (first === undefined || timer.at < first.at || (timer.at === first.at && timer.serial < first.serial))
        first = timer;
    }
    return first;
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
        timers.delete(timer);
        now = timer.at;
        timer.callback();
        await settle();
      }
      now = until;
      await settle();
    },
    get pending() {
      return timers.size;
    },
  };
}

/** Lets all that is runnable run: processes, promises, and drains that gave way to the host. */
export async function settle(turns = 4): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
}

/**
 * Freezes a value and all it holds. As `startSystem({ onSend: deepFreeze })` it makes a change to a message after it
 * was sent throw: a message belongs to its receiver. Buffers and typed arrays cannot be frozen and are left as they
 * are.
 */
export function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value) || ArrayBuffer.isView(value)) return;
  const prototype = Object.getPrototypeOf(value);
  // sockets, streams, class instances
  if (prototype !== null && prototype !== Object.prototype && !Array.isArray(value)) return;
  Object.freeze(value);
  for (const part of Object.values(value)) deepFreeze(part);
}
