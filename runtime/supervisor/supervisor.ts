import type { Context, Messaging } from '../kernel/context.ts';
import type { Dest, Pid } from '../kernel/pid.ts';
import { ProcessContext } from '../kernel/process-context.ts';
import type { MaybePromise } from '../kernel/protocol.ts';
import { type ChildOptions, type ChildSpec, completeFlags, type SupervisorFlags, spec } from './child-spec.ts';
import type {
  ChildCount,
  ChildInfo,
  ChildResult,
  StartChildResult,
  SupervisorProtocol,
} from './supervisor-protocol.ts';
import { SupervisorServer } from './supervisor-server.ts';

/** Any process or system that can make calls. */
type Caller = Pick<Messaging, 'call'>;

/** Starting and stopping children takes as long as the children take (supervisor(3): all calls wait for ever). */
const wait = { timeoutMs: 'infinity' } as const;

/**
 * The specification of a supervisor, to be a child of another or of the system (supervisor(3)).
 *
 * - `strategy`: `'one_for_one'` (default), `'one_for_all'`, `'rest_for_one'`, or `'simple_one_for_one'`: exactly one
 *   child, the template of all that `startChild` starts.
 * - `intensity` 1, `periodMs` 5,000: one restart more within the period, and the supervisor stops its children and
 *   exits `'shutdown'`.
 * - `autoShutdown`: `'never'` (default), `'any_significant'`, `'all_significant'`.
 * - the options of a child; `shutdown` defaults to `'infinity'`.
 *
 * Wrong flags or children make its start fail with `{ supervisor_data: term }`, `{ start_spec: term }` or `{
 * bad_start_spec: children }`; the terms: `SpecError`. Options that are no object throw `BadArgError`.
 */
export function supervisor(
  id: string,
  options: SupervisorFlags & Omit<ChildOptions, 'id'>,
  children: readonly ChildSpec[],
): ChildSpec {
  const flags = completeFlags(options);
  const start = { id: typeof options.name === 'string' ? options.name : id, flags, children };
  return spec(SupervisorServer, start, 'supervisor', 'infinity', { ...options, id });
}

/**
 * Starts a child (supervisor:start_child/2): of a specification, or, under `'simple_one_for_one'`, of the template with
 * this argument (after the template's own, if it has one: init then gets `[own, arg]`; a template that is a supervisor
 * takes no argument, else `{ error: { invalid_start_argument } }`).
 *
 * Returns `{ ok: pid }`, `{ ok: undefined }` if init ignored, or `{ error }`: `{ already_started: pid }`,
 * `'already_present'`, what is wrong with the specification, or why init failed, then with `child`, which is not kept.
 * Rejects with `CallError` if there is no such supervisor.
 */
export function startChild(caller: Caller, sup: Dest, childOrArg: unknown): Promise<StartChildResult> {
  return caller.call<SupervisorProtocol, 'startChild'>(sup, 'startChild', childOrArg, wait);
}

/**
 * As `startChild`, and without a promise where none is needed: if the supervisor is on the thread of the caller and has
 * nothing else to do, it has its turn within that of the caller, as has the child, and what came of it is returned
 * itself. For who starts many children; called from a callback, before its first `await`. An extension.
 */
export function startChildAtOnce(ctx: Context, sup: Dest, childOrArg: unknown): MaybePromise<StartChildResult> {
  if (!(ctx instanceof ProcessContext)) return startChild(ctx, sup, childOrArg);
  return ctx.callAtOnce(sup, 'startChild', childOrArg) as MaybePromise<StartChildResult>;
}

/**
 * Stops a child, by id or (dynamic) pid, and keeps its specification unless temporary (supervisor:terminate_child/2).
 * `'ok'` also if it does not run. `{ error }`: `'not_found'`; `'simple_one_for_one'` for an id there.
 */
export function terminateChild(caller: Caller, sup: Dest, idOrPid: string | Pid): Promise<ChildResult> {
  return caller.call<SupervisorProtocol, 'terminateChild'>(sup, 'terminateChild', idOrPid, wait);
}

/**
 * Starts a child that does not run (supervisor:restart_child/2). `{ ok: pid }`, `{ ok: undefined }` if init ignored, or
 * `{ error }`: `'running'`, `'restarting'`, `'not_found'`, `'simple_one_for_one'`, or why init failed.
 */
export function restartChild(caller: Caller, sup: Dest, id: string): Promise<StartChildResult> {
  return caller.call<SupervisorProtocol, 'restartChild'>(sup, 'restartChild', id, wait);
}

/**
 * Forgets a child that does not run (supervisor:delete_child/2). `'ok'`, or `{ error }`: `'running'`, `'restarting'`,
 * `'not_found'`, `'simple_one_for_one'`.
 */
export function deleteChild(caller: Caller, sup: Dest, id: string): Promise<ChildResult> {
  return caller.call<SupervisorProtocol, 'deleteChild'>(sup, 'deleteChild', id, wait);
}

/**
 * All children, the newest first (supervisor:which_children/1). Rejects with `CallError` if there is no such
 * supervisor, as all these do.
 */
export function whichChildren(caller: Caller, sup: Dest): Promise<readonly ChildInfo[]> {
  return caller.call<SupervisorProtocol, 'whichChildren'>(sup, 'whichChildren', undefined, wait);
}

/**
 * Counts: specifications, running children, supervisors and workers among the specifications
 * (supervisor:count_children/1). Rejects with `CallError` if there is no such supervisor.
 */
export function countChildren(caller: Caller, sup: Dest): Promise<ChildCount> {
  return caller.call<SupervisorProtocol, 'countChildren'>(sup, 'countChildren', undefined, wait);
}

/** The complete specification of a child, by id or pid; `{ error: 'not_found' }` (supervisor:get_childspec/2). */
export function getChildSpec(
  caller: Caller,
  sup: Dest,
  idOrPid: string | Pid,
): Promise<{ readonly ok: ChildSpec } | { readonly error: 'not_found' }> {
  return caller.call<SupervisorProtocol, 'getChildSpec'>(sup, 'getChildSpec', idOrPid, wait);
}
