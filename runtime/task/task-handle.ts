import type { Context, ReceivedMessage } from '../kernel/context.ts';
import { BadArgError } from '../kernel/errors.ts';
import type { ExitReason } from '../kernel/exit.ts';
import type { Pid, Ref } from '../kernel/pid.ts';
import { DownSignal } from '../kernel/signals.ts';
import { TaskReply } from './task-runner.ts';

/**
 * A task that was started with `async` (Elixir's `%Task{}`). It means something to its owner only, the process that
 * started it, and brings one outcome.
 */
export class Task<Result = unknown> {
  /** Exists for the compiler only. */
  declare readonly resultType?: Result;
  readonly pid: Pid;
  /** The owner's monitor of the task, and what the messages `task` and DOWN carry. */
  readonly ref: Ref;
  readonly owner: Pid;
  /** The name of its function. */
  readonly run: string;
  /** Whether its outcome was taken or given up; kept by the functions of `task`. */
  spent = false;

  constructor(pid: Pid, ref: Ref, owner: Pid, run: string) {
    this.pid = pid;
    this.ref = ref;
    this.owner = owner;
    this.run = run;
  }
}

/** How a task ended: with its result, or without one. */
export type TaskOutcome<Result = unknown> = { readonly ok: Result } | { readonly exit: ExitReason };

/** Throws `BadArgError` if the process of the context cannot get the outcome of the task. */
export function checkTask(ctx: Context, task: Task): void {
  if (!(task instanceof Task)) throw new BadArgError('not a task: give what async returned');
  const name = `task '${task.run}' ${task.pid}`;
  if (task.owner !== ctx.self) {
    throw new BadArgError(`${name} belongs to ${task.owner}: only its owner can wait for it, not ${ctx.self}`);
  }
  if (task.spent) throw new BadArgError(`the outcome of ${name} was taken already`);
}

/** Waits for the outcome of any of the tasks, which is then spent. */
export async function nextOutcome<Result>(
  ctx: Context,
  tasks: Iterable<Task<Result>>,
  timeoutMs: number | 'infinity',
): Promise<{ readonly task: Task<Result>; readonly outcome: TaskOutcome<Result> } | 'timeout'> {
  const byRef = new Map([...tasks].map((task) => [task.ref, task]));
  const isMeant = ({ payload }: ReceivedMessage): boolean =>
    (payload instanceof TaskReply || payload instanceof DownSignal) && byRef.has(payload.ref);
  const message = await ctx.receive(isMeant, timeoutMs);
  if (message === 'timeout') return message;
  const payload = message.payload as TaskReply | DownSignal;
  const task = byRef.get(payload.ref) as Task<Result>;
  task.spent = true;
  ctx.demonitor(task.ref, { flush: true });
  const outcome = payload instanceof TaskReply ? { ok: payload.result as Result } : { exit: payload.reason };
  return { task, outcome };
}

/** Gives the task up: its result will not come any more. Returns the outcome if it has come meanwhile. */
export async function giveUp<Result>(ctx: Context, task: Task<Result>): Promise<TaskOutcome<Result> | null> {
  const last = await nextOutcome(ctx, [task], 0);
  if (last !== 'timeout') return last.outcome;
  task.spent = true;
  ctx.demonitor(task.ref, { flush: true });
  return null;
}
