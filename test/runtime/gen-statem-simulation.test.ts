/** A state machine over many schedules: a lock whose clients are killed at any moment. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Call,
  type Context,
  child,
  type GenStatem,
  genStatem,
  initState,
  keepStateAndData,
  name,
  nextState,
  type Pid,
  type Ref,
  replyTo,
  stateTimeout,
  sys,
} from '../../runtime/index.ts';
import { type SimulatedRun, simulate } from '../../runtime/testing.ts';

const seed = Number(process.env['SIMULATION_SEED'] ?? 1);

interface LockProtocol {
  readonly call: { readonly acquire: Call<void, 'granted'> };
  readonly cast: { readonly release: Pid };
  readonly stateTimeout: { readonly expire: void };
  readonly state: 'free' | 'held';
  readonly data: { readonly holder: Pid; readonly monitor: Ref } | null;
}

const leaseMs = 10;

/** Gives itself to one client at a time: calls of others are postponed. Free again when its holder is gone or slow. */
const Lock: GenStatem<LockProtocol> = genStatem(import.meta, 'Lock', {
  init: () => initState('free', null),
  states: {
    free: {
      call: {
        acquire: async (_data, _none, ctx) => {
          const data = { holder: ctx.from.pid, monitor: ctx.monitor(ctx.from.pid) };
          await ctx.receive(() => false, 1);
          return nextState('held', data, [replyTo(ctx.from, 'granted'), stateTimeout(leaseMs, 'expire')]);
        },
      },
      cast: { release: () => keepStateAndData() },
    },
    held: {
      call: { acquire: () => keepStateAndData('postpone') },
      cast: {
        release: (data, pid, ctx) => {
          if (data?.holder !== pid) return keepStateAndData();
          ctx.demonitor(data.monitor, { flush: true });
          return nextState('free', null);
        },
      },
      info: { DOWN: (data, { ref }) => (data?.monitor === ref ? nextState('free', null) : keepStateAndData()) },
      stateTimeout: { expire: () => nextState('free', null) },
    },
  },
  handleEvent: { info: { DOWN: () => keepStateAndData() } },
});

const lock = name<LockProtocol>('lock');

interface ClientStart {
  readonly holdMs: readonly number[];
  /** Who is inside now. */
  readonly inside: Set<Pid>;
  readonly tooMany: unknown[];
  readonly done: Pid[];
}

async function client({ holdMs, inside, tooMany, done }: ClientStart, ctx: Context): Promise<void> {
  ctx.openPort({ close: () => inside.delete(ctx.self) });
  for (const ms of holdMs) {
    await ctx.call(lock, 'acquire', undefined, { timeoutMs: 'infinity' });
    if (inside.size > 0) tooMany.push([...inside].map(String));
    inside.add(ctx.self);
    await ctx.receive(() => false, ms);
    inside.delete(ctx.self);
    ctx.cast(lock, 'release', ctx.self);
  }
  done.push(ctx.self);
}

test('a lock has one holder at a time, and every client that lives gets it, whatever the others die of', async () => {
  const isClient = ({ initialCall }: { readonly initialCall: string }): boolean => initialCall === 'client';
  const kills = { chance: 0.03, max: 3, candidate: isClient };
  let killed = 0;
  await simulate({ seed, runs: 200, kills }, async (run: SimulatedRun) => {
    const system = await run.start({ children: [child(Lock, undefined, { name: 'lock' })] });
    const start = { inside: new Set<Pid>(), tooMany: [] as unknown[], done: [] as Pid[] };
    const plans = Array.from({ length: 5 }, () =>
      Array.from({ length: 3 }, () => Math.floor(run.random() * (leaseMs - 1))),
    );
    const spawnAll = (_none: undefined, ctx: Context): void => {
      for (const holdMs of plans) ctx.spawn(client, { ...start, holdMs });
    };
    system.spawn(spawnAll, undefined);
    await run.quiet();
    run.killing = false;
    assert.deepEqual(start.tooMany, [], 'two were inside');
    assert.equal(start.done.length + run.killed.length, plans.length, 'all that live have done their work');
    assert.deepEqual(await sys.getState(system, lock), { state: 'free', data: null });
    const { state } = await sys.getStatus(system, lock);
    assert.deepEqual((state as { postponed: unknown }).postponed, []);
    killed += run.killed.length;
  });
  assert.ok(killed > 50, `only ${killed} were killed`);
});
