import type { ExitReason } from '../kernel/exit.ts';
import type { Pid } from '../kernel/pid.ts';
import type { Call } from '../kernel/protocol.ts';
import type { ChildSpec } from './child-spec.ts';

/**
 * A row of `whichChildren`. `pid` is undefined for a child that does not run, `'restarting'` while a failed restart is
 * retried.
 */
export interface ChildInfo {
  readonly id: string;
  readonly pid: Pid | 'restarting' | undefined;
  readonly type: 'worker' | 'supervisor';
}

/** What `countChildren` counts. */
export interface ChildCount {
  /** Specifications; 1 under `'simple_one_for_one'`. */
  readonly specs: number;
  /** Children that run. */
  readonly active: number;
  /** Children of that type, whether they run or not. */
  readonly supervisors: number;
  readonly workers: number;
}

/** `ok` is undefined if init returned `ignore()`. `child` is the specification that could not be started. */
export type StartChildResult =
  | { readonly ok: Pid | undefined }
  | { readonly error: ExitReason; readonly child?: ChildSpec };

/** What stopping or forgetting a child brings. */
export type ChildResult = 'ok' | { readonly error: ExitReason };

/** The calls that a supervisor answers; reached through the functions of `supervisor.ts`. */
export interface SupervisorProtocol {
  readonly call: {
    readonly startChild: Call<unknown, StartChildResult>;
    readonly terminateChild: Call<string | Pid, ChildResult>;
    readonly restartChild: Call<string, StartChildResult>;
    readonly deleteChild: Call<string, ChildResult>;
    readonly whichChildren: Call<void, readonly ChildInfo[]>;
    readonly countChildren: Call<void, ChildCount>;
    readonly getChildSpec: Call<string | Pid, { readonly ok: ChildSpec } | { readonly error: 'not_found' }>;
  };
  readonly cast: { readonly tryAgainRestart: string | Pid };
}
