import type { Principal } from '../authorization/principal.ts';

/** Who sends a token, found out once. */
export interface Verified {
  readonly principal: Principal;
  /** When it is to be found out again, in milliseconds since 1970. */
  readonly goodUntilMs: number;
}

/** Verified tokens by the digests of them; the least recently used goes first. No process, no clock. */
export class TokenCache {
  readonly #entries = new Map<string, Verified>();
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string, nowMs: number): Verified | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    if (entry.goodUntilMs <= nowMs) return undefined;
    this.#entries.set(key, entry);
    return entry;
  }

  set(key: string, entry: Verified): void {
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (this.#entries.size <= this.#max) return;
    const [oldest] = this.#entries.keys();
    this.#entries.delete(oldest!);
  }
}
