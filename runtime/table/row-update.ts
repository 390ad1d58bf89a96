import { badArgument, checkObject, shown } from '../kernel/arguments.ts';
import { BadArgError } from '../kernel/errors.ts';

/** One change of a counter (ets:update_counter/3, `{Pos, Incr, Threshold, SetValue}`). */
export type CounterUpdate<V = unknown> = {
  /** Which field of the value counts. Left out: the value itself is the counter. */
  readonly field?: V extends object ? keyof V & (string | number) : string | number;
  /** What to add: a whole number, also below 0. */
  readonly increment: number;
} & (
  | { readonly threshold?: never; readonly setValue?: never }
  | {
      /** Beyond it (above, or below if `increment` is negative) the counter becomes `setValue` instead. */
      readonly threshold: number;
      readonly setValue: number;
    }
);

/** The same for any value: what the functions here work with. */
interface Update {
  readonly field?: string | number;
  readonly increment: number;
  readonly threshold?: number;
  readonly setValue?: number;
}

/**
 * The value after all changes, and the counter after each of them. The value that is there is left as it is, since
 * others may hold it. `BadArgError` if something is no whole number: then nothing has changed.
 */
export function applyCounters(value: unknown, updates: readonly Update[]): { value: unknown; counters: number[] } {
  let changed = value;
  const counters = updates.map((update) => {
    checkObject(update, 'each update of a counter');
    const { field } = update;
    const counter = advance(field === undefined ? changed : fieldOf(changed, field), update);
    changed = field === undefined ? counter : withFields(changed, { [field]: counter });
    return counter;
  });
  return { value: changed, counters };
}

/** A copy of a plain object or array with other fields. */
export function withFields(value: unknown, fields: Readonly<Record<string | number, unknown>>): object {
  if (Array.isArray(value)) return Object.assign([...value], fields);
  const prototype = typeof value === 'object' && value !== null ? Object.getPrototypeOf(value) : undefined;
  if (prototype === Object.prototype || prototype === null) return { ...(value as object), ...fields };
  throw new BadArgError(
    'only a plain object or an array has fields that a table can change: replace the value with set',
  );
}

function fieldOf(value: unknown, field: string | number): unknown {
  if (typeof value === 'object' && value !== null && Object.hasOwn(value, field)) {
    return (value as Readonly<Record<string | number, unknown>>)[field];
  }
  throw new BadArgError(`the value has no field ${shown(field)}`);
}

function advance(counter: unknown, { increment, threshold, setValue }: Update): number {
  const sum = whole(counter, 'the counter') + whole(increment, 'increment');
  if (threshold === undefined && setValue === undefined) return whole(sum, 'the sum');
  whole(threshold, 'threshold');
  const beyond = increment < 0 ? sum < (threshold as number) : sum > (threshold as number);
  return beyond ? whole(setValue, 'setValue') : whole(sum, 'the sum');
}

function whole(value: unknown, what: string): number {
  if (Number.isSafeInteger(value)) return value as number;
  throw badArgument(what, 'a whole number within 2^53', value);
}
