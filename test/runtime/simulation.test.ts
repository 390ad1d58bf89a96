/** The kernel's own invariants over thousands of schedules, each with its own order of messages, signals and kills. */

import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { test } from 'node:test';
import {
  type Call,
  type ChildSpec,
  type Context,
  channels,
  child,
  type ExitReason,
  type GenServer,
  genServer,
  name,
  noreply,
  Pid,
  type ProcessExitEvent,
  type Ref,
  type RestartType,
  reply,
  type Strategy,
  type SupervisorReport,
  type System,
  startChild,
  supervisor,
  terminateChild,
  whichChildren,
} from '../../runtime/index.ts';
import { type SimulatedRun, SimulationError, simulate } from '../../runtime/testing.ts';

const seed = Number(process.env['SIMULATION_SEED'] ?? 1);

interface WorkerProtocol {
  readonly call: { readonly whoami: Call<void, Pid>; readonly nap: Call<number, number> };
  readonly cast: { readonly crash: string; readonly stamp: { readonly for: Pid } };
  readonly info: { readonly tick: Pid };
}

const misdelivered: string[] = [];

const Worker: GenServer<WorkerProtocol, boolean> = genServer(import.meta, 'Worker', {
  init(traps, ctx) {
    ctx.trapExit(traps);
    ctx.sendAfter(20, 'tick', ctx.self);
    return { ticks: 0 };
  },
  handleCall: {
    whoami: (state, _payload, ctx) => reply(ctx.self, state),
    nap: async (state, ms, ctx) => {
      await ctx.receive(() => false, ms);
      return reply(ms, state);
    },
  },
  handleCast: {
    crash: (_state, why) => {
      throw new Error(why);
    },
    stamp: (state, { for: addressed }, ctx) => {
      if (addressed !== ctx.self) misdelivered.push(`${addressed} got by ${ctx.self}`);
      return noreply(state);
    },
  },
  handleInfo: {
    tick: (state, armedBy, ctx) => {
      if (armedBy !== ctx.self) misdelivered.push(`tick of ${armedBy} got by ${ctx.self}`);
      return noreply({ ticks: state.ticks + 1 });
    },
  },
});

const strategies: Strategy[] = ['one_for_one', 'one_for_all', 'rest_for_one'];
const restarts: RestartType[] = ['permanent', 'transient', 'temporary'];

function pick<T>(run: SimulatedRun, from: readonly T[]): T {
  return from[Math.floor(run.random() * from.length)] as T;
}

function randomTree(run: SimulatedRun, path: string, depth: number): ChildSpec {
  const children: ChildSpec[] = [];
  const count = 1 + Math.floor(run.random() * 3);
  for (let i = 0; i < count; i++) {
    const id = `${path}.${i}`;
    if (depth > 1 && run.random() < 0.4) children.push(randomTree(run, id, depth - 1));
    else children.push(child(Worker, run.random() < 0.5, { id, name: id, restart: pick(run, restarts), shutdown: 50 }));
  }
  return supervisor(path, { strategy: pick(run, strategies), intensity: 3, periodMs: 1_000, name: path }, children);
}

interface Row {
  readonly sup: Pid;
  readonly id: string;
  readonly pid: Pid | 'restarting' | undefined;
  readonly type: string;
}

async function rowsBelow(system: System, sup: Pid): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { id, pid, type } of await whichChildren(system, sup)) {
    rows.push({ sup, id, pid, type });
    if (type === 'supervisor' && pid instanceof Pid) rows.push(...(await rowsBelow(system, pid)));
  }
  return rows;
}

/** Collects events of one run's system, by its name. */
function observe<T>(channel: string, system: string, see: (event: T) => void): () => void {
  const listener = (event: unknown): void => {
    if ((event as { system: string }).system === system) see(event as T);
  };
  subscribe(channel, listener);
  return () => unsubscribe(channel, listener);
}

