import { checkObject } from '../kernel/arguments.ts';
import type { Context, Messaging } from '../kernel/context.ts';
import type { Dest } from '../kernel/pid.ts';
import {
  type ChildOptions,
  type ChildSpec,
  child,
  type Shutdown,
  type SupervisorFlags,
} from '../supervisor/child-spec.ts';
import { startChild, supervisor } from '../supervisor/supervisor.ts';
import type { StartChildResult } from '../supervisor/supervisor-protocol.ts';
import type { Task, TaskOutcome } from './task-handle.ts';
import { type TaskFunction, TaskProcess, TaskStart } from './task-runner.ts';
import { startUnder } from './task-start.ts';
import { streamTasks, type TaskStreamOptions } from './task-stream.ts';

type Items = Iterable<any> | AsyncIterable<any>;

/** Options of `taskSupervisor`: those of a child, and how its tasks are bounded and stopped. */
export interface TaskSupervisorOptions
  extends Omit<ChildOptions, 'id' | 'significant'>,
    Pick<SupervisorFlags, 'maxChildren'> {
  /** How the supervisor stops a task when it ends itself. Default 5,000 ms. */
  readonly taskShutdown?: Shutdown;
}

/**
 * Tasks below a supervisor, which stops them when it ends and never restarts them (Elixir's Task.Supervisor). `sup` is
 * its pid or name. What waits for a start rejects with `CallError` if there is no such supervisor, and with `TaskError`
 * `ERR_TASK_START` if it does not start the task, for `'max_children'` say.
 */
export interface TaskSupervisor {
  /**
   * The specification of a supervisor of tasks. `maxChildren`: how many tasks may run at once; default no limit. The
   * options of a child; `shutdown` defaults to `'infinity'`.
   */
  (id: string, options?: TaskSupervisorOptions): ChildSpec;
  /** Starts a task, linked to its owner and monitored by it, as `task.async` (Task.Supervisor.async/2). */
  async<Result>(ctx: Context, sup: Dest, run: TaskFunction<undefined, Result>): Promise<Task<Result>>;
  async<Arg, Result>(ctx: Context, sup: Dest, run: TaskFunction<Arg, Result>, arg: Arg): Promise<Task<Result>>;
  /**
   * As `async`, not linked: if the task fails, its owner gets DOWN and lives (Task.Supervisor.async_nolink/2). The way
   * for servers, which take the result in `handleInfo.task` and the failure in `handleInfo.DOWN`.
   */
  asyncNolink<Result>(ctx: Context, sup: Dest, run: TaskFunction<undefined, Result>): Promise<Task<Result>>;
  asyncNolink<Arg, Result>(ctx: Context, sup: Dest, run: TaskFunction<Arg, Result>, arg: Arg): Promise<Task<Result>>;
  /** Starts a task whose result nobody waits for (Task.Supervisor.start_child/2). Returns as `startChild`. */
  startChild<Result>(
    caller: Pick<Messaging, 'call'>,
    sup: Dest,
    run: TaskFunction<undefined, Result>,
  ): Promise<StartChildResult>;
  startChild<Arg, Result>(
    caller: Pick<Messaging, 'call'>,
    sup: Dest,
    run: TaskFunction<Arg, Result>,
    arg: Arg,
  ): Promise<StartChildResult>;
  /** As `task.asyncStream`, with tasks of this supervisor (Task.Supervisor.async_stream/4). */
  asyncStream<Item, Result>(
    ctx: Context,
    sup: Dest,
    items: Iterable<Item> | AsyncIterable<Item>,
    run: TaskFunction<Item, Result>,
    options?: TaskStreamOptions,
  ): AsyncIterable<TaskOutcome<Result>>;
  /** As `asyncStream`, not linked: a task that fails is an outcome `{ exit: reason }` (async_stream_nolink/4). */
  asyncStreamNolink<Item, Result>(
    ctx: Context,
    sup: Dest,
    items: Iterable<Item> | AsyncIterable<Item>,
    run: TaskFunction<Item, Result>,
    options?: TaskStreamOptions,
  ): AsyncIterable<TaskOutcome<Result>>;
}

function specification(id: string, options: TaskSupervisorOptions = {}): ChildSpec {
  checkObject(options, 'the options of a taskSupervisor');
  const { taskShutdown, ...rest } = options;
  const shutdown = taskShutdown === undefined ? {} : { shutdown: taskShutdown };
  const template = child(TaskProcess, undefined as never, { id: 'task', restart: 'temporary', ...shutdown });
  return supervisor(id, { ...rest, strategy: 'simple_one_for_one' }, [template]);
}

/** See `TaskSupervisor`. */
export const taskSupervisor: TaskSupervisor = Object.freeze(
  Object.assign(specification, {
    async: (ctx: Context, sup: Dest, run: TaskFunction<any, any>, arg?: unknown): Promise<Task<any>> =>
      startUnder(ctx, sup, run, arg, true),
    asyncNolink: (ctx: Context, sup: Dest, run: TaskFunction<any, any>, arg?: unknown): Promise<Task<any>> =>
      startUnder(ctx, sup, run, arg, false),
    startChild: (
      caller: Pick<Messaging, 'call'>,
      sup: Dest,
      run: TaskFunction<any, any>,
      arg?: unknown,
    ): Promise<StartChildResult> => startChild(caller, sup, new TaskStart(run, arg, null)),
    asyncStream: (
      ctx: Context,
      supervisor: Dest,
      items: Items,
      run: TaskFunction<any, any>,
      options?: TaskStreamOptions,
    ) => streamTasks(ctx, items, run, options, { supervisor, link: true }),
    asyncStreamNolink: (
      ctx: Context,
      supervisor: Dest,
      items: Items,
      run: TaskFunction<any, any>,
      options?: TaskStreamOptions,
    ) => streamTasks(ctx, items, run, options, { supervisor, link: false }),
  }),
);
