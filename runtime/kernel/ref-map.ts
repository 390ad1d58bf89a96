import { IdMap } from './id-map.ts';
import type { Ref } from './pid.ts';

/**
 * A map by ref, in the order of insertion, for what comes and goes with monitors, timers and calls. One small object
 * while it holds one entry; and where thousands pass through it a second, far less work for the garbage collector than
 * a `Map`, whose dead tables keep what they have held until the next full collection.
 *
 * Its methods are those of `Map`, but that `values` and `for … of` go through what there is when they are called, and
 * `set` and `forEach` return nothing. Values are objects. Nothing may be added within `forEach`.
 */
export class RefMap<Value extends object> {
  private onlyRef: Ref = 0;
  private only: Value | null = null;
  /** All entries, once there were two at a time. */
  private all: IdMap<Ref, Value> | null = null;

  get size(): number {
    if (this.all !== null) return this.all.size;
    return this.only === null ? 0 : 1;
  }

  set(ref: Ref, value: Value): void {
    if (this.all !== null) this.all.set(ref, value);
    else if (this.only === null || this.onlyRef === ref) {
      this.onlyRef = ref;
      this.only = value;
    } else {
      this.all = new IdMap();
      this.all.set(this.onlyRef, this.only);
      this.all.set(ref, value);
      this.only = null;
    }
  }

  get(ref: Ref): Value | undefined {
    if (this.all !== null) return this.all.get(ref);
    return this.only !== null && this.onlyRef === ref ? this.only : undefined;
  }

  has(ref: Ref): boolean {
    return this.get(ref) !== undefined;
  }

  /** Says whether there was such an entry. */
  delete(ref: Ref): boolean {
    if (this.all !== null) return this.all.delete(ref);
    if (this.only === null || this.onlyRef !== ref) return false;
    this.only = null;
    return true;
  }

  /** As `for … of`, without the arrays: each process that exits goes through its own. */
  forEach(each: (value: Value, ref: Ref) => void): void {
    if (this.all !== null) this.all.forEach(each);
    else if (this.only !== null) each(this.only, this.onlyRef);
  }

  values(): Value[] {
    if (this.all === null) return this.only === null ? [] : [this.only];
    return this.all.entries().map(([, value]) => value);
  }

  /** All there are now: the map may change meanwhile. */
  [Symbol.iterator](): Iterator<[Ref, Value]> {
    const only: [Ref, Value][] = this.only === null ? [] : [[this.onlyRef, this.only]];
    return (this.all === null ? only : this.all.entries())[Symbol.iterator]();
  }
}
