/** The processes of the workload, for whatever thread. */
import {
  type Call,
  type Context,
  type GenServer,
  genServer,
  noreply,
  type Pid,
  type Protocol,
  reply,
} from '../../../../runtime/index.ts';
import { messagesPerTurn, streamMessages, streamMs } from '../measure.ts';

export interface CounterProtocol {
  readonly call: { readonly add: Call<number, number>; readonly take: Call<void, Taken> };
  readonly cast: { readonly add: Small; readonly text: string; readonly data: Uint8Array };
  readonly info: { readonly add: Small; readonly ping: { readonly from: Pid<PlayerProtocol>; readonly n: number } };
}

export interface Small {
  readonly ref: number;
  readonly n: number;
}

/** What has come since it was last asked. */
export interface Taken {
  readonly count: number;
  readonly bytes: number;
}

interface CounterState {
  sum: number;
  count: number;
  bytes: number;
}

function counted(state: CounterState, bytes: number): ReturnType<typeof noreply<CounterState>> {
  state.count++;
  state.bytes += bytes;
  return noreply(state);
}

/** Counts what comes. */
export const Counter: GenServer<CounterProtocol> = genServer(import.meta, 'Counter', {
  init: (): CounterState => ({ sum: 0, count: 0, bytes: 0 }),
  handleCall: {
    add: (state, n) => {
      state.sum += n;
      return reply(state.sum, state);
    },
    take: ({ sum, count, bytes }) => reply({ count, bytes }, { sum, count: 0, bytes: 0 }),
  },
  handleCast: {
    add: (state, { n }) => counted(state, n),
    text: (state, text) => counted(state, text.length),
    data: (state, data) => counted(state, data.length),
  },
  handleInfo: {
    add: (state, { n }) => counted(state, n),
    ping: (state, { from, n }, ctx) => {
      ctx.send(from, 'pong', n);
      return noreply(state);
    },
  },
});

export interface SourceTask {
  readonly to: Pid<CounterProtocol>;
  readonly count: number;
  readonly send: (ctx: Context, to: Pid<CounterProtocol>, i: number) => void;
  readonly over: () => void;
}

interface SourceProtocol {
  readonly info: { readonly turn: undefined };
}

/** Sends so many messages, some in each turn. */
export const Source: GenServer<SourceProtocol, SourceTask> = genServer(import.meta, 'Source', {
  init: (task: SourceTask, ctx) => {
    ctx.send(ctx.self, 'turn', undefined);
    return { ...task, sent: 0 };
  },
  handleInfo: {
    turn: (state, _payload, ctx) => {
      const { to, count, send } = state;
      const end = Math.min(count, state.sent + messagesPerTurn);
      while (state.sent < end) send(ctx, to, state.sent++);
      if (state.sent < count) ctx.send(ctx.self, 'turn', undefined);
      else state.over();
      return noreply(state);
    },
  },
});

interface StreamProtocol {
  readonly info: { readonly tick: undefined };
}

/** Keeps a server busy until it is killed. */
export const Stream: GenServer<StreamProtocol, Pid<CounterProtocol>> = genServer(import.meta, 'Stream', {
  init: (to: Pid<CounterProtocol>, ctx) => {
    ctx.sendAfter(streamMs, 'tick', undefined);
    return to;
  },
  handleInfo: {
    tick: (to, _payload, ctx) => {
      for (let ref = 0; ref < streamMessages; ref++) ctx.cast(to, 'add', { ref, n: 1 });
      ctx.sendAfter(streamMs, 'tick', undefined);
      return noreply(to);
    },
  },
});

export interface PlayerProtocol {
  readonly info: { readonly pong: number };
}

export interface Rally {
  readonly to: Pid<CounterProtocol>;
  readonly rallies: number;
  readonly over: () => void;
}

/** Sends a ping for each pong. */
export const Player: GenServer<PlayerProtocol, Rally> = genServer(import.meta, 'Player', {
  init: (rally: Rally, ctx) => {
    ctx.send(rally.to, 'ping', { from: ctx.self, n: rally.rallies });
    return rally;
  },
  handleInfo: {
    pong: (rally, n, ctx) => {
      if (n === 1) rally.over();
      else ctx.send(rally.to, 'ping', { from: ctx.self, n: n - 1 });
      return noreply(rally);
    },
  },
});

export interface SpawnerProtocol {
  readonly info: { readonly done: undefined };
}

interface SpawnTask {
  readonly count: number;
  readonly over: () => void;
}

const spawnsPerTurn = 100;

/** Spawns processes on another thread, some at once; when each has sent its message, the next. */
export const Spawner: GenServer<SpawnerProtocol, SpawnTask> = genServer(import.meta, 'Spawner', {
  init: ({ count, over }: SpawnTask, ctx) => {
    const state = { left: count, awaited: 0, over };
    spawnSome(state, ctx);
    return state;
  },
  handleInfo: {
    done: (state, _payload, ctx) => {
      if (--state.awaited === 0) spawnSome(state, ctx);
      return noreply(state);
    },
  },
});

function spawnSome(state: { left: number; awaited: number; readonly over: () => void }, ctx: Context): void {
  if (state.left === 0) state.over();
  state.awaited = Math.min(spawnsPerTurn, state.left);
  state.left -= state.awaited;
  for (let i = state.awaited; i > 0; i--) ctx.spawn(Born, ctx.self, { thread: 'cpu' });
}

/** Sends one message and ends. */
export const Born: GenServer<Protocol, Pid<SpawnerProtocol>> = genServer(import.meta, 'Born', {
  init: (spawner: Pid<SpawnerProtocol>, ctx) => {
    ctx.send(spawner, 'done', undefined);
    return 'ignore';
  },
});
