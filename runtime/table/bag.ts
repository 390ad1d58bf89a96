import { checkFunction } from '../kernel/arguments.ts';
import type { BagRows } from './bag-rows.ts';
import { isSame } from './bag-rows.ts';
import { KeyCursor } from './key-cursor.ts';
import { TableHandle } from './table-handle.ts';
import { type RowMatch, rowsOf } from './table-pages.ts';

/**
 * A table with several values per key (ets, types `bag` and `duplicate_bag`). In a `bag` no key has two values that are
 * equal in structure; adding one that is there changes nothing. Values are shared, not copied, as in `Table`.
 */
export class Bag<K = unknown, V = unknown> extends TableHandle<K, V, BagRows<K, V>> {
  declare private cursor?: KeyCursor<K>;

  /** The values of the key now, in the order of insertion; a list of the caller's own (ets:lookup/2). */
  get(key: K): V[] {
    return this.readable().get(key);
  }

  /** Whether the key has a value (ets:member/2). */
  has(key: K): boolean {
    return this.readable().has(key);
  }

  /** Key by key; the values of one are those that it has when its turn comes. */
  entries(): IterableIterator<[K, V]> {
    return this.readable().entries();
  }

  /** As `first` of `Table`. */
  first(): K | '$end_of_table' {
    this.cursor ??= new KeyCursor();
    return this.cursor.first(this.readable());
  }

  /** As `next` of `Table`. */
  next(key: K): K | '$end_of_table' {
    this.cursor ??= new KeyCursor();
    return this.cursor.next(this.readable(), key);
  }

  /** Adds a value to the key (ets:insert/2). */
  add(key: K, value: V): void {
    const rows = this.writable();
    rows.add(key, this.share(value));
  }

  /** Adds all these, or none if one of the rows is malformed (ets:insert/2 of a list). */
  addAll(rows: Iterable<readonly [K, V]>): void {
    const own = this.writable();
    for (const [key, value] of this.collect(rows)) own.add(key, this.share(value));
  }

  /** Adds a value unless the key has one; says whether it did (ets:insert_new/2). */
  insertNew(key: K, value: V): boolean {
    return this.insertNewAll([[key, value]]);
  }

  /** Adds all these, unless one of their keys has a value: then none; says whether it did (ets:insert_new/2). */
  insertNewAll(rows: Iterable<readonly [K, V]>): boolean {
    const own = this.writable();
    const list = this.collect(rows);
    if (list.some(([key]) => own.has(key))) return false;
    for (const [key, value] of list) own.add(key, this.share(value));
    return true;
  }

  /** Removes all values of the key; says whether there was one (ets:delete/2). */
  delete(key: K): boolean {
    return this.writable().delete(key);
  }

  /** Removes the values of the key that are equal to this one; says whether there was one (ets:delete_object/2). */
  deleteObject(key: K, value: V): boolean {
    return this.writable().deleteValues(key, (each) => isSame(each, value)) > 0;
  }

  /** Removes all values of the key and returns them (ets:take/2). */
  take(key: K): V[] {
    const rows = this.writable();
    const values = rows.get(key);
    rows.delete(key);
    return values;
  }

  selectDelete(match: RowMatch<K, V>): number {
    checkFunction(match, 'match');
    return this.writable().deleteRows(match);
  }

  /** The rows of a list, read to its end before the first is added. */
  private collect(rows: Iterable<readonly [K, V]>): (readonly [K, V])[] {
    return rowsOf(this.name, rows);
  }
}
