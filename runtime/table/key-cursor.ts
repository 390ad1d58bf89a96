import { inspect } from 'node:util';
import { BadArgError } from '../kernel/errors.ts';

/** Rows that are found by key, in no order that a key has a place in. */
interface KeyedRows<K> {
  has(key: K): boolean;
  keys(): IterableIterator<K>;
}

/**
 * Goes from key to key (ets:first/1, next/2). A `Map` cannot be entered at a key, so the cursor keeps its iterator:
 * the next of the key that it gave last costs one step, even if that key has been removed meanwhile; any other costs a
 * walk from the beginning.
 */
export class KeyCursor<K> {
  private keys: Iterator<K> | null = null;
  private last: K | undefined = undefined;

  first(rows: KeyedRows<K>): K | '$end_of_table' {
    return this.step(rows.keys());
  }

  next(rows: KeyedRows<K>, key: K): K | '$end_of_table' {
    if (this.keys !== null && same(this.last, key)) return this.step(this.keys);
    if (!rows.has(key)) throw new BadArgError(`no row has the key ${inspect(key, { depth: 1 })}: there is no next one`);
    const keys = rows.keys();
    let each = keys.next();
    while (!same(each.value, key)) each = keys.next();
    return this.step(keys);
  }

  private step(keys: Iterator<K>): K | '$end_of_table' {
    const { done, value } = keys.next();
    this.keys = done === true ? null : keys;
    this.last = done === true ? undefined : value;
    return done === true ? '$end_of_table' : value;
  }
}

/** As a `Map` compares keys. */
function same(a: unknown, b: unknown): boolean {
  return a === b || (Number.isNaN(a) && Number.isNaN(b));
}
