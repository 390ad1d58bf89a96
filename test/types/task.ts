import { type Context, name, type Task, type TaskOutcome, task, taskSupervisor } from '../../runtime/index.ts';

async function size(text: string): Promise<number> {
  return text.length;
}
const double = (by: number): number => by * 2;

export async function uses(ctx: Context): Promise<number> {
  const sup = name('tasks');
  const sized: Task<number> = task.async(ctx, size, 'text');
  const plain: Task<string> = task.async(ctx, () => 'done');
  const own: Task<string> = task.async(ctx, async (_none, inside) => inside.system);
  const result: number = await task.await(ctx, sized, { timeoutMs: 10 });
  const all: [number, string] = await task.awaitMany(ctx, [sized, plain]);
  const outcome: TaskOutcome<string> | null = await task.yield(ctx, own);
  const ended: TaskOutcome<string> | null = await task.shutdown(ctx, own, 'brutal_kill');
  const under: Task<number> = await taskSupervisor.async(ctx, sup, size, 'text');
  await taskSupervisor.asyncNolink(ctx, sup, () => 1);
  await taskSupervisor.startChild(ctx, sup, double, 2);
  taskSupervisor('tasks', { name: 'tasks', maxChildren: 10, taskShutdown: 'brutal_kill' });
  task.child(double, 2, { restart: 'transient' });
  for await (const each of task.asyncStream(ctx, ['a', 'b'], size, { maxConcurrency: 2, onTimeout: 'kill_task' })) {
    const value: number = 'ok' in each ? each.ok : 0;
    if (value > 2) break;
  }
  for await (const _each of taskSupervisor.asyncStreamNolink(ctx, sup, new Set([1]), double));

  // @ts-expect-error the argument must be a text
  task.async(ctx, size, 7);
  // @ts-expect-error the argument is missing
  task.async(ctx, size);
  // @ts-expect-error wrong result
  const text: string = await task.await(ctx, sized);
  // @ts-expect-error not a task
  await task.await(ctx, ctx.self);
  // @ts-expect-error the items must be texts
  task.asyncStream(ctx, [1, 2], size);
  // @ts-expect-error no such option
  task.asyncStream(ctx, ['a'], size, { onTimeout: 'ignore' });
  // @ts-expect-error the argument must be a number
  await taskSupervisor.asyncNolink(ctx, sup, double, 'two');
  // @ts-expect-error the argument must be a number
  task.child(double, 'two');
  // @ts-expect-error the second task has another result
  const wrong: [number, number] = await task.awaitMany(ctx, [sized, plain]);
  return result + all[0] + text.length + wrong[0] + (outcome === null || ended === null ? 0 : 1) + under.ref;
}
