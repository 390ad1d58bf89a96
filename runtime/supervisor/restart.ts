import { type ExitReason, isNormalExit } from '../kernel/exit.ts';

/** Pure decisions of a supervisor: who is restarted, with whom, and when it is too much. */

/** Who else is restarted with a child (supervisor, "Supervision Principles"). */
export type Strategy = 'one_for_one' | 'one_for_all' | 'rest_for_one' | 'simple_one_for_one';
/** When a child is restarted: always, after an abnormal end, never. */
export type RestartType = 'permanent' | 'transient' | 'temporary';
/** Which ends of significant children end their supervisor (supervisor, "Automatic Shutdown"). */
export type AutoShutdown = 'never' | 'any_significant' | 'all_significant';

/** Whether one more restart is not too much; `thread`: the child ended with that thread, as others did. */
export type AllowRestart = (thread: number | null) => boolean;

/** Whether a child that ended so is started again (supervisor, "Restart types"). */
export function isRestarted(restart: RestartType, reason: ExitReason): boolean {
  if (restart === 'permanent') return true;
  return restart === 'transient' && !isNormalExit(reason);
}

/** Whether the end of a child makes a `child_terminated` report. */
export function isReported(restart: RestartType, reason: ExitReason): boolean {
  return restart === 'permanent' || !isNormalExit(reason);
}

/** Whether a child that its supervisor stopped ended as it should; otherwise a `shutdown_error` report. */
export function endedAsAsked(restart: RestartType, shutdown: number | string, reason: ExitReason): boolean {
  if (reason === 'shutdown' && (restart !== 'permanent' || shutdown !== 'brutal_kill')) return true;
  if (reason === 'killed' && shutdown === 'brutal_kill') return true;
  return restart !== 'permanent' && isNormalExit(reason);
}

/** The index of the first child that a failure of the child at `index` takes along; all from there on are restarted. */
export function firstAffected(strategy: Strategy, index: number): number {
  return strategy === 'one_for_all' ? 0 : index;
}

/**
 * The restarts of the last period. Keeps the newest `intensity + 1` times: if the oldest of a full window lies within
 * the period, the limit is passed. Constant time, where OTP scans a list that grows with every restart of the period.
 */
export class RestartWindow {
  private readonly times: number[] = [];
  private next = 0;
  /** Threads whose death has been counted. */
  private readonly deaths = new Set<number>();
  private readonly intensity: number;
  private readonly periodMs: number;

  constructor(intensity: number, periodMs: number) {
    this.intensity = intensity;
    this.periodMs = periodMs;
  }

  /**
   * Counts a restart; false if the supervisor must give up. What ended together, with one `thread`, is one failure and
   * counts once.
   */
  allow(nowMs: number, thread: number | null = null): boolean {
    if (thread !== null) {
      if (this.deaths.has(thread)) return true;
      this.deaths.add(thread);
    }
    this.times[this.next] = nowMs;
    this.next = (this.next + 1) % (this.intensity + 1);
    if (this.times.length <= this.intensity) return true;
    const oldest = this.times[this.next] as number;
    return oldest < nowMs - this.periodMs;
  }
}
