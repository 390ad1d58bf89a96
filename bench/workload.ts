/** What the harness knows of a workload, and what a workload hands back. */

export interface RunOptions {
  /** How often each contender is measured. Default: the workload's own. */
  readonly rounds: number | undefined;
  /** Multiplies the counts of operations; tests use tiny ones. Default 1. */
  readonly scale: number;
  /** How long a workload that has a length of its own runs. Default: its own. */
  readonly minutes: number | undefined;
  /** Where a workload that draws anything begins. Default: another one each time; it is printed. */
  readonly seed: number | undefined;
  /** Names of contenders; `ours` stands for `ours-2025-11-25` too. Default: all that can run here. */
  readonly contenders: readonly string[] | undefined;
  /** Called as soon as an operation has been measured. */
  readonly measured: (rows: readonly Row[]) => void;
  /** Called with what the reader must know, such as a contender that cannot run here. */
  readonly note: (text: string) => void;
}

export interface Aim {
  /** At least this many times the rate of the reference. */
  readonly ratio?: number;
  /** The contender that the ratio is to. Default: the workload's reference. */
  readonly over?: string;
  /** At most this, in the row's unit; of the median. */
  readonly atMost?: number;
}

/** One operation of one contender. The lower a value, the better, whatever the unit. */
export interface Row {
  readonly operation: string;
  readonly contender: string;
  readonly unit: 'ns CPU' | 'us CPU' | 'ms CPU' | 'B' | 'ns' | 'us' | 'ms' | 'count';
  /** One per round. */
  readonly values: readonly number[];
  readonly aims?: readonly Aim[];
}

export interface Workload {
  readonly name: string;
  /** One line above the table: what a value is. */
  readonly title: string;
  /** The contender that ratios are relative to, if there are several. */
  readonly reference?: string;
  run(options: RunOptions): Promise<void>;
}

/** Whether the person who runs the workload asked for this contender. */
export function isWanted(contender: string, { contenders }: RunOptions): boolean {
  if (contenders === undefined) return true;
  return contenders.some((name) => contender === name || contender.startsWith(`${name}-`));
}

/** A count under the scale of the run; at least one. */
export function scaled(count: number, { scale }: RunOptions): number {
  return Math.max(1, Math.round(count * scale));
}
