import type { Pid, System } from '../../runtime/index.ts';
import type { Making } from './child-specs.ts';
import type { Gate } from './gate.ts';
import type { Recorder } from './recorder.ts';

/** Where a scenario is replayed, and how time passes there. */
export interface Setting {
  readonly system: System;
  /** The supervisor under which the root of the scenario is started. */
  readonly top: Pid;
  readonly making: Making;
  readonly recorder: Recorder;
  /** What a call brings, however long it takes. */
  answer<T>(promise: Promise<T>): Promise<T>;
  sleep(ms: number): Promise<void>;
  /** Until nothing happens any more. Rejects if that never comes. */
  untilAtRest(): Promise<void>;
  /** The same, without asking anybody who may be blocked; or until somebody waits at the gate. */
  untilQuiet(gate: Gate): Promise<void>;
  /** What the driver has sent so far is in the mailboxes. */
  untilDelivered(): Promise<void>;
}
