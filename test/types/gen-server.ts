import {
  type Call,
  type CallReply,
  type Context,
  child,
  type Dest,
  type GenServer,
  genServer,
  name,
  noreply,
  reply,
  stop,
} from '../../runtime/index.ts';

interface CounterProtocol {
  readonly call: { readonly get: Call<void, number>; readonly add: Call<number, number> };
  readonly cast: { readonly crash: string };
  readonly info: { readonly tick: void };
}

export const Counter: GenServer<CounterProtocol, number> = genServer(import.meta, 'Counter', {
  init(start, ctx) {
    ctx.sendAfter(1_000, 'tick');
    return { count: start };
  },
  handleCall: {
    get: (state) => reply(state.count, state),
    add: async (state, by) => reply(state.count + by, { count: state.count + by }),
  },
  handleCast: {
    crash: (_state, why) => {
      throw new Error(why);
    },
  },
  handleInfo: { tick: (state) => noreply(state), EXIT: (state, { reason }) => stop(reason, state) },
});

// A server with an asynchronous init infers its state too.
export const Slow: GenServer<{ readonly call: { readonly get: Call<void, number> } }, string> = genServer(
  import.meta,
  'Slow',
  {
    async init(start) {
      return { size: start.length };
    },
    handleCall: { get: (state) => reply(state.size, state) },
  },
);

export const MissingClause: GenServer<CounterProtocol, number> = genServer(import.meta, 'MissingClause', {
  init: (start) => ({ count: start }),
  // @ts-expect-error a clause is missing: handleCall.add
  handleCall: { get: (state: { count: number }) => reply(state.count, state) },
  handleCast: { crash: (state) => noreply(state) },
  handleInfo: { tick: (state) => noreply(state) },
});

// @ts-expect-error a table is missing: handleInfo
export const MissingTable: GenServer<CounterProtocol, number> = genServer(import.meta, 'MissingTable', {
  init: (start) => ({ count: start }),
  handleCall: { get: (state: { count: number }) => reply(state.count, state), add: (state) => reply(1, state) },
  handleCast: { crash: (state) => noreply(state) },
});

export const WrongReply: GenServer<CounterProtocol, number> = genServer(import.meta, 'WrongReply', {
  init: (start) => ({ count: start }),
  handleCall: {
    // @ts-expect-error the reply must be a number
    get: (state) => reply('many', state),
    add: (state) => reply(1, state),
  },
  handleCast: { crash: (state) => noreply(state) },
  handleInfo: { tick: (state) => noreply(state) },
});

export async function uses(ctx: Context, dest: Dest<CounterProtocol>): Promise<CallReply<CounterProtocol, 'get'>> {
  const counter = name<CounterProtocol>('counter');
  const total: number = await ctx.call(counter, 'add', 2, { timeoutMs: 100 });
  ctx.cast(dest, 'crash', 'boom');
  ctx.send(dest, 'tick');
  child(Counter, 40);
  // @ts-expect-error wrong tag
  await ctx.call(counter, 'subtract', 2);
  // @ts-expect-error wrong payload
  await ctx.call(counter, 'add', 'two');
  // @ts-expect-error missing payload
  await ctx.call(counter, 'add');
  // @ts-expect-error wrong reply type
  const text: string = await ctx.call(counter, 'get');
  // @ts-expect-error wrong init argument
  child(Counter, 'forty');
  // @ts-expect-error a cast is not a call
  await ctx.call(counter, 'crash', 'boom');
  // @ts-expect-error a plain text is not a name: it has no protocol
  ctx.cast('counter', 'crash', 'boom');
  return total + text.length;
}

/** A destination whose protocol is not known takes any message. */
export async function untyped(ctx: Context): Promise<void> {
  ctx.send(ctx.self, 'tag', 1);
  ctx.cast(ctx.self, 'tag');
  await ctx.call(ctx.self, 'tag', { any: 'thing' }, { timeoutMs: 1 });
}
