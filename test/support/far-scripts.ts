/** A server that runs one of the scripts of this file, on whatever thread it is: functions do not cross. */

import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type Call,
  type Context,
  type GenServer,
  genServer,
  noreply,
  type Pid,
  receiveResponse,
  reply,
} from '../../runtime/index.ts';

interface Heard {
  readonly tag: string;
  readonly payload: unknown;
}

export interface ScriptProtocol {
  readonly call: {
    readonly run: Call<{ readonly script: keyof typeof scripts; readonly arg?: unknown }, any>;
    readonly heard: Call<void, readonly Heard[]>;
    /** Of what it was told to count. */
    readonly numbers: Call<void, readonly number[]>;
  };
  readonly cast: {
    readonly run: { readonly script: keyof typeof scripts; readonly arg?: unknown };
    readonly count: any;
  };
  readonly info: { readonly note: unknown };
}

const store = new AsyncLocalStorage<number>();

/** One step of the random interleavings. */
export type Step = { readonly does: 'cast' | 'send'; readonly n: number } | { readonly does: 'link' | 'unlink' };

const scripts = {
  alias: (ctx: Context, options: any) => ctx.alias(options),
  request: async (ctx: Context, to: any) => receiveResponse(ctx, ctx.sendRequest<any, any>(to, 'echo', 'asked'), 5_000),
  late: (ctx: Context, { to, delayMs }: any) => ctx.sendAfter(delayMs, 'note', 'late', to),
  lateFunction: (ctx: Context, to: any) => ctx.sendAfter(1, 'note', () => 1, to),
  every: (ctx: Context, to: any) => ctx.sendInterval(1, 'note', 'again', to),
  read: (ctx: Context, ref: any) => ctx.readTimer(ref),
  unregister: (ctx: Context, name: any) => ctx.unregister(name),
  register: (ctx: Context, name: any) => ctx.register(name),
  monitor: (ctx: Context, dest: any) => ctx.monitor(dest),
  info: (ctx: Context, pid: any) => ctx.processInfo(pid),
  newTable: (ctx: Context, name: any) => ctx.newTable(name) && 'made',
  table: (ctx: Context, name: any) => ctx.table(name) && 'found',
  flood: (ctx: Context, { to, count, payload }: any) => {
    for (let n = 0; n < count; n++) ctx.cast<any, any>(to, 'count', { n, payload });
    return 'flooded';
  },
  steps: (ctx: Context, { to, steps, reason }: any) => {
    for (const step of steps as Step[]) {
      if (step.does === 'cast') ctx.cast<any, any>(to, 'count', step.n);
      else if (step.does === 'send') ctx.send<any, any>(to, 'note', step.n);
      else ctx[step.does](to);
    }
    return ctx.exit(reason);
  },
  storage: async (ctx: Context, to: any) =>
    store.run(42, async () => {
      await ctx.call(to as Pid<any>, 'echo', 1);
      await new Promise((resolve) => setImmediate(resolve));
      return store.getStore();
    }),
  throwLater: () => {
    setImmediate(() => {
      throw new Error('later');
    });
    return 'thrown';
  },
  hang: () => new Promise(() => {}),
  title: () => {
    process.title = 'of a worker';
    return process.title;
  },
  stdin: () => process.stdin.read() as unknown,
  print: (_ctx: Context, text: any) => process.stdout.write(`${text}\n`),
} as const;

async function run(ctx: Context, { script, arg }: { script: keyof typeof scripts; arg?: unknown }): Promise<unknown> {
  try {
    return await (scripts[script] as (ctx: Context, arg: unknown) => unknown)(ctx, arg);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return `${error.name}: ${error.message}`;
  }
}

export const Scripted: GenServer<ScriptProtocol> = genServer(import.meta, 'Scripted', {
  init: (_start, ctx): Heard[] => {
    ctx.trapExit(true);
    return [];
  },
  handleCall: {
    run: async (heard: Heard[], what, ctx) => reply(await run(ctx, what), heard),
    heard: (heard: Heard[]) => reply(heard, heard),
    numbers: (heard: Heard[]) =>
      reply(
        heard.map(({ payload }) => (payload as { readonly n: number }).n),
        heard,
      ),
  },
  handleCast: {
    run: async (heard: Heard[], what, ctx) => {
      await run(ctx, what);
      return noreply(heard);
    },
    count: (heard: Heard[], payload) => noted(heard, 'count', payload),
  },
  handleInfo: {
    note: (heard: Heard[], payload) => noted(heard, 'note', payload),
    EXIT: (heard: Heard[], { reason }) => noted(heard, 'EXIT', reason),
    DOWN: (heard: Heard[], { object, reason }) => noted(heard, 'DOWN', { object, reason }),
  },
});

function noted(heard: Heard[], tag: string, payload: unknown): ReturnType<typeof noreply<Heard[]>> {
  heard.push({ tag, payload });
  return noreply(heard);
}
