/** Calls, casts and messages between servers. */
import {
  type Call,
  type Context,
  type GenServer,
  genServer,
  noreply,
  type Pid,
  reply,
} from '../../../../runtime/index.ts';
import { costPerOperation, expectEqual, type Operation } from '../../../contender-program.ts';
import { burst } from '../burst.ts';
import { inProcess, later, started, system } from './bench-system.ts';

interface CounterProtocol {
  readonly call: { readonly add: Call<number, number>; readonly addLater: Call<number, number> };
  readonly cast: { readonly add: number };
}

/** Adds up. */
export const Counter: GenServer<CounterProtocol, number> = genServer(import.meta, 'Counter', {
  init: (sum: number) => sum,
  handleCall: {
    add: (sum, n) => reply(sum + n, sum + n),
    addLater: async (sum, n) => {
      await undefined;
      return reply(sum + n, sum + n);
    },
  },
  handleCast: { add: (sum, n) => noreply(sum + n) },
});

async function withCounter<Result>(
  run: (ctx: Context, server: Pid<CounterProtocol>) => Promise<Result>,
): Promise<Result> {
  return inProcess(async (ctx) => {
    const server = await started(ctx, Counter, 0);
    const result = await run(ctx, server);
    ctx.exitProcess(server, 'kill');
    return result;
  });
}

export const call =
  (tag: 'add' | 'addLater'): Operation =>
  (count) =>
    withCounter(async (ctx, server) => {
      let last = 0;
      const cost = await costPerOperation(count, async () => {
        for (let i = 0; i < count; i++) last = await ctx.call(server, tag, 1);
      });
      expectEqual(last, count, 'sum');
      return cost;
    });

export const cast: Operation = (count) =>
  withCounter(async (ctx, server) => {
    let sum = 0;
    const cost = await costPerOperation(count, async () => {
      for (let left = count; left > 0; left -= burst) {
        for (let i = Math.min(burst, left); i > 0; i--) ctx.cast(server, 'add', 1);
        sum = await ctx.call(server, 'add', 0);
      }
    });
    expectEqual(sum, count, 'sum');
    return cost;
  });

interface PlayerProtocol {
  readonly info: {
    readonly serve: { readonly to: Pid<PlayerProtocol>; readonly rallies: number };
    readonly ping: { readonly from: Pid<PlayerProtocol>; readonly n: number };
    readonly pong: { readonly n: number };
  };
}

interface PlayerState {
  peer: Pid<PlayerProtocol> | undefined;
  readonly over: () => void;
}

const serve = (state: PlayerState, to: Pid<PlayerProtocol>, n: number, ctx: Context): void => {
  state.peer = to;
  ctx.send(to, 'ping', { from: ctx.self, n });
};

const pong = (state: PlayerState, n: number, ctx: Context): void => {
  if (n === 1) state.over();
  else ctx.send(state.peer as Pid<PlayerProtocol>, 'ping', { from: ctx.self, n: n - 1 });
};

export const Player: GenServer<PlayerProtocol, () => void> = genServer(import.meta, 'Player', {
  init: (over: () => void): PlayerState => ({ peer: undefined, over }),
  handleInfo: {
    serve: (state, { to, rallies }, ctx) => {
      serve(state, to, rallies, ctx);
      return noreply(state);
    },
    ping: (state, { from, n }, ctx) => {
      ctx.send(from, 'pong', { n });
      return noreply(state);
    },
    pong: (state, { n }, ctx) => {
      pong(state, n, ctx);
      return noreply(state);
    },
  },
});

export const AsyncPlayer: GenServer<PlayerProtocol, () => void> = genServer(import.meta, 'AsyncPlayer', {
  init: (over: () => void): PlayerState => ({ peer: undefined, over }),
  handleInfo: {
    serve: async (state, { to, rallies }, ctx) => {
      await undefined;
      serve(state, to, rallies, ctx);
      return noreply(state);
    },
    ping: async (state, { from, n }, ctx) => {
      await undefined;
      ctx.send(from, 'pong', { n });
      return noreply(state);
    },
    pong: async (state, { n }, ctx) => {
      await undefined;
      pong(state, n, ctx);
      return noreply(state);
    },
  },
});

/** One operation is a round trip. */
export const pingPong =
  (player: GenServer<PlayerProtocol, () => void>): Operation =>
  async (count) => {
    const { promise, resolve } = later<void>();
    const players = [await started(system, player, resolve), await started(system, player, resolve)] as const;
    const cost = await costPerOperation(count, () => {
      system.send(players[0], 'serve', { to: players[1], rallies: count });
      return promise;
    });
    for (const pid of players) system.exitProcess(pid, 'kill');
    return cost;
  };
