import { badArgument, checkCount, checkFunction, checkObject, isObject } from '../kernel/arguments.ts';
import type { Behaviour } from '../kernel/behaviour.ts';
import type { CallOptions, Messaging } from '../kernel/context.ts';
import { type BadArgError, CallError } from '../kernel/errors.ts';
import type { ExitReason } from '../kernel/exit.ts';
import { describeDest } from '../kernel/names.ts';
import type { Dest, Pid } from '../kernel/pid.ts';
import { isBehaviour } from '../kernel/start-check.ts';
import { SYS_LOG_SIZE } from '../limits.ts';
import type { DebugEvent, DebugFunction, SysStatistics } from './sys-debug.ts';
import { CallbackFailed, SYSTEM_TAG, type SystemCommand, SystemRequest } from './sys-requests.ts';

/** Any process or system that can make calls. */
type Caller = Pick<Messaging, 'call'>;

/** What `sys.getStatus` returns. */
export interface SysStatus {
  readonly status: 'running' | 'suspended';
  readonly pid: Pid;
  readonly name: string | null;
  readonly parent: Pid | null;
  readonly initialCall: string;
  /** What debugs it: `'trace'`, `'log'`, `'statistics'`, and the ids of installed functions. */
  readonly debug: readonly unknown[];
  /** Through `formatStatus`, if the behaviour has one. */
  readonly state: unknown;
}

/**
 * Looks into running servers (sys). Every behaviour answers, between two messages of its own, also while it is
 * suspended; a plain function does not. All functions take the caller (a context or a system) and a process, wait
 * `timeoutMs` (default 5,000), and reject with `CallError` as `call` does; a wrong argument throws `BadArgError`. To
 * look is for people and tests: a program asks a server by its own protocol.
 */
export interface Sys {
  /** The state as it is (sys:get_state/2): for a server its own object, so do not change it. */
  getState(caller: Caller, dest: Dest, options?: CallOptions): Promise<any>;
  /**
   * Replaces the state with what the function makes of it, and returns that (sys:replace_state/3). A function that
   * throws or is async leaves the state as it was: the call fails with `ERR_SYS_CALLBACK`.
   */
  replaceState<State>(caller: Caller, dest: Dest, f: (state: State) => State, options?: CallOptions): Promise<State>;
  /** From now on messages wait, until `resume`; its parent can still end it (sys:suspend/2). Twice is once. */
  suspend(caller: Caller, dest: Dest, options?: CallOptions): Promise<'ok'>;
  /** Handles what has waited, in the order in which it came (sys:resume/2). */
  resume(caller: Caller, dest: Dest, options?: CallOptions): Promise<'ok'>;
  /** Who it is and in which state (sys:get_status/2). */
  getStatus(caller: Caller, dest: Dest, options?: CallOptions): Promise<SysStatus>;
  /**
   * Counts from now on, no longer, or says what was counted: `{ ok }`, `'no_statistics'` if nothing (sys:statistics/3).
   */
  statistics(caller: Caller, dest: Dest, flag: boolean, options?: CallOptions): Promise<'ok'>;
  statistics(
    caller: Caller,
    dest: Dest,
    flag: 'get',
    options?: CallOptions,
  ): Promise<{ readonly ok: SysStatistics | 'no_statistics' }>;
  /** Publishes every event of the process on `beamish:sys-trace`, or no longer (sys:trace/3). */
  trace(caller: Caller, dest: Dest, flag: boolean, options?: CallOptions): Promise<'ok'>;
  /**
   * Keeps the last events, `size` of them (default 10), or no longer, or returns them: `{ ok }`, the oldest first
   * (sys:log/3).
   */
  log(caller: Caller, dest: Dest, flag: boolean | { readonly size: number }, options?: CallOptions): Promise<'ok'>;
  log(caller: Caller, dest: Dest, flag: 'get', options?: CallOptions): Promise<{ readonly ok: readonly DebugEvent[] }>;
  /**
   * Runs the function in the process at each event: it gets its own state, the event and the state of the process, and
   * returns its next state. `'done'` removes it, and so does a throw (sys:install/3). `{ error: 'already_installed' }`
   * for an id that is there; the default id is the function.
   */
  install(
    caller: Caller,
    dest: Dest,
    debug: { readonly id?: unknown; readonly func: DebugFunction; readonly state?: unknown },
    options?: CallOptions,
  ): Promise<'ok' | { readonly error: 'already_installed' }>;
  /** Takes a function away, by its id; also if it is not there (sys:remove/3). */
  remove(caller: Caller, dest: Dest, id: unknown, options?: CallOptions): Promise<'ok'>;
  /** Ends all debugging of the process (sys:no_debug/2). */
  noDebug(caller: Caller, dest: Dest, options?: CallOptions): Promise<'ok'>;
  /**
   * Makes the process run `terminate` and exit with the reason, also while it is suspended; does not wait for that
   * (sys:terminate/3). `stopServer` waits.
   */
  terminate(caller: Caller, dest: Dest, reason: ExitReason, options?: CallOptions): Promise<'ok'>;
  /**
   * Goes on with the code of another behaviour, such as a newer version of its module: `codeChange(oldVersion, state,
   * extra)` makes its state (sys:change_code/5). `{ error }`: `'not_suspended'`, `'not_supported'` by that kind of
   * behaviour (supervisors, tasks and others of the runtime), or what `codeChange` threw, or that the new code is of
   * another kind (`ERR_BADARG`); then the old code goes on.
   */
  changeCode(
    caller: Caller,
    dest: Dest,
    behaviour: Behaviour,
    oldVersion?: unknown,
    extra?: unknown,
    options?: CallOptions,
  ): Promise<'ok' | { readonly error: ExitReason }>;
}

