import { checkFunction, checkObject, isObject } from '../kernel/arguments.ts';
import { BadArgError } from '../kernel/errors.ts';
import { isSame } from './bag-rows.ts';
import { KeyCursor } from './key-cursor.ts';
import { applyCounters, type CounterUpdate, withFields } from './row-update.ts';
import type { SortedMap, SortedRange } from './sorted-map.ts';
import { TableHandle } from './table-handle.ts';
import { type RowMatch, rowsOf } from './table-pages.ts';
import { ownTerm } from './term-order.ts';

type Rows<K, V> = Map<K, V> | SortedMap<K, V>;

/**
 * A table with one value per key (ets, type `set`): all processes of a system read it without a message. Values are
 * shared, not copied: what was put in must not change any more, put another value in its place. The test kit's
 * `onSend: deepFreeze` freezes them.
 */
export class Table<K = unknown, V = unknown> extends TableHandle<K, V, Rows<K, V>> {
  declare private cursor?: KeyCursor<K>;

  /** The value of the key; undefined if there is none (ets:lookup/2). */
  get(key: K): V | undefined {
    return this.readable().get(key);
  }

  /** Whether there is a row with the key (ets:member/2). */
  has(key: K): boolean {
    return this.readable().has(key);
  }

  /** In the order in which the keys came first. */
  entries(): IterableIterator<[K, V]> {
    return this.readable().entries();
  }

  /** The key of some row, to begin a walk with; `'$end_of_table'` if there is none (ets:first/1). */
  first(): K | '$end_of_table' {
    this.cursor ??= new KeyCursor();
    return this.cursor.first(this.map());
  }

  /**
   * The key after this one (ets:next/2). Fast for the key that `first` or `next` of this handle gave last, even if it
   * has been deleted meanwhile; any other is looked for from the beginning. `BadArgError` if no row has the key.
   */
  next(key: K): K | '$end_of_table' {
    this.cursor ??= new KeyCursor();
    return this.cursor.next(this.map(), key);
  }

  /** Puts a row, in the place of the one with that key (ets:insert/2). */
  set(key: K, value: V): void {
    const rows = this.writable();
    rows.set(key, this.share(value));
  }

  /** Puts all these rows, or none if one of them is malformed (ets:insert/2 of a list). */
  setAll(rows: Iterable<readonly [K, V]>): void {
    this.putAll(this.writable(), this.collect(rows));
  }

  /** Puts a row unless the key is there; says whether it did (ets:insert_new/2). */
  insertNew(key: K, value: V): boolean {
    const rows = this.writable();
    if (rows.has(key)) return false;
    rows.set(key, this.share(value));
    return true;
  }

  /** Puts all these rows, unless one of their keys is there: then none; says whether it did (ets:insert_new/2). */
  insertNewAll(rows: Iterable<readonly [K, V]>): boolean {
    const own = this.writable();
    const list = this.collect(rows);
    if (list.some(([key]) => own.has(key))) return false;
    this.putAll(own, list);
    return true;
  }

  /** Removes the row with the key; says whether there was one (ets:delete/2). */
  delete(key: K): boolean {
    return this.writable().delete(key);
  }

  /** Removes the row if it has an equal value; says whether it did (ets:delete_object/2). */
  deleteObject(key: K, value: V): boolean {
    const rows = this.writable();
    return rows.has(key) && isSame(rows.get(key), value) && rows.delete(key);
  }

  /** Removes the row with the key and returns its value; undefined if there was none (ets:take/2). */
  take(key: K): V | undefined {
    const rows = this.writable();
    const value = rows.get(key);
    rows.delete(key);
    return value;
  }

  selectDelete(match: RowMatch<K, V>): number {
    const rows = this.writable();
    checkFunction(match, 'match');
    const doomed = [...rows.entries()].filter(([key, value]) => match(key, value));
    for (const [key] of doomed) rows.delete(key);
    return doomed.length;
  }

