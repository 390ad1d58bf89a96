/** Processes that own tasks, and tasks that a test ends. */

import type { Context } from '../../runtime/index.ts';
import { settle } from '../../runtime/testing.ts';
import type { TestSystem } from './test-system.ts';

/**
 * Runs a function as a process and settles with how that ended: its result, or the exit reason of the process. The
 * function is code of that process, so what it does not catch ends it.
 */
export async function runAs<Result>(
  { opener, system }: Pick<TestSystem, 'opener' | 'system'>,
  run: (ctx: Context) => Result | Promise<Result>,
): Promise<{ readonly result: Result } | { readonly exited: unknown }> {
  let result: { readonly result: Result } | undefined;
  const body = async (_arg: undefined, ctx: Context): Promise<void> => {
    result = { result: await run(ctx) };
  };
  return new Promise((resolve) => {
    const watcher = async (_arg: undefined, ctx: Context): Promise<void> => {
      ctx.spawnMonitor(body, undefined);
      const down = await ctx.receive(({ tag }) => tag === 'DOWN', 'infinity');
      const reason = down === 'timeout' ? down : (down.payload as { reason: unknown }).reason;
      resolve(result ?? { exited: reason });
    };
    (opener ?? system).spawn(watcher, undefined);
  });
}

/** Functions for tasks that end when the test says so. */
export interface Gate<Result = unknown> {
  /** The arguments, contexts and signals of the tasks that run it, in the order of their starts. */
  readonly entered: { readonly arg: unknown; readonly ctx: Context; readonly signal: AbortSignal }[];
  /** The function. It settles with what `open` is given for its argument. */
  run(arg: unknown, ctx: Context): Promise<Result>;
  open(arg: unknown, result: Result): Promise<void>;
  fail(arg: unknown, error: unknown): Promise<void>;
}

export function gate<Result = unknown>(): Gate<Result> {
  const waiting = new Map<unknown, { resolve: (result: Result) => void; reject: (error: unknown) => void }>();
  const entered: { arg: unknown; ctx: Context; signal: AbortSignal }[] = [];
  return {
    entered,
    run: (arg, ctx) => {
      entered.push({ arg, ctx, signal: ctx.signal });
      return new Promise((resolve, reject) => waiting.set(arg, { resolve, reject }));
    },
    open: async (arg, result) => {
      await settle(); // it may be about to start
      waiting.get(arg)?.resolve(result);
      await settle();
    },
    fail: async (arg, error) => {
      await settle();
      waiting.get(arg)?.reject(error);
      await settle();
    },
  };
}
