import { isDeepStrictEqual } from 'node:util';

/** The rows of a bag: several values per key, in the order of insertion. */
export class BagRows<K = unknown, V = unknown> {
  size = 0;
  private readonly byKey = new Map<K, V[]>();
  /** Whether a key may have equal values (`duplicate_bag`). */
  private readonly duplicates: boolean;

  constructor(duplicates: boolean) {
    this.duplicates = duplicates;
  }

  /** A list of its own: what happens to the table later does not change it. */
  get(key: K): V[] {
    return this.byKey.get(key)?.slice() ?? [];
  }

  has(key: K): boolean {
    return this.byKey.has(key);
  }

  keys(): IterableIterator<K> {
    return this.byKey.keys();
  }

  /** The values of a key are those that it had when the iteration came to it. */
  *entries(): Generator<[K, V], void, undefined> {
    for (const [key, values] of this.byKey) for (const value of values.slice()) yield [key, value];
  }

  add(key: K, value: V): void {
    const values = this.byKey.get(key);
    if (values === undefined) this.byKey.set(key, [value]);
    else if (this.duplicates || !values.some((each) => isSame(each, value))) values.push(value);
    else return;
    this.size++;
  }

  delete(key: K): boolean {
    const values = this.byKey.get(key);
    if (values === undefined) return false;
    this.size -= values.length;
    return this.byKey.delete(key);
  }

  /** Removes the values of a key that are to go, all or none if `isDoomed` throws; returns how many went. */
  deleteValues(key: K, isDoomed: (value: V) => boolean): number {
    const values = this.byKey.get(key) ?? [];
    return this.keep(
      key,
      values.filter((value) => !isDoomed(value)),
    );
  }

  /** The same for the values of all keys. */
  deleteRows(isDoomed: (key: K, value: V) => boolean): number {
    const kept = [...this.byKey].map(([key, values]) => ({
      key,
      values: values.filter((value) => !isDoomed(key, value)),
    }));
    return kept.reduce((count, { key, values }) => count + this.keep(key, values), 0);
  }

  clear(): void {
    this.byKey.clear();
    this.size = 0;
  }

  private keep(key: K, values: V[]): number {
    const gone = (this.byKey.get(key)?.length ?? 0) - values.length;
    if (gone === 0) return 0;
    this.size -= gone;
    if (values.length === 0) this.byKey.delete(key);
    else this.byKey.set(key, values);
    return gone;
  }
}

/** Erlang compares objects by their structure (=:=), and so does this: two values of equal parts are one. */
export function isSame(a: unknown, b: unknown): boolean {
  return a === b || isDeepStrictEqual(a, b);
}
