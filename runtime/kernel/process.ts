import type { TableData } from '../table/table-data.ts';
import type { AliasOptions } from './alias.ts';
import type { Culprit } from './attribution.ts';
import { initialCallOf, type StartedCode } from './behaviour.ts';
import type { Deadline } from './deadline.ts';
import type { ExitReason } from './exit.ts';
import { IdMap } from './id-map.ts';
import { Mailbox } from './mailbox.ts';
import type { Message } from './message.ts';
import type { OpenCall } from './pending-call.ts';
import type { Dest, Pid, Ref } from './pid.ts';
import type { PidSet } from './pid-set.ts';
import type { Port } from './port.ts';
import type { RefMap } from './ref-map.ts';
import type { Timer } from './timers.ts';

/** Nothing to do. */
export const IDLE = 0;
/** In the run queue. */
export const RUNNABLE = 1;
/** In a callback, on the stack. */
export const RUNNING = 2;
/** In a callback whose promise is pending: the mailbox stays closed. */
export const WAITING = 3;
/** Gone for the kernel; code of it may still run until its next `await`. */
export const EXITED = 4;
/** Suspended, with nothing in the mailbox that it may have. */
export const SUSPENDED = 5;

// How its turns go, `mode`: one field for all that is not usual, so that a usual turn looks once.

/** Its first step has not run. */
export const NEW = 0;
/** It gets its messages in order. */
export const SERVING = 1;
/** Suspended: it gets nothing but system requests and the exit signal of its parent (sys:suspend/1). */
export const HALTED = 2;
/** It has sent more to another thread than that has taken: it gets nothing until there is room. */
export const BLOCKED = 3;

/**
 * What a process runs: a behaviour's loop, or a function. Each step returns nothing, or a promise for which the process
 * waits with its mailbox closed; its outcome comes back through `settled` or `failed`, as does what a step throws.
 */
export interface Runner {
  /** The first step of the process: init. */
  boot(): unknown;
  /** One message. */
  handle(message: Message): unknown;
  settled(value: unknown): unknown;
  failed(error: unknown): unknown;
  /** The process has exited: let go of timers. */
  exited(): void;
  /** The tag being handled, for reports. */
  readonly handling: string;
}

/** How a start went: `{ ok }`, `'ignore'` (init declined) or `{ error }` with the exit reason. */
export type StartResult<P extends object = any> = { readonly ok: Pid<P> } | 'ignore' | { readonly error: ExitReason };

/** How a start with a monitor went; see `Context.startMonitor`. */
export type StartMonitorResult<P extends object = any> =
  | { readonly ok: { readonly pid: Pid<P>; readonly ref: Ref } }
  | 'ignore'
  | { readonly error: ExitReason };

export interface MonitorRecord {
  readonly watcher: Pid;
  /** The tag of the message. */
  readonly tag: string;
  /** What DOWN reports as the watched one: the pid, or what was monitored in its stead. */
  readonly object: Dest;
}

/** A `receive` that waits for its message. */
export interface Receiver {
  match(message: Message): boolean;
  settle(message: Message): void;
  /** The process has exited: it never settles. */
  cancel(): void;
}

/** A process and those it descends from; shared by all children of one parent. */
export interface Lineage {
  readonly pid: Pid;
  readonly up: Lineage | null;
}

/** One process. All fields are set here, in one order, so that every process has one hidden class. */
export class Process extends Mailbox {
  readonly pid: Pid;
  /** Parent first, then its parent … (proc_lib: $ancestors). */
  readonly parents: Lineage | null;
  private ownLineage: Lineage | null = null;
  /** What was started. */
  private readonly code: StartedCode;
  runner: Runner;
  status: number = RUNNABLE;
  mode: number = NEW;
  /** What `mode` was when the process was blocked. */
  private unblocked: number = SERVING;
  /** Its parent has exited, and the exit signal of that is in its mailbox: it is on its way out. */
  orphaned = false;
  trapExit = false;
  /** Messages handled so far. */
  reductions = 0;
  /** Set if uncaught errors of its code are to be blamed on it. */
  culprit: Culprit | null = null;
  name: string | null = null;
  label: string | null = null;
  links: PidSet = null;
  /** Monitors this process holds: ref -> watched. */
  monitors: RefMap<Pid> | null = null;
  monitoredBy: RefMap<MonitorRecord> | null = null;
  receiver: Receiver | null = null;
  /** The call being handled, and those answered with noreply: they fail if the process ends first. */
  currentCall: OpenCall | null = null;
  deferredCalls: RefMap<OpenCall> | null = null;
  aliases: Map<Ref, AliasOptions> | null = null;
  timers: RefMap<Timer> | null = null;
  tables: Set<TableData> | null = null;
  ports: Set<Port> | null = null;
  abort: AbortController | null = null;
  /** An exit that the process brought on itself in the middle of a callback; carried out when the callback yields. */
  pendingExit: { readonly reason: ExitReason } | null = null;
  /** Tells the starter how init went; null once told. */
  ack: ((result: StartResult) => void) | null = null;
  handlerTimeoutMs = 0;
  handlerDeadline: Deadline | null = null;
  /** The continuations of a pending callback, made once per process that ever waits. */
  onSettled: ((value: unknown) => void) | null = null;
  onFailed: ((error: unknown) => void) | null = null;

  constructor(pid: Pid, parents: Lineage | null, code: StartedCode, runner: Runner) {
    super();
    this.pid = pid;
    this.parents = parents;
    this.code = code;
    this.runner = runner;
  }

  /** Lets go of what an idle process keeps for later use. */
  override compact(): void {
    super.compact();
    if (this.monitors?.size === 0) this.monitors = null;
    if (this.monitoredBy?.size === 0) this.monitoredBy = null;
    if (this.deferredCalls?.size === 0) this.deferredCalls = null;
    if (this.aliases?.size === 0) this.aliases = null;
    if (this.timers?.size === 0) this.timers = null;
    if (this.ports?.size === 0) this.ports = null;
    if (this.links instanceof IdMap && this.links.size === 0) this.links = null;
    this.onSettled = null;
    this.onFailed = null;
  }

  /** What was started, for reports: `module#export` or a function's name (proc_lib: $initial_call). */
  get initialCall(): string {
    return initialCallOf(this.code);
  }

  get suspended(): boolean {
    return this.mode === HALTED;
  }

  suspend(): void {
    this.mode = HALTED;
    this.status = SUSPENDED; // the scheduler sees it when the step is over
  }

  resume(): void {
    this.mode = SERVING;
  }

  /** Its turns are over until `unblock`; the step that it is in goes on. */
  block(): void {
    if (this.mode === BLOCKED) return;
    this.unblocked = this.mode;
    this.mode = BLOCKED; // the scheduler sees it when the step is over
  }

  unblock(): void {
    if (this.mode === BLOCKED) this.mode = this.unblocked;
  }

  get parent(): Pid | null {
    return this.parents === null ? null : this.parents.pid;
  }

  get ancestors(): Pid[] {
    const pids: Pid[] = [];
    for (let line = this.parents; line !== null; line = line.up) pids.push(line.pid);
    return pids;
  }

  lineage(): Lineage {
    this.ownLineage ??= { pid: this.pid, up: this.parents };
    return this.ownLineage;
  }
}
