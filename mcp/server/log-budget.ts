/** What the event streams of all sessions of a node keep together. */

/** A log that can be made shorter. */
export interface Shortened {
  /** Forgets its oldest event; false if it has none. */
  forgetOldest(): boolean;
}

/**
 * Bounds the characters of the events that all logs of a node keep: past it the log that was written to the longest ago
 * forgets its oldest events first, since its client is the least likely to come back for them.
 */
export class LogBudget {
  readonly #charsMax: number;
  /** In the order in which they were last written to. */
  readonly #logs = new Set<Shortened>();
  #chars = 0;

  constructor(charsMax: number) {
    this.#charsMax = charsMax;
  }

  get chars(): number {
    return this.#chars;
  }

  /** A log has that much more; what it keeps may be less afterwards. */
  taken(log: Shortened, chars: number): void {
    this.#chars += chars;
    this.#logs.delete(log);
    this.#logs.add(log);
    for (const each of this.#logs) {
      while (this.#chars > this.#charsMax && each.forgetOldest());
      if (this.#chars <= this.#charsMax) return;
      this.#logs.delete(each);
    }
  }

  /** A log has that much less. */
  given(chars: number): void {
    this.#chars -= chars;
  }

  /** A log is not kept any more. */
  gone(log: Shortened, chars: number): void {
    this.#logs.delete(log);
    this.#chars -= chars;
  }
}
