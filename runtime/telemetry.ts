import { type Channel, channel } from 'node:diagnostics_channel';
import type { ExitReason } from './exit.ts';
import type { Pid } from './pid.ts';

/** What every event says about where it comes from. `system` is the name given to `startSystem`. */
interface Event {
  readonly system: string;
  readonly pid: Pid;
}

/** Channel `beamish:process-start`: a process was spawned; its init has not run yet. */
export interface ProcessStart extends Event {
  readonly parent: Pid | null;
  readonly initialCall: string;
}

/** Channel `beamish:process-exit`: a process ended; published before any link or monitor learns of it. */
export interface ProcessExitEvent extends Event {
  readonly reason: ExitReason;
  readonly label: string | null;
  readonly initialCall: string;
}

/** Channel `beamish:crash-report`: code of a process failed (proc_lib crash report, gen_server error report). */
export interface CrashReport extends Event {
  readonly name: string | null;
  readonly label: string | null;
  readonly initialCall: string;
  readonly ancestors: readonly Pid[];
  readonly reason: ExitReason;
  /** The message being handled, if the process is a server. */
  readonly lastMessage?: { readonly kind: string; readonly tag: string; readonly payload: unknown };
  /** The state when it failed, through `formatStatus` if the server has one. */
  readonly state?: unknown;
  /** True if the process had already exited: code that it left behind failed, and nobody was ended. */
  readonly late?: boolean;
}

/** The child a supervisor report speaks of. */
export interface ReportedChild {
  /** Undefined for children of a `simple_one_for_one` supervisor. */
  readonly id: string | undefined;
  readonly pid: Pid | 'restarting' | undefined;
  readonly label: string | null;
  readonly start: { readonly module: string; readonly exportName: string };
  readonly restart: string;
  readonly shutdown: number | string;
  readonly type: string;
  /** Set when one report covers several children that ended alike during a shutdown. */
  readonly count?: number;
}

/** Channel `beamish:supervisor-report` (supervisor, SASL error report). `pid` is the supervisor. */
export interface SupervisorReport extends Event {
  /** Its registered name, else the id it has in its own parent. */
  readonly supervisor: string;
  readonly errorContext: 'start_error' | 'child_terminated' | 'shutdown_error' | 'shutdown';
  readonly reason: ExitReason;
  readonly offender: ReportedChild;
}

/** Channel `beamish:progress-report`: a supervisor started a child. `pid` is the supervisor. */
export interface ProgressReport extends Event {
  readonly supervisor: string;
  readonly started: ReportedChild;
}

/** Channel `beamish:unexpected-message`: a server without a clause for an info message dropped it. */
export interface UnexpectedMessage extends Event {
  readonly tag: string;
  readonly payload: unknown;
}

/** The names of the channels; subscribe with `node:diagnostics_channel`. */
export const channels = {
  processStart: 'beamish:process-start',
  processExit: 'beamish:process-exit',
  crashReport: 'beamish:crash-report',
  supervisorReport: 'beamish:supervisor-report',
  progressReport: 'beamish:progress-report',
  unexpectedMessage: 'beamish:unexpected-message',
} as const;

export const processStart: Channel = channel(channels.processStart);
export const processExit: Channel = channel(channels.processExit);
export const crashReport: Channel = channel(channels.crashReport);
export const supervisorReport: Channel = channel(channels.supervisorReport);
export const progressReport: Channel = channel(channels.progressReport);
export const unexpectedMessage: Channel = channel(channels.unexpectedMessage);
