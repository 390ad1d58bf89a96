/** The time of a request, which stands still while its client is asked. */

import type { Context, Ref } from '../../runtime/index.ts';

/** Kept by the process of a request, which gets `deadline` when the time is over. */
export interface RequestTime {
  /** When the time is over, and the timer of that. */
  deadlineMs: number;
  deadlineRef: Ref;
  /** What was left when its client was asked. */
  leftMs: number;
  /** Whether its client is being asked. */
  waiting: boolean;
}

/** While its client is asked there is `inputTimeoutMs` for the answer; then it goes on with what was left. */
export function standStill(time: RequestTime, waiting: boolean, inputTimeoutMs: number, ctx: Context<any>): void {
  if (waiting === time.waiting) return;
  time.waiting = waiting;
  const nowMs = ctx.clock.now();
  if (waiting) time.leftMs = Math.max(time.deadlineMs - nowMs, 1);
  const forMs = waiting ? inputTimeoutMs : time.leftMs;
  ctx.cancelTimer(time.deadlineRef);
  time.deadlineMs = nowMs + forMs;
  time.deadlineRef = ctx.sendAfter(forMs, 'deadline');
}
