import { TABLE_BLOCK_ROWS } from '../limits.ts';
import { compareTerms, ownTerm } from './term-order.ts';

/** A run of neighbouring rows, in order. Never empty. */
interface Block {
  readonly keys: unknown[];
  readonly values: unknown[];
}

/** Where a key is, or would have to be: `block` is past the last one only if the map is empty. */
interface Place {
  readonly block: number;
  readonly index: number;
  readonly found: boolean;
}

/** Which rows: keys from `from` (itself included) up to `to` (itself not), upwards or downwards. */
export interface SortedRange<K> {
  /** The lowest key, itself included. Default: the first. */
  readonly from?: K;
  /** Where it ends: below this key. Default: with the last. */
  readonly to?: K;
  /** From the upper end to the lower. Default false. */
  readonly reverse?: boolean;
}

/**
 * A map whose keys are in the order of terms. Rows lie in blocks of bounded length: finding one takes two binary
 * searches, inserting one moves part of a block. That is faster in this language than a tree of nodes, up to millions
 * of rows.
 */
export class SortedMap<K = unknown, V = unknown> {
  size = 0;
  private blocks: Block[] = [];
  /** Counts insertions and removals: whoever iterates looks for its place again when it has changed. */
  private version = 0;
  private readonly blockRows: number;

  constructor(blockRows: number = TABLE_BLOCK_ROWS) {
    this.blockRows = blockRows;
  }

  get(key: K): V | undefined {
    const place = this.find(key);
    return place.found ? (this.blocks[place.block]?.values[place.index] as V) : undefined;
  }

  has(key: K): boolean {
    return this.find(key).found;
  }

  /** A key that is equal in the order but of another type (1 and 1n) replaces the one that is there. */
  set(key: K, value: V): void {
    const own = ownTerm(key);
    const { block: at, index, found } = this.find(own);
    const block = this.blocks[at];
    if (block === undefined) {
      this.blocks.push({ keys: [own], values: [value] });
    } else if (found) {
      block.keys[index] = own;
      block.values[index] = value;
      return;
    } else {
      block.keys.splice(index, 0, own);
      block.values.splice(index, 0, value);
      if (block.keys.length > this.blockRows) this.split(at, block);
    }
    this.size++;
    this.version++;
  }

  delete(key: K): boolean {
    const { block: at, index, found } = this.find(key);
    const block = this.blocks[at];
    if (!found || block === undefined) return false;
    block.keys.splice(index, 1);
    block.values.splice(index, 1);
    this.size--;
    this.version++;
    if (block.keys.length === 0) this.blocks.splice(at, 1);
    else this.merge(at, block);
    return true;
  }

  clear(): void {
    this.blocks = [];
    this.size = 0;
    this.version++;
  }

  /** Changes between two rows are seen from there on; a row that stays is shown once. */
  *entries(range: SortedRange<K> = {}): Generator<[K, V], void, undefined> {
    const { from, to, reverse = false } = range;
    let place = this.begin(range);
    for (;;) {
      const block = this.blocks[place.block];
      if (block === undefined) return;
      const key = block.keys[place.index] as K;
      if (reverse ? from !== undefined && compareTerms(key, from) < 0 : to !== undefined && compareTerms(key, to) >= 0)
        return;
      const { version } = this;
      yield [key, block.values[place.index] as V];
      if (version !== this.version) place = reverse ? this.below(key) : this.above(key);
      else place = reverse ? this.before(place) : this.settled(place.block, place.index + 1);
    }
  }

  /** The lowest key. */
  first(): K | '$end_of_table' {
    return this.keyAt(this.settled(0, 0));
  }

  /** The highest key. */
  last(): K | '$end_of_table' {
    return this.keyAt(this.end());
  }

  /** The lowest key above, whether the given one is there or not. */
  next(key: K): K | '$end_of_table' {
    return this.keyAt(this.above(key));
  }

  /** The highest key below, whether the given one is there or not. */
  prev(key: K): K | '$end_of_table' {
    return this.keyAt(this.below(key));
  }

  private keyAt({ block, index }: Place): K | '$end_of_table' {
    const found = this.blocks[block];
    return found === undefined ? '$end_of_table' : (found.keys[index] as K);
  }

  private begin({ from, to, reverse = false }: SortedRange<K>): Place {
    if (reverse) return to === undefined ? this.end() : this.below(to);
    if (from === undefined) return this.settled(0, 0);
    const { block, index } = this.find(from);
    return this.settled(block, index);
  }

  private end(): Place {
    return this.before({ block: this.blocks.length, index: 0, found: false });
  }

  private above(key: K): Place {
    const { block, index, found } = this.find(key);
    return this.settled(block, found ? index + 1 : index);
  }

  private below(key: K): Place {
    return this.before(this.find(key));
  }

  private before({ block, index }: Place): Place {
    if (index > 0) return { block, index: index - 1, found: true };
    const previous = this.blocks[block - 1];
    return { block: block - 1, index: previous === undefined ? 0 : previous.keys.length - 1, found: true };
  }

  /** A place behind the end of its block is the beginning of the next one. */
  private settled(at: number, index: number): Place {
    const block = this.blocks[at];
    const past = block !== undefined && index >= block.keys.length;
    return past ? { block: at + 1, index: 0, found: true } : { block: at, index, found: true };
  }

  private find(key: unknown): Place {
    const at = this.blockOf(key);
    const block = this.blocks[at];
    if (block === undefined) {
      compareTerms(key, key); // refuses what is no key, also while there is nothing to compare it with
      return { block: at, index: 0, found: false };
    }
    const { keys } = block;
    let low = 0;
    let high = keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = compareTerms(keys[middle], key);
      if (order === 0) return { block: at, index: middle, found: true };
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return { block: at, index: low, found: false };
  }

  /** The first block whose last key is not below, else the last one. */
  private blockOf(key: unknown): number {
    let low = 0;
    let high = this.blocks.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const keys = (this.blocks[middle] as Block).keys;
      if (compareTerms(keys[keys.length - 1], key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private split(at: number, block: Block): void {
    const half = block.keys.length >>> 1;
    const upper = { keys: block.keys.splice(half), values: block.values.splice(half) };
    this.blocks.splice(at + 1, 0, upper);
  }

  /** Two small neighbours become one, so that many removals do not leave many small blocks. */
  private merge(at: number, block: Block): void {
    const next = this.blocks[at + 1];
    if (next === undefined || block.keys.length + next.keys.length > this.blockRows / 2) return;
    block.keys.push(...next.keys);
    block.values.push(...next.values);
    this.blocks.splice(at + 1, 1);
  }
}