test('trees: after any kills and crashes nobody lists the dead, and no name or process is left over', async () => {
  const options = { seed, runs: 5_000, kills: { chance: 0.02, max: 4 } };
  await simulate(options, async (run) => {
    const label = `tree-${run.seed}`;
    const exits = new Map<Pid, number>();
    const restartsOf = new Map<Pid, number[]>();
    const forget = [
      observe<ProcessExitEvent>(channels.processExit, label, ({ pid }) => exits.set(pid, (exits.get(pid) ?? 0) + 1)),
      observe<SupervisorReport>(channels.supervisorReport, label, ({ pid, errorContext, offender }) => {
        if (errorContext !== 'child_terminated' || offender.restart === 'temporary') return;
        restartsOf.set(pid, [...(restartsOf.get(pid) ?? []), run.clock.now()]);
      }),
    ];
    const system = await run.start({
      name: label,
      intensity: 50,
      periodMs: 1_000,
      children: [randomTree(run, 't', 3)],
    });
    for (let i = 0; i < 4; i++) {
      const workers = (await rowsBelow(system, system.root).catch(() => [])).filter(({ type }) => type === 'worker');
      const chosen = workers.length === 0 ? undefined : pick(run, workers);
      if (!(chosen?.pid instanceof Pid)) continue;
      system.cast(chosen.pid, 'stamp', { for: chosen.pid });
      if (run.random() < 0.5) system.cast(name<WorkerProtocol>(chosen.id), 'crash', 'boom');
      else if (run.random() < 0.3) await terminateChild(system, chosen.sup, chosen.id).catch(() => 'gone');
    }
    run.killing = false;
    await run.quiet();
    if (system.isAlive(system.root)) {
      const rows = await rowsBelow(system, system.root);
      for (const { id, pid } of rows) {
        assert.notEqual(pid, 'restarting', id);
        if (pid instanceof Pid) assert.ok(system.isAlive(pid), `${id} is listed and dead`);
        else assert.equal(system.whereis(name(id)), undefined, `${id} does not run and has a name`);
      }
      const listed = rows.filter(({ pid }) => pid instanceof Pid).length;
      assert.equal(system.processCount, listed + 2, 'somebody lives whom no supervisor lists');
      for (const [sup, times] of restartsOf)
        if (system.isAlive(sup)) assertIntensity(times, sup === system.root ? 50 : 3);
    }
    for (const [pid, count] of exits) assert.equal(count, 1, `${pid} exited ${count} times`);
    for (const stop of forget) stop();
  });
  assert.deepEqual(misdelivered, []);
});

/** A supervisor that still lives has not restarted more often than it may, in any window. */
function assertIntensity(times: readonly number[], intensity: number): void {
  for (let i = 0; i + intensity < times.length; i++) {
    assert.ok((times[i + intensity] as number) - (times[i] as number) > 1_000, `${times} within one period`);
  }
}

test('signals: each monitor and link is served exactly once, and messages of one sender keep their order', async () => {
  await simulate({ seed, runs: 3_000, kills: { chance: 0.03, max: 3 } }, async (run) => {
    const downs = new Map<Ref, ExitReason[]>();
    const exitsSeen = new Map<string, number>();
    const trouble: string[] = [];
    const system = await run.start({ children: [] });
    const reasons = new Map<Pid, ExitReason>();
    const forget = observe<ProcessExitEvent>(channels.processExit, system.name, ({ pid, reason }) =>
      reasons.set(pid, reason),
    );

    /**
     * Sends numbered messages, then ends; what its peer gets must be numbered without a gap, and the DOWN come last.
     */
    const sender = async (to: Pid, ctx: Context): Promise<void> => {
      const count = 1 + Math.floor(run.random() * 5);
      for (let i = 0; i < count; i++) {
        ctx.send(to, 'numbered', { from: ctx.self, i });
        if (run.random() < 0.3) await ctx.receive(() => false, 1);
      }
      if (run.random() < 0.5) ctx.exit('boom');
    };
    const watcher = async (_arg: undefined, ctx: Context): Promise<void> => {
      ctx.trapExit(true);
      const next = new Map<Pid, number>();
      const watched = new Map<Ref, Pid>();
      for (let i = 0; i < 3; i++) {
        const { pid, ref } = ctx.spawnMonitor(sender, ctx.self);
        watched.set(ref, pid);
        next.set(pid, 0);
        downs.set(ref, []);
        if (run.random() < 0.5 && ctx.isAlive(pid)) ctx.link(pid);
      }
      for (;;) {
        const message = await ctx.receive(() => true, 'infinity');
        if (message === 'timeout') continue;
        const { tag, payload } = message;
        if (tag === 'numbered') {
          const { from, i } = payload as { from: Pid; i: number };
          if (next.get(from) !== i) trouble.push(`${from}: ${i} instead of ${next.get(from)}`);
          next.set(from, i + 1);
        } else if (tag === 'DOWN') {
          const { ref, reason, object } = payload as { ref: Ref; reason: ExitReason; object: Pid };
          downs.get(ref)?.push(reason);
          if (watched.get(ref) !== object) trouble.push('DOWN of somebody else');
          next.set(object, Number.NaN); // nothing of it may come any more
        } else if (tag === 'EXIT') {
          const { from } = payload as { from: Pid };
          exitsSeen.set(`${ctx.self}${from}`, (exitsSeen.get(`${ctx.self}${from}`) ?? 0) + 1);
        }
      }
    };
    const watchers = [system.spawn(watcher, undefined), system.spawn(watcher, undefined)];
    await run.quiet();
    run.killing = false;
    await run.quiet();
    assert.deepEqual(trouble, []);
    for (const [key, count] of exitsSeen) assert.equal(count, 1, `EXIT ${key} came ${count} times`);
    if (watchers.every((pid) => system.isAlive(pid))) {
      for (const [ref, seen] of downs) assert.equal(seen.length, 1, `monitor ${ref} fired ${seen.length} times`);
    }
    for (const seen of downs.values()) assert.ok(seen.length <= 1);
    forget();
  });
});

