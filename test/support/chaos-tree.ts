/** The processes of the chaos test: servers that watch, link and call each other, and do harm when they are told to. */

import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  type Call,
  type ChildSpec,
  type Context,
  child,
  type GenServer,
  genServer,
  name,
  noreply,
  type Pid,
  type Ref,
  reply,
  supervisor,
} from '../../runtime/index.ts';
import type { Kernel } from '../../runtime/kernel/kernel.ts';
import { pidSetValues } from '../../runtime/kernel/pid-set.ts';
import { FIELDS } from '../../runtime/thread/name-table.ts';
import { Fortune } from './fortune.ts';

/** What a process knows of those that it watches. */
export interface Ledger {
  /** Monitors and links that have not fired. */
  readonly watched: readonly Pid[];
  readonly linked: readonly Pid[];
  readonly fired: number;
  /** Signals of monitors and links that had fired before, or never were. */
  readonly stray: number;
}

export interface ChaosProtocol {
  readonly call: { readonly ping: Call<number, number>; readonly ledger: Call<void, Ledger> };
  readonly cast: {
    readonly fail: void;
    readonly failLater: void;
    readonly rejectLater: void;
    readonly loop: void;
    readonly allocate: void;
    readonly exitThread: void;
  };
  readonly info: { readonly watch: void; readonly tick: void };
}

export interface ChaosStart {
  /** Of all, that is, `w0` … */
  readonly count: number;
  readonly index: number;
  readonly seed: number;
}

interface State {
  readonly start: ChaosStart;
  readonly fortune: Fortune;
  readonly monitors: Map<Ref, Pid>;
  readonly links: Set<Pid>;
  fired: number;
  stray: number;
}

/** How many others a process watches, and how long it waits when one of them is not there. */
const watchedCount = 2;
const againMs = 20;
const tickMs = 200;

function watchOthers(state: State, ctx: Context): void {
  const { start, fortune, monitors, links } = state;
  while (monitors.size < watchedCount) {
    const pid = ctx.whereis(`w${fortune.below(start.count)}`);
    if (pid === undefined) {
      ctx.sendAfter(againMs, 'watch');
      return;
    }
    if (pid === ctx.self) continue;
    monitors.set(ctx.monitor(pid), pid);
    // Those with an even number trap exits: none of them takes another one along.
    if (start.index % 4 !== 0 || links.size >= watchedCount) continue;
    ctx.link(pid);
    links.add(pid);
  }
}

export const Chaotic: GenServer<ChaosProtocol, ChaosStart> = genServer(import.meta, 'Chaotic', {
  init(start: ChaosStart, ctx): State {
    ctx.trapExit(true);
    const fortune = new Fortune(start.seed + start.index);
    ctx.sendAfter(againMs, 'watch');
    if (start.index % 5 === 0) ctx.sendInterval(tickMs, 'tick');
    return { start, fortune, monitors: new Map(), links: new Set(), fired: 0, stray: 0 };
  },
  handleCall: {
    ping: (state: State, n) => reply(n, state),
    ledger: (state: State) => {
      const { monitors, links, fired, stray } = state;
      return reply({ watched: [...monitors.values()], linked: [...links], fired, stray } as Ledger, state);
    },
  },
  handleCast: {
    fail: (): never => {
      throw new Error('chaos');
    },
    failLater: (state: State) => {
      setImmediate(() => {
        throw new Error('chaos, later');
      });
      return noreply(state);
    },
    rejectLater: (state: State) => {
      void Promise.reject(new Error('chaos, in a promise'));
      return noreply(state);
    },
    loop: (state: State) => {
      for (;;) if (state === undefined) return noreply(state);
    },
    allocate: (state: State) => {
      const kept: unknown[] = [state];
      while (kept.length > 0) kept.push(new Array(100_000).fill(kept.length));
      return noreply(state);
    },
    exitThread: () => process.exit(7),
  },
  handleInfo: {
    watch: (state: State, _payload, ctx) => {
      watchOthers(state, ctx);
      return noreply(state);
    },
    tick: async (state: State, _payload, ctx) => {
      const { start, fortune } = state;
      const n = fortune.below(1_000);
      const other = name<ChaosProtocol>(`w${fortune.below(start.count)}`);
      const answer = await ctx.call(other, 'ping', n, { timeoutMs: 500 }).catch(() => n);
      if (answer !== n) throw new Error(`the answer to ${n} was ${answer}`);
      return noreply(state);
    },
    DOWN: (state: State, { ref }, ctx) => {
      if (state.monitors.delete(ref)) state.fired++;
      else state.stray++;
      watchOthers(state, ctx);
      return noreply(state);
    },
    EXIT: (state: State, { from }) => {
      // Of a link that another process has made nothing is known here.
      if (state.links.delete(from)) state.fired++;
      return noreply(state);
    },
  },
});

