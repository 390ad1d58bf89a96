import { checkArray, checkCount, checkFunction, checkObject, checkOneOf } from '../kernel/arguments.ts';
import type { Context } from '../kernel/context.ts';
import { TaskError } from '../kernel/errors.ts';
import { checkTimeout } from '../kernel/time.ts';
import { TASK_AWAIT_MS, TASK_SHUTDOWN_MS } from '../limits.ts';
import { type ChildOptions, type ChildSpec, child } from '../supervisor/child-spec.ts';
import { checkTask, giveUp, nextOutcome, type Task, type TaskOutcome } from './task-handle.ts';
import { functionName, type TaskFunction, TaskProcess, TaskStart } from './task-runner.ts';
import { startTask } from './task-start.ts';
import { streamTasks, type TaskStreamOptions } from './task-stream.ts';

/** How long to wait for tasks. */
export interface TaskWait {
  /** Default 5,000. `'infinity'` waits for ever. */
  readonly timeoutMs?: number | 'infinity';
}

/** Options of `task.yieldMany` (Task.yield_many/2). */
export interface YieldManyOptions extends TaskWait {
  /**
   * What happens to tasks that have no outcome when the time is over: `'nothing'` (default), `'ignore'` (as
   * `task.ignore`) or `'kill_task'` (as `task.shutdown` with `'brutal_kill'`).
   */
  readonly onTimeout?: 'nothing' | 'ignore' | 'kill_task';
  /** Stop waiting as soon as so many have an outcome. Default: all. */
  readonly limit?: number;
}

/**
 * Functions that run in processes of their own (Elixir's Task). A task gets `(arg, ctx)` and runs on the thread of the
 * process that starts it, its owner. Its result comes as the info message `task` `{ ref, result }`, then DOWN; if it
 * fails there is only DOWN. A process waits for them with the functions below, or, if it is a server, better handles
 * `handleInfo.task` and `handleInfo.DOWN` itself.
 *
 * Only the owner can wait, and for one outcome of each task once: else the functions reject with `BadArgError`, as for
 * any wrong argument. Two
 * waits at the same time are refused too, as two `receive` are: use `awaitMany`.
 */
export interface TaskApi {
  /**
   * Starts a task, linked to its owner and monitored by it (Task.async/1): if it fails, the owner ends too, unless it
   * traps exits; if the owner fails, so does the task. See `taskSupervisor.asyncNolink` for tasks that may fail.
   */
  async<Result>(ctx: Context, run: TaskFunction<undefined, Result>): Task<Result>;
  async<Arg, Result>(ctx: Context, run: TaskFunction<Arg, Result>, arg: Arg): Task<Result>;
  /**
   * Waits for the result (Task.await/2). Rejects with `TaskError`: `ERR_TASK_TIMEOUT`, and then the task goes on, but
   * its result is dropped; or `ERR_TASK_EXIT`, it ended without a result. Uncaught that ends the process with `{
   * reason, task }`.
   */
  await<Result>(ctx: Context, task: Task<Result>, options?: TaskWait): Promise<Result>;
  /**
   * The results of all tasks, in their order (Task.await_many/2). The first failure, or the time, rejects as `await`.
   */
  awaitMany<Results extends readonly unknown[]>(
    ctx: Context,
    tasks: { readonly [I in keyof Results]: Task<Results[I]> },
    options?: TaskWait,
  ): Promise<Results>;
  /** The outcome, `{ ok }` or `{ exit: reason }`, or null if there is none yet: ask again (Task.yield/2). */
  yield<Result>(ctx: Context, task: Task<Result>, options?: TaskWait): Promise<TaskOutcome<Result> | null>;
  /** As `yield`, for all tasks under one time; the outcomes are in the order of the tasks (Task.yield_many/2). */
  yieldMany<Result>(
    ctx: Context,
    tasks: readonly Task<Result>[],
    options?: YieldManyOptions,
  ): Promise<(TaskOutcome<Result> | null)[]>;
  /**
   * Unlinks and stops a task (Task.shutdown/2): exit signal `'shutdown'`, after that time (default 5,000) `'kill'`; or
   * `'brutal_kill'` at once. Its outcome if it had one before it ended, `{ exit }` if it ended with another reason,
   * null if it was stopped as asked.
   */
  shutdown<Result>(
    ctx: Context,
    task: Task<Result>,
    shutdown?: number | 'infinity' | 'brutal_kill',
  ): Promise<TaskOutcome<Result> | null>;
  /** Unlinks a task and lets it run on; its outcome if there is one already, else null (Task.ignore/1). */
  ignore<Result>(ctx: Context, task: Task<Result>): Promise<TaskOutcome<Result> | null>;
  /**
   * Runs the function for each item, so many at a time, and gives the outcomes (Task.async_stream/3). See
   * `TaskStreamOptions`. The tasks are linked to the process that iterates: if one fails, that process ends too, unless
   * it traps exits; then the outcome is `{ exit: reason }`. To leave the loop kills the tasks that still run.
   */
  asyncStream<Item, Result>(
    ctx: Context,
    items: Iterable<Item> | AsyncIterable<Item>,
    run: TaskFunction<Item, Result>,
    options?: TaskStreamOptions,
  ): AsyncIterable<TaskOutcome<Result>>;
  /**
   * The specification of a task below a supervisor; `restart` defaults to `'temporary'`, `id` to the function's name.
   */
  child<Result>(run: TaskFunction<undefined, Result>, arg?: undefined, options?: ChildOptions): ChildSpec;
  child<Arg, Result>(run: TaskFunction<Arg, Result>, arg: Arg, options?: ChildOptions): ChildSpec;
}

