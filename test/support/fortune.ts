/** Chance from a seed: the same seed, the same choices (mulberry32). */
export class Fortune {
  private state: number;

  constructor(seed: number) {
    this.state = seed | 0;
  }

  /** 0 to `most` - 1. */
  below(most: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * most);
  }

  /** One of these, each as likely as its weight. */
  weighted<T extends string>(weights: Readonly<Record<T, number>>): T {
    const all = Object.entries(weights) as [T, number][];
    let at = this.below(all.reduce((sum, [, weight]) => sum + weight, 0));
    for (const [what, weight] of all) {
      if (at < weight) return what;
      at -= weight;
    }
    throw new RangeError('there is nothing to choose from');
  }
}
