import { TIMER_MAX_MS } from '../limits.ts';

/** Whether a timer can wait that long: a number of milliseconds from 0 to `TIMER_MAX_MS`. */
export function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= TIMER_MAX_MS;
}

/** Throws `RangeError` for a time that Node.js would silently turn into 1 ms. */
export function checkTime(value: number, option: string): number {
  if (isTime(value)) return value;
  throw new RangeError(`${option} must be a number of milliseconds from 0 to ${TIMER_MAX_MS}, not ${String(value)}`);
}
