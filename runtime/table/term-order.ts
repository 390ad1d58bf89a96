import { BadArgError } from '../kernel/errors.ts';
import { Pid } from '../kernel/pid.ts';
import { TERM_DEPTH_MAX } from '../limits.ts';

/**
 * The order of the keys of an `ordered_set` (Erlang reference manual, "Expressions": Term Comparisons), for the values
 * that a key may be:
 *
 *     number, bigint < false < null < true < undefined < string < Pid < plain object < array
 *
 * Numbers and bigints compare by value: `1` and `1n` are one key, as Erlang's 1 and 1.0 are. Strings compare by UTF-16
 * code units, objects by size, then keys, then values, arrays element by element, a shorter one first. Returns a number
 * below, equal to or above 0. `BadArgError` for what has no place: NaN, symbols, functions, instances of classes.
 */
export function compareTerms(a: unknown, b: unknown): number {
  if (typeof a === 'string' && typeof b === 'string') return compareSame(a, b);
  if (typeof a === 'number' && typeof b === 'number') {
    if (a < b) return -1;
    if (a > b) return 1;
    if (a === b) return 0; // else one is NaN, and refused below
  }
  const rank = rankOf(a);
  const other = rankOf(b);
  if (rank !== other) return rank - other;
  switch (rank) {
    case NUMBER:
      return compareSame(a as number, b as number);
    case ATOM:
      return compareSame(String(a), String(b));
    case PID:
      return comparePids(a as Pid, b as Pid);
    case OBJECT:
      return compareObjects(a as Readonly<Record<string, unknown>>, b as Readonly<Record<string, unknown>>);
    case ARRAY:
      return compareArrays(a as readonly unknown[], b as readonly unknown[]);
    default:
      return compareSame(a as string, b as string);
  }
}

/**
 * A key as the table keeps it: a change to an array or object after it became a key would break the order, so the table
 * has a frozen copy. `BadArgError` for what has no place in the order, or is nested too deeply.
 */
export function ownTerm(term: unknown, depth: number = TERM_DEPTH_MAX): unknown {
  const rank = rankOf(term);
  if (rank !== OBJECT && rank !== ARRAY) return term;
  if (depth === 0) throw new BadArgError(`a key is nested more than ${TERM_DEPTH_MAX} deep, or circular`);
  if (rank === ARRAY) return Object.freeze(Array.from(term as readonly unknown[], (part) => ownTerm(part, depth - 1)));
  const parts = Object.entries(term as object).map(([field, part]) => [field, ownTerm(part, depth - 1)] as const);
  return Object.freeze(Object.fromEntries(parts));
}

const NUMBER = 0;
const ATOM = 1;
const STRING = 2;
const PID = 3;
const OBJECT = 4;
const ARRAY = 5;

function rankOf(term: unknown): number {
  switch (typeof term) {
    case 'number':
      if (Number.isNaN(term)) throw new BadArgError('NaN is no key of an ordered_set: it is neither below nor above 0');
      return NUMBER;
    case 'bigint':
      return NUMBER;
    case 'string':
      return STRING;
    case 'boolean':
    case 'undefined':
      return ATOM;
    case 'object':
      return rankOfObject(term);
    default:
      throw new BadArgError(`a ${typeof term} is no key of an ordered_set: it has no place in the order of terms`);
  }
}

function rankOfObject(term: object | null): number {
  if (term === null) return ATOM;
  if (Array.isArray(term)) return ARRAY;
  if (term instanceof Pid) return PID;
  const prototype = Object.getPrototypeOf(term);
  if (prototype === Object.prototype || prototype === null) return OBJECT;
  throw new BadArgError('an instance of a class is no key of an ordered_set: it has no place in the order of terms');
}

/** JavaScript compares numbers with bigints by their exact values. */
function compareSame<T extends number | string>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function comparePids(a: Pid, b: Pid): number {
  return a.thread - b.thread || a.serial - b.serial || compareSame(a.system, b.system);
}

function compareArrays(a: readonly unknown[], b: readonly unknown[]): number {
  const common = Math.min(a.length, b.length);
  for (let i = 0; i < common; i++) {
    const order = compareTerms(a[i], b[i]);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

type Fields = Readonly<Record<string, unknown>>;

function compareObjects(a: Fields, b: Fields): number {
  const [fields, others] = [Object.keys(a).sort(), Object.keys(b).sort()];
  if (fields.length !== others.length) return fields.length - others.length;
  const order = compareArrays(fields, others);
  if (order !== 0) return order;
  for (const field of fields) {
    const valueOrder = compareTerms(a[field], b[field]);
    if (valueOrder !== 0) return valueOrder;
  }
  return 0;
}
