import { inspect } from 'node:util';
import { BadArgError } from './errors.ts';
import { Pid } from './pid.ts';

/**
 * Checks of what users give (Erlang: badarg). Each throws `BadArgError`, which names the argument, what it must be, and
 * what it was.
 */

/** Characters of a value in a message. */
const SHOWN_MAX = 80;

/** A value as messages show it; never throws. */
export function shown(value: unknown): string {
  try {
    const text =
      typeof value === 'string' ? `'${value}'` : inspect(value, { depth: 0, breakLength: Number.POSITIVE_INFINITY });
    return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
  } catch {
    return 'a value that cannot be shown'; // a proxy or a getter of user code
  }
}

/** `term`: the same as data, for options that specifications have too. */
export function badArgument(what: string, rule: string, value: unknown, term?: unknown): BadArgError {
  return new BadArgError(`${what} must be ${rule}, not ${shown(value)}`, term);
}

export function checkFunction(value: unknown, what: string): void {
  if (typeof value !== 'function') throw badArgument(what, 'a function', value);
}

/** Texts that name something. */
export function checkText(value: unknown, what: string): void {
  if (typeof value !== 'string' || value === '') throw badArgument(what, 'a text that is not empty', value);
}

export function checkPid(value: unknown, what: string): void {
  if (!(value instanceof Pid)) throw badArgument(what, 'a pid', value);
}

/** Options, callbacks, clauses: an object, no array. */
export function checkObject(value: unknown, what: string): void {
  if (!isObject(value)) throw badArgument(what, 'an object', value, { invalid_type: value });
}

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function checkArray(value: unknown, what: string): void {
  if (!Array.isArray(value)) throw badArgument(what, 'an array', value);
}

/** How many of something, from 1 on. */
export function checkCount(value: unknown, what: string): void {
  if (!isCount(value)) throw badArgument(what, 'a whole number from 1 on', value);
}

export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

export function checkOneOf(value: unknown, what: string, words: readonly string[]): void {
  if (words.includes(value as string)) return;
  const list = words.map((word) => `'${word}'`).join(' or ');
  throw badArgument(what, list, value);
}
