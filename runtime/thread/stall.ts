/** What can be seen of a thread from outside, also while it is stalled. */
export interface Look {
  /** How long it has waited for something to do, since it began. */
  readonly idleMs: number;
  /** Changes when its scheduler begins or ends a round. */
  readonly beat: number;
}

/** What of its time a quiet thread waits, at least. */
const QUIET_SHARE = 0.75;

/** Tells a thread that does not yield from one that is busy: it neither waits nor gives any other process a turn. */
export class StallTracker {
  /** Since the look before the last it has hardly done anything, and nothing for a process. */
  isQuiet = false;
  private since: number;
  private lookedAt: number;
  private last: Look | undefined;

  constructor(nowMs: number) {
    this.since = nowMs;
    this.lookedAt = nowMs;
  }

  /** For how long nothing has moved, as far as the looks tell. */
  look(nowMs: number, now: Look): number {
    const { last } = this;
    const moved = last === undefined || last.idleMs !== now.idleMs || last.beat !== now.beat;
    this.isQuiet =
      last !== undefined &&
      last.beat === now.beat &&
      now.idleMs - last.idleMs >= QUIET_SHARE * (nowMs - this.lookedAt) &&
      nowMs > this.lookedAt;
    this.last = now;
    this.lookedAt = nowMs;
    if (moved) this.since = nowMs;
    return nowMs - this.since;
  }
}
