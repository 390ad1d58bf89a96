/** Processes for tests of worker threads: a server that does what it is told, on whatever thread. */

import { threadId } from 'node:worker_threads';
import {
  type Call,
  type ExitReason,
  type From,
  type GenServer,
  genServer,
  noreply,
  type Pid,
  type Ref,
  reply,
  stopInit,
} from '../../runtime/index.ts';

export interface ProbeProtocol {
  readonly call: {
    readonly threadId: Call<void, number>;
    readonly uniqueInteger: Call<void, number>;
    readonly echo: Call<unknown, unknown>;
    readonly crash: Call<string, void>;
    readonly link: Call<Pid, 'ok'>;
    readonly monitor: Call<Pid | string, Ref>;
    readonly demonitor: Call<Ref, boolean>;
    readonly trapExit: Call<boolean, boolean>;
    readonly signals: Call<void, readonly Signal[]>;
    readonly register: Call<string, 'ok' | string>;
    readonly whereis: Call<string, Pid | undefined>;
    readonly isAlive: Call<Pid, boolean>;
    readonly spawn: Call<{ readonly name?: string; readonly thread?: string }, Pid>;
    readonly takeBack: Call<Pid, boolean>;
    readonly spawnAndTakeBack: Call<string, { readonly pid: Pid; readonly taken: boolean }>;
    readonly late: Call<Pid, string>;
    readonly never: Call<void, void>;
    readonly callOn: Call<Pid, unknown>;
    readonly lateOf: Call<{ readonly server: Pid; readonly other: Pid }, unknown>;
    readonly spawnFails: Call<{ readonly what: 'function' | 'argument' | 'name'; readonly name?: string }, string>;
    readonly value: Call<'function' | 'symbol', unknown>;
  };
  readonly cast: {
    readonly answer: From<string>;
    readonly exit: { readonly pid: Pid; readonly reason: ExitReason };
    readonly count: number;
    readonly loop: void;
    readonly allocate: void;
    readonly exitProcess: number;
    readonly throwLater: string;
    readonly leave: ExitReason;
    /** Sends itself a note after so many milliseconds. */
    readonly later: number;
    readonly flood: { readonly to: Pid; readonly count: number };
  };
  readonly info: { readonly note: unknown };
}

export type Signal =
  | { readonly tag: 'EXIT'; readonly from: Pid; readonly reason: ExitReason }
  | { readonly tag: 'DOWN'; readonly ref: Ref; readonly object: unknown; readonly reason: ExitReason }
  | { readonly tag: 'note'; readonly payload: unknown };

interface State {
  signals: Signal[];
  counted: number[];
}

export type ProbeStart =
  | undefined
  | { readonly trapExit?: boolean; readonly refuse?: ExitReason; readonly hang?: boolean };

export const Probe: GenServer<ProbeProtocol, ProbeStart> = genServer(import.meta, 'Probe', {
  async init(start: ProbeStart, ctx) {
    ctx.trapExit(start?.trapExit ?? true);
    if (start?.hang === true) await ctx.receive(() => false, 'infinity');
    if (start?.refuse !== undefined) return stopInit(start.refuse);
    return { signals: [], counted: [] } as State;
  },
  handleCall: {
    threadId: (state: State) => reply(threadId, state),
    uniqueInteger: (state: State, _nothing, ctx) => reply(ctx.uniqueInteger(), state),
    echo: (state: State, value) => reply(value, state),
    crash: (_state: State, why): never => {
      throw new Error(why);
    },
    link: (state: State, pid, ctx) => {
      ctx.link(pid);
      return reply('ok' as const, state);
    },
    monitor: (state: State, dest, ctx) => reply(ctx.monitor(dest), state),
    demonitor: (state: State, ref, ctx) => reply(ctx.demonitor(ref, { flush: true }), state),
    trapExit: (state: State, on, ctx) => reply(ctx.trapExit(on), state),
    signals: (state: State) => reply(state.signals, state),
    register: (state: State, name, ctx) => {
      try {
        ctx.register(name);
        return reply('ok' as 'ok' | string, state);
      } catch (error) {
        return reply((error as Error).message as 'ok' | string, state);
      }
    },
    whereis: (state: State, name, ctx) => reply(ctx.whereis(name), state),
    isAlive: (state: State, pid, ctx) => reply(ctx.isAlive(pid), state),
    spawn: (state: State, options, ctx) => reply(ctx.spawnLink(Probe, undefined, options) as Pid, state),
    takeBack: (state: State, pid, ctx) => reply(ctx.withdraw(pid), state),
    spawnAndTakeBack: (state: State, thread, ctx) => {
      const pid: Pid = ctx.spawnLink(Probe, undefined, { thread });
      ctx.monitor(pid);
      return reply({ pid, taken: ctx.withdraw(pid) }, state);
    },
    late: (state: State, other, ctx) => {
      ctx.cast(other, 'answer', ctx.from);
      return noreply(state);
    },
    never: (state: State) => noreply(state),
    callOn: async (state: State, pid, ctx) => reply((await ctx.call(pid, 'threadId')) as unknown, state),
    lateOf: async (state: State, { server, other }, ctx) =>
      reply((await ctx.call(server, 'late', other, { timeoutMs: 2_000 })) as unknown, state),
    spawnFails: (state: State, { what, name }, ctx) => {
      try {
        if (what === 'function') ctx.spawn(() => undefined, undefined, { isolated: true });
        else if (what === 'argument') ctx.spawn(Probe, (() => undefined) as any, { isolated: true });
        else ctx.spawn(Probe, undefined, { isolated: true, ...(name === undefined ? {} : { name }) });
        return reply('spawned', state);
      } catch (error) {
        return reply((error as Error).message, state);
      }
    },
    value: (state: State, kind) => reply((kind === 'function' ? { f: () => 1 } : { s: Symbol('s') }) as unknown, state),
  },
  handleCast: {
    answer: (state: State, from, ctx) => {
      ctx.replyTo(from, `from thread ${threadId}`);
      return noreply(state);
    },
    exit: (state: State, { pid, reason }, ctx) => {
      ctx.exitProcess(pid, reason);
      return noreply(state);
    },
    count: (state: State, n) => {
      state.counted.push(n);
      return noreply(state);
    },
    loop: (state: State) => {
      for (;;) if (state === undefined) return noreply(state);
    },
    allocate: (state: State) => {
      const kept: unknown[] = [state];
      while (kept.length > 0) kept.push(new Array(1_000_000).fill(kept.length));
      return noreply(state);
    },
    exitProcess: (_state: State, code) => process.exit(code),
    throwLater: (state: State, why) => {
      setImmediate(() => {
        throw new Error(why);
      });
      return noreply(state);
    },
    later: (state: State, delayMs, ctx) => {
      ctx.sendAfter(delayMs, 'note', 'later');
      return noreply(state);
    },
    leave: (_state: State, reason, ctx) => ctx.exit(reason),
    flood: (state: State, { to, count }, ctx) => {
      for (let n = 0; n < count; n++) ctx.cast(to, 'count', n);
      return noreply(state);
    },
  },
  handleInfo: {
    note: (state: State, payload) => noted(state, { tag: 'note', payload }),
    EXIT: (state: State, { from, reason }) => noted(state, { tag: 'EXIT', from, reason }),
    DOWN: (state: State, { ref, object, reason }) => noted(state, { tag: 'DOWN', ref, object, reason }),
  },
});

function noted(state: State, signal: Signal): ReturnType<typeof noreply<State>> {
  state.signals.push(signal);
  return noreply(state);
}
