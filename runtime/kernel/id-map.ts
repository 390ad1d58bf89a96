import { Pid, type Ref } from './pid.ts';

/** Up to this many entries are found by looking at each. */
const UNINDEXED_MAX = 8;
/** A map that has been larger than this lets go of its arrays when it is empty. */
const KEPT_MAX = 64;

/**
 * A map by ref, pid or other whole number, in the order of insertion, for entries that come and go.
 *
 * A `Map` that many entries pass through makes its table anew all the time, and each table refers to the next, with all
 * that it has held. As soon as one of them has grown old, all that follow, dead as they are, are kept until the next
 * full collection: of what requests allocate that was a quarter. This one moves its entries within its own arrays.
 */
export class IdMap<Key extends Ref | Pid, Value> {
  size = 0;
  /**
   * In the order of insertion; what has been deleted is undefined until the next tidying. Made with their room: to
   * let an empty array grow costs a fifth of a call.
   */
  private readonly keys: (Key | undefined)[] = new Array(UNINDEXED_MAX);
  private readonly values: (Value | undefined)[] = new Array(UNINDEXED_MAX);
  /** How much of both is used. */
  private used = 0;
  private capacity = UNINDEXED_MAX;
  /** One more than the place of the key that hashes there, or to a place before; 0: nothing. At most half full. */
  private index: Int32Array | null = null;

  get(key: Key): Value | undefined {
    const at = this.find(key);
    return at === -1 ? undefined : this.values[at];
  }

  has(key: Key): boolean {
    return this.find(key) !== -1;
  }

  set(key: Key, value: Value): void {
    const at = this.find(key);
    if (at !== -1) {
      this.values[at] = value;
      return;
    }
    if (this.used === this.capacity) this.tidy();
    if (this.index !== null) enter(this.index, key, this.used);
    this.keys[this.used] = key;
    this.values[this.used++] = value;
    this.size++;
  }

  /** Says whether there was such an entry. */
  delete(key: Key): boolean {
    const at = this.find(key);
    if (at === -1) return false;
    this.keys[at] = undefined;
    this.values[at] = undefined;
    if (--this.size === 0 && this.capacity > KEPT_MAX) this.clear();
    return true;
  }

  clear(): void {
    this.keys.length = 0;
    this.values.length = 0;
    this.size = 0;
    this.used = 0;
    this.capacity = UNINDEXED_MAX;
    this.index = null;
  }

  /** What is deleted meanwhile is left out; nothing may be added. */
  forEach(each: (value: Value, key: Key) => void): void {
    const { used } = this;
    for (let at = 0; at < used; at++) {
      const key = this.keys[at];
      if (key !== undefined) each(this.values[at] as Value, key);
    }
  }

  /** All there are now. */
  entries(): [Key, Value][] {
    const entries: [Key, Value][] = [];
    this.forEach((value, key) => {
      entries.push([key, value]);
    });
    return entries;
  }

  private find(key: Key): number {
    const { keys, index } = this;
    if (index === null) {
      for (let at = 0; at < this.used; at++) if (keys[at] === key) return at;
      return -1;
    }
    const mask = index.length - 1;
    for (let i = hashOf(key) & mask; ; i = (i + 1) & mask) {
      const at = (index[i] as number) - 1;
      if (at === -1 || keys[at] === key) return at;
    }
  }

  /** Moves all entries to the front; twice the room if they need more than half of it. */
  private tidy(): void {
    const { keys, values, used } = this;
    let to = 0;
    for (let at = 0; at < used; at++) {
      if (keys[at] === undefined) continue;
      keys[to] = keys[at];
      values[to++] = values[at];
    }
    this.used = to;
    for (let at = to; at < used; at++) {
      keys[at] = undefined;
      values[at] = undefined;
    }
    if (to * 2 > this.capacity) {
      this.capacity *= 2;
      this.index = new Int32Array(this.capacity * 2);
    } else this.index?.fill(0);
    if (this.index === null) return;
    for (let at = 0; at < to; at++) enter(this.index, keys[at] as Key, at);
  }
}

function enter(index: Int32Array, key: Ref | Pid, at: number): void {
  const mask = index.length - 1;
  let i = hashOf(key) & mask;
  while (index[i] !== 0) i = (i + 1) & mask;
  index[i] = at + 1;
}

/**
 * Numbers that are counted up must not lie beside each other: who looks for one that has gone would go through all that
 * come after it.
 */
function hashOf(key: Ref | Pid): number {
  const hash = Math.imul(key instanceof Pid ? key.serial : key, 0x9e37_79b1);
  return hash ^ (hash >>> 15);
}