  /**
   * Puts another value into each row that matches and says how many; if a function throws, into none
   * (ets:select_replace/2).
   */
  selectReplace(match: RowMatch<K, V>, replace: (value: V, key: K) => V): number {
    const rows = this.writable();
    checkFunction(match, 'match');
    checkFunction(replace, 'replace');
    const replaced = [...rows.entries()]
      .filter(([key, value]) => match(key, value))
      .map(([key, value]) => [key, replace(value, key)] as const);
    this.putAll(rows, replaced);
    return replaced.length;
  }

  /**
   * Adds to a counter and returns what it is then (ets:update_counter/3,4): to the value, if that is a number, or to a
   * field of it, which makes a changed copy of the value. Several updates are done in order, each from where the one
   * before it ended, and return several counters. `initial` is the value to begin with if the key is not there.
   *
   * `BadArgError`, and nothing has changed: there is no row and no `initial`, or a counter or number is no whole one.
   */
  updateCounter(key: K, update: number | CounterUpdate<V>, initial?: V): number;
  updateCounter(key: K, updates: readonly CounterUpdate<V>[], initial?: V): number[];
  updateCounter(
    key: K,
    update: number | CounterUpdate<V> | readonly CounterUpdate<V>[],
    initial?: V,
  ): number | number[] {
    const rows = this.writable();
    const found = rows.has(key);
    if (!found && initial === undefined) throw this.missing(key);
    const several = Array.isArray(update);
    const updates = several ? update : [isObject(update) ? update : { increment: update as number }];
    const { value, counters } = applyCounters(found ? rows.get(key) : initial, updates);
    if (!found || updates.length > 0) rows.set(key, this.share(value as V));
    return several ? counters : (counters[0] as number);
  }

  /** Changes fields of a value, in a copy of it; false if there is no row with the key (ets:update_element/3). */
  updateElement(key: K, fields: Partial<V>): boolean {
    const rows = this.writable();
    if (!rows.has(key)) return false;
    rows.set(key, this.share(withFields(rows.get(key), fields) as V));
    return true;
  }

  /** The rows of a list, read to its end before the first is put. */
  protected collect(rows: Iterable<readonly [K, V]>): (readonly [K, V])[] {
    return rowsOf(this.name, rows);
  }

  private putAll(rows: Rows<K, V>, list: readonly (readonly [K, V])[]): void {
    for (const [key, value] of list) rows.set(key, this.share(value));
  }

  private map(): Map<K, V> {
    return this.readable() as Map<K, V>;
  }

  private missing(key: K): BadArgError {
    const shown = typeof key === 'string' ? `'${key}'` : 'given';
    return new BadArgError(`table '${this.name}' has no row with the key ${shown}, and there is no initial value`);
  }
}

/** A table with one value per key, in the order of its keys (ets, type `ordered_set`). */
export class OrderedTable<K = unknown, V = unknown> extends Table<K, V> {
  /** In the order of the keys, or of those of a range; `reverse` begins at the upper end. */
  override entries(range: SortedRange<K> = {}): IterableIterator<[K, V]> {
    checkObject(range, 'range');
    return this.sorted().entries(range);
  }

  /** The lowest key (ets:first/1). */
  override first(): K | '$end_of_table' {
    return this.sorted().first();
  }

  /** The highest key (ets:last/1). */
  last(): K | '$end_of_table' {
    return this.sorted().last();
  }

  /** The lowest key above this one, which need not be there (ets:next/2). */
  override next(key: K): K | '$end_of_table' {
    return this.sorted().next(key);
  }

  /** The highest key below this one, which need not be there (ets:prev/2). */
  prev(key: K): K | '$end_of_table' {
    return this.sorted().prev(key);
  }

  /** A key that has no place in the order must be found before the first row is put. */
  protected override collect(rows: Iterable<readonly [K, V]>): (readonly [K, V])[] {
    return super.collect(rows).map(([key, value]) => [ownTerm(key) as K, value] as const);
  }

  private sorted(): SortedMap<K, V> {
    return this.readable() as SortedMap<K, V>;
  }
}
