import type { Pid } from './pid.ts';
import { pidSetValues } from './pid-set.ts';
import { type Process, RUNNABLE, RUNNING, WAITING } from './process.ts';

/** What `processInfo` tells about a process (erlang:process_info/1). */
export interface ProcessInfo {
  readonly pid: Pid;
  readonly registeredName: string | null;
  /** See `ctx.setLabel`. */
  readonly label: string | null;
  /**
   * `'running'`: its code is on the stack. `'runnable'`: it will have its turn. `'waiting'`: for a message, or for the
   * promise of a callback (`currentCall` is set then). `'suspended'`: by `sys.suspend`.
   */
  readonly status: 'running' | 'runnable' | 'waiting' | 'suspended';
  /** What was started: `module#export`, or the name of a function. */
  readonly initialCall: string;
  /** The tag of the message that is being handled, `'init'`, `'terminate'`, `'run'`; null between two messages. */
  readonly currentCall: string | null;
  readonly parent: Pid | null;
  /** Its parent first, then that one's parent …; they may have exited. */
  readonly ancestors: readonly Pid[];
  readonly links: readonly Pid[];
  /** Whom it monitors, and who monitors it; a process once for each monitor. */
  readonly monitors: readonly Pid[];
  readonly monitoredBy: readonly Pid[];
  readonly trapExit: boolean;
  /** How many messages wait in its mailbox. */
  readonly messageQueueLen: number;
  /** Null if the mailbox has no bound. */
  readonly mailboxMax: number | null;
  /** Messages that a bounded mailbox has turned away or dropped. */
  readonly dropped: number;
  /** Messages handled so far, init included, up to its last turn. */
  readonly reductions: number;
}

export function describeProcess(process: Process): ProcessInfo {
  const { pid, name, label, initialCall, parent, ancestors, trapExit, reductions, bound } = process;
  const busy = process.status === RUNNING || process.status === WAITING;
  return {
    pid,
    registeredName: name,
    label,
    status: statusOf(process),
    initialCall,
    currentCall: busy ? process.runner.handling : null,
    parent,
    ancestors,
    links: [...pidSetValues(process.links)],
    monitors: [...(process.monitors?.values() ?? [])],
    monitoredBy: [...(process.monitoredBy?.values() ?? [])].map(({ watcher }) => watcher),
    trapExit,
    messageQueueLen: process.queueLength,
    mailboxMax: bound === null ? null : bound.max,
    dropped: bound === null ? 0 : bound.dropped,
    reductions,
  };
}

function statusOf({ status, suspended }: Process): ProcessInfo['status'] {
  if (status === RUNNING) return 'running';
  if (suspended) return 'suspended';
  return status === RUNNABLE ? 'runnable' : 'waiting';
}
