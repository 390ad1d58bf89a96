import type { Context } from '../kernel/context.ts';
import { NoProcError, TaskError } from '../kernel/errors.ts';
import type { Dest } from '../kernel/pid.ts';
import { startChild } from '../supervisor/supervisor.ts';
import { Task } from './task-handle.ts';
import { functionName, type TaskFunction, TaskGo, type TaskOwner, TaskProcess, TaskStart } from './task-runner.ts';

/** Starts a task that is linked to its owner and monitored by it. */
export function startTask(ctx: Context, run: TaskFunction<any, any>, arg?: unknown): Task<any> {
  const owner: TaskOwner = { pid: ctx.self, ref: null };
  const { pid, ref } = ctx.spawnMonitor(TaskProcess, new TaskStart(run, arg, owner));
  owner.ref = ref; // in time: the task's first step runs in a later turn
  ctx.link(pid);
  return new Task(pid, ref, ctx.self, functionName(run));
}

/**
 * Starts a task below a supervisor. Its function runs when its owner monitors it: a start that fails must not leave
 * messages of the task in the mailbox of a process that has no task.
 */
export async function startUnder(
  ctx: Context,
  sup: Dest,
  run: TaskFunction<any, any>,
  arg: unknown,
  link: boolean,
): Promise<Task<any>> {
  const result = await startChild(ctx, sup, new TaskStart(run, arg, { pid: ctx.self, ref: null }));
  if ('error' in result || result.ok === undefined) {
    const reason = 'error' in result ? result.error : 'ignore';
    throw new TaskError('ERR_TASK_START', reason, undefined, functionName(run));
  }
  const pid = result.ok;
  const ref = ctx.monitor(pid);
  if (link) linkTo(ctx, pid, ref, run);
  ctx.send(pid, 'go', new TaskGo(ref));
  return new Task(pid, ref, ctx.self, functionName(run));
}

/** A task that was killed before it could be linked: its owner learns of it here, not by an exit signal. */
function linkTo(ctx: Context, pid: Task['pid'], ref: Task['ref'], run: TaskFunction<any, any>): void {
  try {
    ctx.link(pid);
  } catch (error) {
    if (!(error instanceof NoProcError)) throw error;
    ctx.demonitor(ref, { flush: true });
    throw new TaskError('ERR_TASK_EXIT', 'noproc', pid.toString(), functionName(run));
  }
}
