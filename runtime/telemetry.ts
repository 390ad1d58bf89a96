import { type Channel, channel } from 'node:diagnostics_channel';
import type { ExitReason } from './kernel/exit.ts';
import type { MailboxPolicy } from './kernel/mailbox-bound.ts';
import type { Pid } from './kernel/pid.ts';
import type { DebugEvent } from './server/sys-debug.ts';
import type { RestartType } from './supervisor/restart.ts';

/** What every event says about where it comes from. `system` is the name given to `startSystem`. */
export interface Event extends Ordered {
  readonly system: string;
  readonly pid: Pid;
}

/**
 * Events of the threads of a system reach the thread that started it in the order of their own thread, but those of two
 * threads as they come. Sorted by `order` they stand as they happened: none before one that has led to it.
 */
interface Ordered {
  /**
   * Taken where and when the event was published, from the numbers that `uniqueInteger` gives out. Only in a system
   * with `threads`: without them events come as they happen.
   */
  readonly order?: number;
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
  /** The processes that the exit signal goes to. */
  readonly links: readonly Pid[];
  readonly trapExit: boolean;
  /** Messages that are lost with it. */
  readonly messageQueueLen: number;
  readonly reason: ExitReason;
  /** The message being handled, if the process is a server. */
  readonly lastMessage?: { readonly kind: string; readonly tag: string; readonly payload: unknown };
  /** Who waits for the reply to it, if it is a call. */
  readonly client?: { readonly pid: Pid; readonly name: string | null };
  /** The state when it failed, through `formatStatus` if the server has one. */
  readonly state?: unknown;
  /** True if the process had already exited: code that it left behind failed, and nobody was ended. */
  readonly late?: boolean;
}

/** The child a supervisor report speaks of. */
export interface ReportedChild {
  /** Undefined for children of a `simple_one_for_one` supervisor. */
  readonly id: string | undefined;
  /** Undefined if it had not started, or several are meant. */
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
  /**
   * `'child_terminated'`: a child has ended by itself; `'start_error'`: a start or restart failed; `'shutdown_error'`:
   * a child ended otherwise than it was told; `'shutdown'`: the supervisor gives up.
   */
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

/** Channel `beamish:mailbox-warning`: a bounded mailbox is full; at the first, second, fourth, eighth … message. */
export interface MailboxWarning extends Event {
  readonly name: string | null;
  readonly label: string | null;
  readonly initialCall: string;
  readonly max: number;
  readonly policy: MailboxPolicy;
  /** Messages turned away or dropped since the process started. */
  readonly dropped: number;
}

/** Channel `beamish:sys-trace`: what a process does while `sys.trace` is on. */
export interface SysTrace extends Event {
  readonly event: DebugEvent;
}

/** Channel `beamish:event-handler-report`: an event handler failed and was removed (gen_event). `pid`: its manager. */
export interface EventHandlerReport extends Event {
  readonly handler: { readonly module: string; readonly exportName: string; readonly id: string | undefined };
  readonly reason: ExitReason;
  /** The state of the handler, through its `formatStatus`; undefined if it failed to take the place of another. */
  readonly state: unknown;
  /** What it handled; not there if its `terminate` failed. */
  readonly lastMessage?: { readonly kind: string; readonly tag: string; readonly payload: unknown };
}

/**
 * Channel `beamish:application-report`: an application was started, has ended or was stopped (reason `'stopped'`), or
 * its `prepStop` or `stop` failed. `pid` is the application controller, or the process above the application.
 */
export interface ApplicationReport extends Event {
  /** Its name. */
  readonly application: string;
  readonly event: 'started' | 'exited' | 'callback_failed';
  readonly type?: RestartType;
  readonly reason?: ExitReason;
  /** Of `'callback_failed'`: which one; `reason` is what it threw. */
  readonly callback?: 'prepStop' | 'stop';
}

/**
 * Channel `beamish:compute-fault`: a job of a compute pool was ended with its thread (its deadline, its signal, the
 * exit of its caller, the limits of the thread, `process.exit`); or something it had left behind failed. `pid`: the
 * pool.
 */
export interface ComputeFault extends Event {
  /** The export name of the job. */
  readonly job: string;
  readonly reason: ExitReason;
  /** True if the job had ended before: nothing else was ended. */
  readonly late: boolean;
}

/**
 * Channel `beamish:thread-exit`: a worker thread has ended, and all its processes with it, with that reason. Published
 * on the thread that started the system, before any link or monitor learns of it. Not for a thread of one process that
 * ended with it in order.
 */
export interface ThreadExit extends Ordered {
  readonly system: string;
  readonly thread: number;
  /** Null if it was started for one isolated process. */
  readonly group: string | null;
  readonly reason: ExitReason;
  /** It was terminated because it did not yield. */
  readonly stalled: boolean;
  /** Who did not yield, if it was a process in its turn. */
  readonly running: Pid | undefined;
  /** How many processes it had. */
  readonly processes: number;
  /** False if it has never run: it is started again after a while, longer each time. */
  readonly ready: boolean;
}

/**
 * Channel `beamish:message-lost`: a message to another thread was lost, since it changed after it was sent, or is that
 * of a timer and cannot cross.
 */
export interface MessageLost extends Ordered {
  readonly system: string;
  readonly from: number;
  readonly to: number;
  readonly error: unknown;
}

/** The names of the channels; subscribe with `node:diagnostics_channel`. */
export const channels = {
  processStart: 'beamish:process-start',
  processExit: 'beamish:process-exit',
  crashReport: 'beamish:crash-report',
  supervisorReport: 'beamish:supervisor-report',
  progressReport: 'beamish:progress-report',
  unexpectedMessage: 'beamish:unexpected-message',
  mailboxWarning: 'beamish:mailbox-warning',
  sysTrace: 'beamish:sys-trace',
  eventHandlerReport: 'beamish:event-handler-report',
  applicationReport: 'beamish:application-report',
  computeFault: 'beamish:compute-fault',
  threadExit: 'beamish:thread-exit',
  messageLost: 'beamish:message-lost',
} as const;

export const processStart: Channel = channel(channels.processStart);
export const processExit: Channel = channel(channels.processExit);
export const crashReport: Channel = channel(channels.crashReport);
export const supervisorReport: Channel = channel(channels.supervisorReport);
export const progressReport: Channel = channel(channels.progressReport);
export const unexpectedMessage: Channel = channel(channels.unexpectedMessage);
export const mailboxWarning: Channel = channel(channels.mailboxWarning);
export const sysTrace: Channel = channel(channels.sysTrace);
export const eventHandlerReport: Channel = channel(channels.eventHandlerReport);
export const applicationReport: Channel = channel(channels.applicationReport);
export const computeFault: Channel = channel(channels.computeFault);
export const threadExit: Channel = channel(channels.threadExit);
export const messageLost: Channel = channel(channels.messageLost);