/** A tree of so many servers: supervisors on threads over supervisors on threads. */
export function chaosTree(count: number, seed: number): ChildSpec[] {
  const flags = { intensity: 100_000, periodMs: 1_000 };
  const strategies = ['one_for_one', 'rest_for_one', 'one_for_all'] as const;
  const leaves = Array.from({ length: count }, (_, index) =>
    child(Chaotic, { count, index, seed } as ChaosStart, {
      id: `w${index}`,
      name: `w${index}`,
      thread: 'cpu',
      attribute: index % 2 === 0,
    }),
  );
  const groups = grouped(leaves, 8).map((children, i) => {
    const strategy = strategies[i % 8 === 7 ? 2 : i % 8 === 6 ? 1 : 0] as (typeof strategies)[0];
    return supervisor(`m${i}`, { ...flags, strategy, name: `m${i}`, thread: 'cpu' }, children);
  });
  return grouped(groups, 8).map((children, i) =>
    supervisor(`s${i}`, { ...flags, name: `s${i}`, thread: 'cpu' }, children),
  );
}

function grouped<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size));
}

/** What a thread holds, looked at from inside. */
export interface Census {
  readonly thread: number;
  readonly processes: number;
  readonly timers: number;
  readonly calls: number;
  readonly starts: number;
  readonly deferred: number;
  readonly orphans: number;
  readonly blocked: number;
  /** Monitors of processes elsewhere, as they are kept for the channel and by the processes. */
  readonly farMonitors: number;
  readonly monitorsHeld: number;
  /** Links and monitors that lead to the dead. */
  readonly dangling: readonly string[];
  /** `a b` for each link of `a` to `b`. */
  readonly links: readonly string[];
  readonly names: number;
  readonly channels: number;
  readonly heapBytes: number;
}

export interface CensusProtocol {
  readonly call: { readonly take: Call<void, Census> };
}

let kernel: Kernel | undefined;

const CensusServer: GenServer<CensusProtocol> = genServer(import.meta, 'CensusTaker', {
  init: () => undefined,
  handleCall: { take: (state: undefined) => reply(takeCensus(kernel as Kernel), state) },
});

/** Looks into the kernel of its thread. */
export const CensusTaker: GenServer<CensusProtocol> = {
  ...CensusServer,
  createRunner(of: Kernel, start: unknown) {
    kernel = of;
    return (CensusServer as any).createRunner(of, start);
  },
} as GenServer<CensusProtocol>;

function takeCensus(of: Kernel): Census {
  const { remote, timers, deferredCalls, table } = of as any;
  const dangling: string[] = [];
  const links: string[] = [];
  let monitorsHeld = 0;
  for (const process of of.table.all) {
    for (const peer of pidSetValues(process.links)) {
      links.push(`${process.pid} ${peer}`);
      if (!of.isAlive(peer)) dangling.push(`${process.pid} has a link to ${peer}`);
    }
    for (const target of process.monitors?.values() ?? []) {
      if (of.names.isElsewhere(target)) monitorsHeld++;
      if (!of.isAlive(target)) dangling.push(`${process.pid} monitors ${target}`);
    }
    for (const { watcher } of process.monitoredBy?.values() ?? []) {
      if (!of.isAlive(watcher)) dangling.push(`${process.pid} is monitored by ${watcher}`);
    }
  }
  return {
    thread: of.thread,
    processes: table.size,
    timers: timers.size,
    calls: remote.calls.waiting.size,
    starts: remote.starts.waiting.size,
    deferred: deferredCalls.servers.size,
    orphans: remote.orphans.size,
    blocked: remote.outbox.blocked.size,
    farMonitors: remote.monitors.size,
    monitorsHeld,
    dangling,
    links,
    names: namesIn(remote.memory.names),
    channels: remote.outbox.writers.size + remote.outbox.readers.size,
    heapBytes: heapBytes(),
  };
}

/** How many names the table of the system holds. */
function namesIn({ buckets, fields }: { readonly buckets: Int32Array; readonly fields: Int32Array }): number {
  let count = 0;
  for (const first of buckets) for (let at = first; at !== 0; at = fields[at * FIELDS] as number) count++;
  return count;
}

/** What is left after everything that can be collected has been. */
function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  gc();
  gc();
  return getHeapStatistics().used_heap_size;
}
