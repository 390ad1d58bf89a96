import type { Ref } from './pid.ts';

/** A map by ref, in the order of insertion; one small object while it holds one entry, as most do. */
export class RefMap<Value extends object> {
  private onlyRef: Ref = 0;
  private only: Value | null = null;
  /** All entries, once there were two at a time. */
  private all: Map<Ref, Value> | null = null;

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
      this.all = new Map([
        [this.onlyRef, this.only],
        [ref, value],
      ]);
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

  values(): Iterable<Value> {
    if (this.all !== null) return this.all.values();
    return this.only === null ? [] : [this.only];
  }

  [Symbol.iterator](): Iterator<[Ref, Value]> {
    if (this.all !== null) return this.all[Symbol.iterator]();
    const entries: [Ref, Value][] = this.only === null ? [] : [[this.onlyRef, this.only]];
    return entries[Symbol.iterator]();
  }
}
