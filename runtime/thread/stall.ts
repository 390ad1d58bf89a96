/** What can be seen of a thread from outside, also while it is stalled. */
export interface Look {
  /** How long it has waited for something to do, since it began. */
  readonly idleMs: number;
  /** Changes when its scheduler begins or ends a round. */
  readonly beat: number;
}

/** Tells a thread that does not yield from one that is busy: it neither waits nor gives any other process a turn. */
export class StallTracker {
  private since: number;
  private last: Look | undefined;

  constructor(nowMs: number) {
    this.since = nowMs;
  }

  /** For how long nothing has moved, as far as the looks tell. */
  look(nowMs: number, now: Look): number {
    const moved = this.last === undefined || this.last.idleMs !== now.idleMs || this.last.beat !== now.beat;
    this.last = now;
    if (moved) this.since = nowMs;
    return nowMs - this.since;
  }
}
