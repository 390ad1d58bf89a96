/** What can be seen of a thread from outside, also while it is stalled. */
export interface Look {
  /** How long it has waited for something to do, since it began. */
  readonly idleMs: number;
  /** Changes when its scheduler begins or ends a round. */
  readonly beat: number;
}

/** Tells a thread that is stalled from one that is busy: it neither waits nor gives any other process a turn. */
export class StallTracker {
  private since: number;
  private last: Look | undefined;
  private readonly stallMs: number;

  constructor(nowMs: number, stallMs: number) {
    this.since = nowMs;
    this.stallMs = stallMs;
  }

  /** `'suspect'`: nothing has moved since the last look. */
  look(nowMs: number, now: Look): 'fine' | 'suspect' | 'stalled' {
    const moved = this.last === undefined || this.last.idleMs !== now.idleMs || this.last.beat !== now.beat;
    this.last = now;
    if (moved) {
      this.since = nowMs;
      return 'fine';
    }
    return nowMs - this.since >= this.stallMs ? 'stalled' : 'suspect';
  }
}
