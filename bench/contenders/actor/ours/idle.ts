/** What waiting processes occupy. */
import type { Context, ProcessFunction } from '../../../../runtime/index.ts';
import { bytesPerThing, expectEqual, type Operation } from '../../../contender-program.ts';
import { inProcess, started, system } from './bench-system.ts';
import { Counter } from './messages.ts';

/** Waits for a message that does not come. */
const wait: ProcessFunction<undefined> = async (_arg, ctx: Context) => {
  await ctx.receive(anyMessage, 'infinity');
};
const anyMessage = (): boolean => true;

/** Measured in a process, whose own end comes after the measurement. */
const created = (count: number, create: (ctx: Context) => unknown): ReturnType<Operation> =>
  inProcess(async (ctx) => {
    const before = system.processCount;
    const result = await bytesPerThing(count, async () => {
      for (let i = 0; i < count; i++) await create(ctx);
      // Processes run in the order in which they were created: behind this one all wait.
      await inProcess(async () => {});
    });
    expectEqual(system.processCount - before, count, 'processes');
    return result;
  });

export const idleProcesses: Operation = (count) => created(count, (ctx) => ctx.spawn(wait, undefined));
export const idleServers: Operation = (count) => created(count, (ctx) => started(ctx, Counter, 0));