/** See `Sys`. */
export const sys: Sys = Object.freeze({
  getState: (caller, dest, options) => request(caller, dest, { request: 'get_state' }, options),
  replaceState: (caller, dest, replace, options) => {
    checkFunction(replace, 'sys.replaceState: the function');
    return request(caller, dest, { request: 'replace_state', replace }, options);
  },
  suspend: (caller, dest, options) => request(caller, dest, { request: 'suspend' }, options),
  resume: (caller, dest, options) => request(caller, dest, { request: 'resume' }, options),
  getStatus: (caller, dest, options) => request(caller, dest, { request: 'get_status' }, options),
  statistics: (caller: Caller, dest: Dest, flag: boolean | 'get', options?: CallOptions) => {
    if (flag !== 'get' && typeof flag !== 'boolean') throw badFlag('statistics', "true, false or 'get'", flag);
    return request(caller, dest, { request: 'statistics', flag }, options);
  },
  trace: (caller, dest, flag, options) => {
    if (typeof flag !== 'boolean') throw badFlag('trace', 'true or false', flag);
    return request(caller, dest, { request: 'trace', flag }, options);
  },
  log: (caller: Caller, dest: Dest, flag: boolean | 'get' | { readonly size: number }, options?: CallOptions) =>
    request(caller, dest, { request: 'log', ...logFlag(flag) }, options),
  install: (caller, dest, debug, options) => {
    checkObject(debug, 'sys.install: what is installed');
    checkFunction(debug.func, 'sys.install: func');
    const { func, id = func, state: funcState } = debug;
    return request(caller, dest, { request: 'install', id, func, funcState }, options);
  },
  remove: (caller, dest, id, options) => request(caller, dest, { request: 'remove', id }, options),
  noDebug: (caller, dest, options) => request(caller, dest, { request: 'no_debug' }, options),
  terminate: (caller, dest, reason, options) =>
    request(caller, dest, { request: 'terminate', reason, wait: false }, options),
  changeCode: (caller, dest, behaviour, oldVersion, extra, options) => {
    if (!isBehaviour(behaviour)) throw badArgument('sys.changeCode: the new code', 'a behaviour', behaviour);
    return request(caller, dest, { request: 'change_code', behaviour, oldVersion, extra }, options);
  },
} satisfies Sys);

async function request(caller: Caller, dest: Dest, command: SystemCommand, options: CallOptions = {}): Promise<any> {
  const answer = await caller.call(dest as Dest<any>, SYSTEM_TAG, new SystemRequest(command), options);
  if (!(answer instanceof CallbackFailed)) return answer;
  throw new CallError('ERR_SYS_CALLBACK', { callback_failed: answer.reason }, describeDest(dest), command.request);
}

function logFlag(flag: boolean | 'get' | { readonly size: number }): {
  readonly flag: boolean | 'get';
  readonly size: number;
} {
  if (flag === 'get' || typeof flag === 'boolean') return { flag, size: SYS_LOG_SIZE };
  if (!isObject(flag)) throw badFlag('log', "true, false, 'get' or { size }", flag);
  checkCount(flag.size, 'sys.log: size');
  return { flag: true, size: flag.size };
}

function badFlag(operation: string, rule: string, flag: unknown): BadArgError {
  return badArgument(`sys.${operation}: the flag`, rule, flag);
}