test('calls: every call is settled once, with the answer to its own request, and none after its deadline', async () => {
  await simulate({ seed, runs: 3_000, kills: { chance: 0.03, max: 2 } }, async (run) => {
    const spec = child(Worker, false, { name: 'worker', restart: 'permanent' });
    const system = await run.start({
      intensity: 20,
      children: [supervisor('s', { intensity: 20, name: 's' }, [spec])],
    });
    const worker = name<WorkerProtocol>('worker');
    const outcomes: string[] = [];
    const calls = Array.from({ length: 5 }, (_, i) => {
      const napMs = 1 + i * 3;
      const timeoutMs = 5 + Math.floor(run.random() * 40);
      const startedMs = run.clock.now();
      return system.call(worker, 'nap', napMs, { timeoutMs }).then(
        (value) => {
          assert.equal(value, napMs);
          assert.ok(run.clock.now() - startedMs <= timeoutMs, 'a reply after the deadline');
          outcomes.push('reply');
        },
        (error: { code: string }) => outcomes.push(error.code),
      );
    });
    if (run.random() < 0.3) void startChild(system, 's', child(Worker, false, { id: 'second' })).catch(() => 'gone');
    await Promise.all(calls);
    assert.equal(outcomes.length, 5);
    for (const outcome of outcomes) {
      assert.match(outcome, /^(reply|ERR_CALL_TIMEOUT|ERR_CALL_EXIT|ERR_CALL_NOPROC)$/);
    }
  });
});

test('a failing run names its seed, and the seed replays it step by step', async () => {
  const program =
    (trace: string[]) =>
    async (run: SimulatedRun): Promise<void> => {
      const system = await run.start({ children: [] });
      let first: string | undefined;
      const racer = (who: string, ctx: Context): void => {
        trace.push(who, String(ctx.clock.now()));
        first ??= who;
      };
      system.spawn(racer, 'hare');
      system.spawn(racer, 'tortoise');
      await run.quiet();
      assert.equal(first, 'hare', 'the tortoise was first');
    };
  const failed = await simulate({ seed: 1, runs: 50 }, program([])).then(
    () => assert.fail('no schedule lets the tortoise win'),
    (error: unknown) => error,
  );
  assert.ok(failed instanceof SimulationError);
  assert.match(failed.message, new RegExp(`seed ${failed.seed} failed at step \\d+: the tortoise was first`));
  const [once, again]: [string[], string[]] = [[], []];
  for (const trace of [once, again]) {
    await assert.rejects(simulate({ seed: failed.seed, runs: 1 }, program(trace)), { seed: failed.seed });
  }
  assert.deepEqual(once, again);
  assert.equal(once[0], 'tortoise');
});

test('a program that waits for what never comes fails instead of hanging; so does one without an end', async () => {
  await assert.rejects(
    simulate({ seed: 1, runs: 1 }, () => new Promise(() => {})),
    /waits for something that never comes/,
  );
  const forEver = async (run: SimulatedRun): Promise<void> => {
    for (;;) await run.sleep(1);
  };
  await assert.rejects(simulate({ seed: 1, runs: 1, stepsMax: 200 }, forEver), /took more than 200 steps/);
});

test('who is killed can be narrowed, and nobody is killed by default', async () => {
  await simulate({ seed: 1, runs: 20, kills: { chance: 1, max: 1, candidate: (p) => p.name === 'b' } }, async (run) => {
    const both = [child(Worker, false, { id: 'a', name: 'a' }), child(Worker, false, { id: 'b', name: 'b' })];
    await run.start({ children: [supervisor('s', {}, both)] });
    await run.sleep(10);
    assert.deepEqual(
      run.killed.map((victim) => victim.name),
      ['b'],
    );
  });
  await simulate({ seed: 1, runs: 20 }, async (run) => {
    await run.start({ children: [child(Worker, false, { name: 'a' })] });
    await run.sleep(10);
    assert.deepEqual(run.killed, []);
  });
});
