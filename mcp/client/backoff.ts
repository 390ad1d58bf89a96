/** When a lost connection is made again: pure. */

import type { ClientLimits } from './limits.ts';

type BackoffLimits = Pick<ClientLimits, 'backoffMinMs' | 'backoffMaxMs' | 'stableAfterMs' | 'crashLoopAfter'>;

/** Failures in a row, counting this one: a connection that has lasted long enough makes it the first. */
export function failuresAfter(failures: number, upForMs: number | undefined, { stableAfterMs }: BackoffLimits): number {
  return upForMs !== undefined && upForMs >= stableAfterMs ? 1 : failures + 1;
}

/**
 * How long to wait after so many failures in a row. It doubles from `backoffMinMs` to `backoffMaxMs`; `chance`, from 0
 * up to 1, moves it by up to half, downwards, so that many clients of one server do not come back at one moment; but
 * never below `backoffMinMs`.
 */
export function backoffMs(failures: number, chance: number, { backoffMinMs, backoffMaxMs }: BackoffLimits): number {
  const full = Math.min(backoffMaxMs, backoffMinMs * 2 ** Math.min(failures - 1, 30));
  return Math.max(Math.min(backoffMinMs, backoffMaxMs), Math.round(full * (1 - chance / 2)));
}

export function isCrashLoop(failures: number, { crashLoopAfter }: BackoffLimits): boolean {
  return failures >= crashLoopAfter;
}
