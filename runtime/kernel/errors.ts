import { type CallExit, describeExit, type ExitReason, errorExit, type TaskExit } from './exit.ts';

/**
 * A call that brought no reply. `code`:
 *
 * - `ERR_CALL_TIMEOUT`: no reply within the time; the server goes on, and its late reply is dropped. `reason`
 *   `'timeout'`.
 * - `ERR_CALL_NOPROC`: no such process or name. `reason` `'noproc'`.
 * - `ERR_CALL_SELF`: a process called itself. `reason` `'calling_self'`.
 * - `ERR_CALL_EXIT`: the server ended before it replied. `reason` is its exit reason.
 * - `ERR_CALL_OVERLOAD`: the bounded mailbox of the server is full. `reason` `'overload'`.
 * - `ERR_SYS_CALLBACK`: a function given to `sys` threw in the server, where it changed nothing. `reason` `{
 *   callback_failed: { error, stack } }`.
 *
 * Uncaught in a process, it ends that process with `{ reason, call: { dest, tag } }` (gen_server:call/3).
 */
export class CallError extends Error {
  override readonly name = 'CallError';
  readonly code:
    | 'ERR_CALL_TIMEOUT'
    | 'ERR_CALL_NOPROC'
    | 'ERR_CALL_SELF'
    | 'ERR_CALL_EXIT'
    | 'ERR_CALL_OVERLOAD'
    | 'ERR_SYS_CALLBACK';
  readonly reason: ExitReason;
  readonly dest: string;
  readonly tag: string;

  constructor(code: CallError['code'], reason: ExitReason, dest: string, tag: string) {
    super(`call '${tag}' to ${dest}: ${describeExit(reason)}`);
    this.code = code;
    this.reason = reason;
    this.dest = dest;
    this.tag = tag;
  }

  get exitReason(): CallExit {
    return { reason: this.reason, call: { dest: this.dest, tag: this.tag } };
  }
}

/**
 * A task that brought no result (Elixir's Task). `code`:
 *
 * - `ERR_TASK_TIMEOUT`: no result within the time. `reason` `'timeout'`.
 * - `ERR_TASK_EXIT`: the task ended without a result. `reason` is its exit reason.
 * - `ERR_TASK_START`: its supervisor did not start it. `reason` says why, such as `'max_children'`.
 *
 * Uncaught in a process, it ends that process with `{ reason, task: { pid, run } }`.
 */
export class TaskError extends Error {
  override readonly name = 'TaskError';
  readonly code: 'ERR_TASK_TIMEOUT' | 'ERR_TASK_EXIT' | 'ERR_TASK_START';
  readonly reason: ExitReason;
  /** The pid of the task; undefined if it was not started. */
  readonly pid: string | undefined;
  /** The name of its function. */
  readonly run: string;

  constructor(code: TaskError['code'], reason: ExitReason, pid: string | undefined, run: string) {
    super(`task '${run}'${pid === undefined ? '' : ` ${pid}`}: ${describeExit(reason)}`);
    this.code = code;
    this.reason = reason;
    this.pid = pid;
    this.run = run;
  }

  get exitReason(): TaskExit {
    return { reason: this.reason, task: { pid: this.pid, run: this.run } };
  }
}

/**
 * A wrong argument (Erlang's `badarg`): of the wrong kind, out of its range, a name that is taken or that nobody has …
 * Every function of the runtime throws this one, or rejects with it, and has done nothing then. The message names the
 * argument and what it must be.
 */
export class BadArgError extends Error {
  override readonly name = 'BadArgError';
  readonly code = 'ERR_BADARG';
  /** For an option: what a supervisor says of it, such as `{ invalid_mailbox_max: 0 }`. Else `'badarg'`. */
  readonly reason: ExitReason;

  constructor(message: string, reason: ExitReason = 'badarg') {
    super(message);
    this.reason = reason;
  }
}

/** There is no such code where it is to run (Erlang's `undef`): the module cannot be imported, or lacks the export. */
export class UndefError extends Error {
  override readonly name = 'UndefError';
  readonly code = 'ERR_UNDEF';
}

/** A bound of the runtime is reached (Erlang's `system_limit`): processes of a thread, threads of a system … */
export class SystemLimitError extends Error {
  override readonly name = 'SystemLimitError';
  readonly code = 'ERR_SYSTEM_LIMIT';
}

/** `link` to a process that does not exist, by a process that does not trap exits (erlang:link/1, error `noproc`). */
export class NoProcError extends Error {
  override readonly name = 'NoProcError';
  readonly code = 'ERR_NOPROC';
}

/** The code of a process that has already exited used its context; nothing was sent and nothing changed. */
export class ExitedError extends Error {
  override readonly name = 'ExitedError';
  readonly code = 'ERR_EXITED';
}

/** No clause of the server's table has the tag of a call, cast or continue (Erlang's `function_clause`). */
export class FunctionClauseError extends Error {
  override readonly name = 'FunctionClauseError';
  readonly code = 'ERR_FUNCTION_CLAUSE';
}

/** `startSystem` could not start its tree; `reason` is the exit reason of the root supervisor. */
export class StartError extends Error {
  override readonly name = 'StartError';
  readonly code = 'ERR_START';
  readonly reason: ExitReason;

  constructor(reason: ExitReason) {
    super(`the system did not start: ${describeExit(reason)}`);
    this.reason = reason;
  }
}

/** Thrown by `ctx.exit(reason)` to leave the callback; never seen outside a process. */
export class ProcessExit {
  readonly reason: ExitReason;
  constructor(reason: ExitReason) {
    this.reason = reason;
  }
}

/** What an error of user code means as an exit reason. */
export function exitReasonOf(thrown: unknown): ExitReason {
  try {
    if (thrown instanceof ProcessExit) return thrown.reason;
    if (thrown instanceof CallError || thrown instanceof TaskError) return thrown.exitReason;
  } catch {
    // a proxy of user code, which is none of these
  }
  return errorExit(thrown);
}
