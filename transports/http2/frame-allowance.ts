/**
 * How many frames of a kind a client may send: up to `max` at once, and then as many as flow back, `max` in `windowMs`.
 * Pure: the time is given.
 */
export class FrameAllowance {
  private readonly max: number;
  private readonly perMs: number;
  private level = 0;
  private lastMs = 0;

  constructor(max: number, windowMs: number) {
    this.max = max;
    this.perMs = max / windowMs;
  }

  /** Takes one; false if there was none left. */
  take(nowMs: number): boolean {
    this.level = Math.max(0, this.level - (nowMs - this.lastMs) * this.perMs) + 1;
    this.lastMs = nowMs;
    return this.level <= this.max;
  }
}
