/** Tasks, event managers and applications over many schedules, each with its own order of messages and kills. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  applicationController,
  type Context,
  type EventHandler,
  type EventProtocol,
  ensureAllStarted,
  eventHandler,
  genEvent,
  name,
  noreply,
  type Pid,
  type System,
  TaskError,
  task,
  taskSupervisor,
  whichApplications,
} from '../../runtime/index.ts';
import { type SimulatedRun, simulate } from '../../runtime/testing.ts';
import { probe } from '../support/application-probe.ts';

const seed = Number(process.env['SIMULATION_SEED'] ?? 1);
const sup = name<any>('tasks');

/** Runs a function as a process that traps exits, and settles when it has ended, however it did. */
function inProcess(system: System, run: (ctx: Context) => Promise<void>): Promise<Pid> {
  return new Promise((resolve) => {
    const body = async (_none: undefined, ctx: Context): Promise<void> => {
      ctx.trapExit(true);
      ctx.openPort({ close: () => resolve(ctx.self) });
      await run(ctx);
    };
    system.spawn(body, undefined);
  });
}

/** Naps, and says what it was given. */
async function echo(item: number, ctx: Context): Promise<number> {
  await ctx.receive(() => false, item % 7);
  return item;
}

test('tasks: a wait ends with the result of its own task or a failure, and nothing comes later', async () => {
  await simulate({ seed, runs: 150, kills: { chance: 0.03, max: 3 } }, async (run: SimulatedRun) => {
    const system = await run.start({ intensity: 10, children: [taskSupervisor('tasks', { name: 'tasks' })] });
    const settled: string[] = [];
    const left: string[] = [];
    await inProcess(system, async (ctx) => {
      for (let item = 0; item < 6; item++) {
        const timeoutMs = Math.floor(run.random() * 7);
        try {
          const started =
            item % 2 === 0 ? task.async(ctx, echo, item) : await taskSupervisor.asyncNolink(ctx, sup, echo, item);
          assert.equal(await task.await(ctx, started, { timeoutMs }), item);
          settled.push('result');
        } catch (error) {
          if (error instanceof assert.AssertionError) settled.push(error.message);
          settled.push(error instanceof TaskError ? error.code : (error as { code: string }).code);
        }
      }
      await ctx.receive(() => false, 100);
      for (;;) {
        const message = await ctx.receive(() => true, 0);
        if (message === 'timeout') return;
        left.push(message.tag);
      }
    });
    await run.quiet();
    for (const each of settled)
      assert.match(each, /^(result|ERR_TASK_TIMEOUT|ERR_TASK_EXIT|ERR_TASK_START|ERR_CALL_NOPROC|ERR_CALL_EXIT)$/);
    assert.deepEqual(
      left.filter((tag) => tag !== 'EXIT'),
      [],
      'no late result, no DOWN',
    );
    assert.ok(system.processCount <= 3, 'init, root and the supervisor');
  });
});

test('streams: one outcome per item, in order, and no task outlives its loop', async () => {
  await simulate({ seed, runs: 150, kills: { chance: 0.02, max: 3 } }, async (run: SimulatedRun) => {
    const system = await run.start({ intensity: 10, children: [taskSupervisor('tasks', { name: 'tasks' })] });
    const items = Array.from({ length: 8 }, (_none, i) => i);
    const options = { maxConcurrency: 3, timeoutMs: 4, onTimeout: 'kill_task', ordered: run.random() < 0.5 } as const;
    const linked = run.random() < 0.5;
    const seen: number[] = [];
    let wrong: unknown;
    const owner = await inProcess(system, async (ctx) => {
      const stream = linked
        ? task.asyncStream(ctx, items, echo, options)
        : taskSupervisor.asyncStreamNolink(ctx, sup, items, echo, options);
      let given = 0;
      try {
        for await (const outcome of stream) {
          if ('ok' in outcome) seen.push(outcome.ok);
          if ('ok' in outcome && options.ordered && outcome.ok !== given) wrong = [outcome.ok, given];
          given++;
        }
        if (given !== items.length) wrong = given;
      } catch (error) {
        if (!/^ERR_(TASK|CALL)_/.test((error as { code?: string }).code ?? '')) wrong = error;
      }
    });
    await run.quiet();
    assert.equal(wrong, undefined);
    assert.equal(new Set(seen).size, seen.length, 'no outcome twice');
    // Tasks that are not linked to an owner that was killed end by themselves; none is there when all is quiet.
    assert.ok(system.processCount <= 3, `left behind by ${owner}`);
  });
});

test('event handlers: one is there as long as its supervisor, and terminates once', async () => {
  const bus = name<EventProtocol<{ readonly tick: void }>>('bus');
  await simulate({ seed, runs: 150, kills: { chance: 0.03, max: 3 } }, async (run: SimulatedRun) => {
    const ends: string[] = [];
    const starts: string[] = [];
    const owners = new Map<string, Pid>();
    const Counter: EventHandler<{ readonly event: { readonly tick: void } }, string> = eventHandler(
      import.meta,
      'Counter',
      {
        init: (id) => {
          starts.push(id);
          return id;
        },
        handleEvent: { tick: async (id, _none, ctx) => (await ctx.receive(() => false, 1)) && noreply(id) },
        terminate: (_arg, id) => ends.push(id),
      },
    );
    const system = await run.start({ intensity: 10, children: [genEvent.child({ name: bus })] });
    for (const id of ['a', 'b', 'c']) {
      void inProcess(system, async (ctx) => {
        owners.set(id, ctx.self);
        await genEvent.addSupHandler(ctx, bus, { handler: Counter, id }, id);
        await ctx.receive(() => false, Math.floor(run.random() * 20));
      });
    }
    const tick = (): void => {
      if (system.whereis(bus) !== undefined) genEvent.notify(system, bus, 'tick');
    };
    for (let i = 0; i < 4; i++) {
      tick();
      await run.sleep(3);
    }
    run.killing = false;
    await run.quiet();
    const there = system.whereis(bus) === undefined ? [] : await genEvent.whichHandlers(system, bus);
    for (const ref of there) {
      const id = 'id' in ref ? ref.id : '';
      assert.ok(system.isAlive(owners.get(id) as Pid), `${id} has no supervisor any more`);
    }
    for (const list of [starts, ends]) assert.equal(new Set(list).size, list.length, `${list}`);
  });
});

test('applications: after any kills what is said to run runs, and what it needs was started before it', async () => {
  await simulate({ seed, runs: 150, kills: { chance: 0.02, max: 2 } }, async (run: SimulatedRun) => {
    const log: string[] = [];
    const a = probe('a', log);
    const b = probe('b', log, [a]);
    const boot = [{ application: a, type: 'temporary' }] as const;
    const system = await run.start({ intensity: 10, children: [applicationController(boot)] });
    for (let i = 0; i < 3; i++) {
      await ensureAllStarted(system, b).catch(() => 'killed');
      await run.sleep(1);
    }
    run.killing = false;
    await run.quiet();
    for (const { top } of await whichApplications(system)) assert.ok(top !== undefined && system.isAlive(top));
    const names = (await whichApplications(system)).map((each) => each.name);
    assert.ok(!names.includes('b') || log.indexOf('a start') < log.indexOf('b start'), log.join());
    const starts = (app: string): number => log.filter((line) => line === `${app} worker`).length;
    const ends = (app: string): number => log.filter((line) => line.startsWith(`${app} worker "`)).length;
    for (const app of ['a', 'b']) {
      assert.ok(ends(app) + (names.includes(app) ? 1 : 0) <= starts(app), `${app}: ${log.join()}`);
    }
  });
});