async function awaitOne(ctx: Context, task: Task, options: TaskWait = {}): Promise<any> {
  const timeoutMs = timeOf(options);
  checkTask(ctx, task);
  const settled = await nextOutcome(ctx, [task], timeoutMs);
  return resultOf(task, settled === 'timeout' ? await giveUp(ctx, task) : settled.outcome);
}

async function awaitMany(ctx: Context, tasks: readonly Task[], options: TaskWait = {}): Promise<any> {
  const results = new Map<Task, unknown>();
  const failure = await collect(ctx, tasks, options, (task, outcome) => {
    if ('exit' in outcome) return false;
    results.set(task, outcome.ok);
    return true;
  });
  if (failure === null) return tasks.map((task) => results.get(task));
  for (const task of tasks) if (!task.spent) await giveUp(ctx, task);
  return resultOf(failure.task, failure.outcome);
}

async function yieldOne(ctx: Context, task: Task, options: TaskWait = {}): Promise<any> {
  const timeoutMs = timeOf(options);
  checkTask(ctx, task);
  const settled = await nextOutcome(ctx, [task], timeoutMs);
  return settled === 'timeout' ? null : settled.outcome;
}

async function yieldMany(ctx: Context, tasks: readonly Task<any>[], options: YieldManyOptions = {}): Promise<any> {
  checkArray(tasks, 'tasks');
  checkObject(options, 'the options');
  const { onTimeout = 'nothing', limit = tasks.length } = options;
  checkOneOf(onTimeout, 'onTimeout', ['nothing', 'ignore', 'kill_task']);
  if (tasks.length > 0) checkCount(limit, 'limit');
  const outcomes = new Map<Task, TaskOutcome>();
  const late = await collect(ctx, tasks, options, (task, outcome) => {
    outcomes.set(task, outcome);
    return outcomes.size < limit;
  });
  const rows: (TaskOutcome | null)[] = [];
  for (const task of tasks) {
    let row = outcomes.get(task) ?? null;
    const left = row === null && late !== null && late.outcome === null;
    if (left && onTimeout === 'ignore') row = await ignore(ctx, task);
    if (left && onTimeout === 'kill_task') row = await shutdown(ctx, task, 'brutal_kill');
    rows.push(row);
  }
  return rows;
}

function timeOf(options: TaskWait): number | 'infinity' {
  checkObject(options, 'the options');
  const { timeoutMs = TASK_AWAIT_MS } = options;
  checkTimeout(timeoutMs, 'timeoutMs');
  return timeoutMs;
}

/** Takes outcome after outcome while there is time and `next` says so; null if all tasks have one. */
async function collect(
  ctx: Context,
  tasks: readonly Task[],
  options: TaskWait,
  next: (task: Task, outcome: TaskOutcome) => boolean,
): Promise<{ readonly task: Task; readonly outcome: TaskOutcome | null } | null> {
  checkArray(tasks, 'tasks');
  const timeoutMs = timeOf(options);
  for (const task of tasks) checkTask(ctx, task);
  const waiting = new Set(tasks);
  const until = timeoutMs === 'infinity' ? null : ctx.clock.now() + timeoutMs;
  for (const first of waiting) {
    while (waiting.has(first)) {
      const left = until === null ? 'infinity' : Math.max(0, until - ctx.clock.now());
      const settled = await nextOutcome(ctx, waiting, left);
      if (settled === 'timeout') return { task: first, outcome: null };
      waiting.delete(settled.task);
      if (!next(settled.task, settled.outcome)) return settled;
    }
  }
  return null;
}

async function shutdown(
  ctx: Context,
  task: Task<any>,
  how: number | 'infinity' | 'brutal_kill' = TASK_SHUTDOWN_MS,
): Promise<TaskOutcome<any> | null> {
  checkTask(ctx, task);
  const brutal = how === 'brutal_kill';
  if (!brutal) checkTimeout(how, "shutdown, unless 'brutal_kill',");
  ctx.unlink(task.pid);
  ctx.exitProcess(task.pid, brutal ? 'kill' : 'shutdown');
  let settled = await nextOutcome(ctx, [task], brutal ? 'infinity' : how);
  if (settled === 'timeout') {
    ctx.exitProcess(task.pid, 'kill');
    settled = await nextOutcome(ctx, [task], 'infinity');
  }
  if (settled === 'timeout') return null;
  const { outcome } = settled;
  const asAsked = 'exit' in outcome && outcome.exit === (brutal ? 'killed' : 'shutdown');
  return asAsked ? null : outcome;
}

async function ignore(ctx: Context, task: Task<any>): Promise<TaskOutcome<any> | null> {
  checkTask(ctx, task);
  ctx.unlink(task.pid);
  return giveUp(ctx, task);
}

function resultOf(task: Task, outcome: TaskOutcome | null): unknown {
  const { pid, run } = task;
  if (outcome === null) throw new TaskError('ERR_TASK_TIMEOUT', 'timeout', pid.toString(), run);
  if ('exit' in outcome) throw new TaskError('ERR_TASK_EXIT', outcome.exit, pid.toString(), run);
  return outcome.ok;
}

function taskChild(run: TaskFunction<any, unknown>, arg?: unknown, options: ChildOptions = {}): ChildSpec {
  checkFunction(run, 'what a task runs');
  const spec = { id: functionName(run), restart: 'temporary', ...options } as const;
  return child(TaskProcess, new TaskStart(run, arg, null), spec);
}

/** See `TaskApi`. */
export const task: TaskApi = Object.freeze<TaskApi>({
  async: startTask,
  await: awaitOne,
  awaitMany,
  yield: yieldOne,
  yieldMany,
  shutdown,
  ignore,
  asyncStream: (ctx, items, run, options) => streamTasks(ctx, items, run, options, { supervisor: null, link: true }),
  child: taskChild,
});
