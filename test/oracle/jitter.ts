import type { Context } from '../../runtime/index.ts';

/** Delays of one process: each call yields the next one, or nothing to wait for. */
export type Pauses = (ctx: Context) => PromiseLike<unknown> | undefined;

const none: Pauses = () => undefined;

/**
 * Delays that differ from process to process and from step to step, the same in every run with the same seed: a few
 * turns of the promise queue, a turn of the event loop, or up to 3 ms of the system's own time. Seed 0 never waits.
 */
export function pauses(seed: number, instance: string): Pauses {
  if (seed === 0) return none;
  const next = randoms(`${seed} ${instance}`);
  return (ctx) => {
    const choice = next(6);
    if (choice < 2) return ctx.receive(() => false, 1 + next(3));
    if (choice === 2) return new Promise<void>((resolve) => setImmediate(resolve));
    if (choice === 3) return promiseTurns(1 + next(8));
    return undefined;
  };
}

/** Goes on after the pause, at once if there is none: a handler that need not wait stays synchronous. */
export function afterPause<T>(
  pause: PromiseLike<unknown> | undefined,
  go: () => T | PromiseLike<T>,
): T | PromiseLike<T> {
  return pause === undefined ? go() : pause.then(go);
}

async function promiseTurns(turns: number): Promise<void> {
  for (let i = 0; i < turns; i++) await undefined;
}

/** Whole numbers below a bound, all determined by the key (FNV-1a to start from, then xorshift). */
export function randoms(key: string): (bound: number) => number {
  let state = 0x811c9dc5;
  for (const char of key) state = Math.imul(state ^ char.charCodeAt(0), 0x01000193);
  state = state === 0 ? 1 : state;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % bound;
  };
}
