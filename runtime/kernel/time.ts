import { TIMER_MAX_MS } from '../limits.ts';
import { badArgument } from './arguments.ts';

/** What a time must be, in messages. */
export const TIME: string = `a number of milliseconds from 0 to ${TIMER_MAX_MS}`;

/** Whether a timer can wait that long: a number of milliseconds from 0 to `TIMER_MAX_MS`. */
export function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= TIMER_MAX_MS;
}

/** Throws `BadArgError` for a time that Node.js would silently turn into 1 ms. */
export function checkTime(value: number, option: string): number {
  if (isTime(value)) return value;
  throw badArgument(option, TIME, value);
}

/** A time to wait; `'infinity'` is none. */
export function checkTimeout(value: number | 'infinity', option: string): void {
  if (value !== 'infinity' && !isTime(value)) throw badArgument(option, `${TIME}, or 'infinity'`, value);
}
