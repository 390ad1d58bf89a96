/** Where a system's time comes from. Tests give `simulatedClock()` of `beamish/testing`. */
export interface Clock {
  /** Monotonic milliseconds from an arbitrary start. */
  now(): number;
  /** Calls back once after `delayMs`; the pending timer must not keep the Node.js process alive. */
  setTimer(callback: () => void, delayMs: number): TimerHandle;
  /** Calls `setTimer`'s callback no more; nothing happens if it was called already. */
  clearTimer(handle: TimerHandle): void;
}

/** What `setTimer` returns, for `clearTimer` of the same clock only. */
export type TimerHandle = unknown;

/** The machine's own clock. A system's keep-alive, not its timers, holds the Node.js process open. */
export const systemClock: Clock = {
  now: () => performance.now(),
  setTimer: (callback, delayMs) => setTimeout(callback, delayMs).unref(),
  clearTimer: (handle) => clearTimeout(handle as NodeJS.Timeout),
};
