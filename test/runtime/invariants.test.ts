/** What must hold whatever happens: random trees under random schedules of kills, crashes, stops and requests. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type Context,
  channels,
  deleteChild,
  name,
  Pid,
  type ProcessExitEvent,
  type ProcessStart,
  restartChild,
  type System,
  startChild,
  supervisor,
  terminateChild,
  whichChildren,
} from '../../runtime/index.ts';
import { RestartWindow } from '../../runtime/supervisor/restart.ts';
import { settle } from '../../runtime/testing.ts';
import { periodMs, randomTree, type SupervisorShape, shutdownMs, TreeBuilder } from '../support/random-tree.ts';
import { onEvent, SupervisionTrace, startUnderRoot } from '../support/supervision-trace.ts';
import {
  type Cleanup,
  mailboxOf,
  type OpenProcess,
  openProcess,
  startTestSystem,
  systemName,
  type TestSystem,
} from '../support/test-system.ts';

interface Life {
  readonly parent: Pid | null;
  readonly role: 'worker' | 'supervisor' | 'apart';
  readonly exits: unknown[];
}

/** A system with a random tree, and all that was seen of it. */
interface World extends TestSystem {
  readonly trace: SupervisionTrace;
  readonly builder: TreeBuilder;
  readonly lives: ReadonlyMap<Pid, Life>;
  /** Traps exits; links to and monitors processes of the tree. */
  readonly observer: OpenProcess;
  readonly monitors: Map<number, Pid>;
  readonly links: Set<Pid>;
  /** Calls processes of the tree; its own mailbox must stay empty. */
  readonly caller: OpenProcess;
  readonly answers: { readonly expected: string; readonly got: unknown }[];
  /** Messages that were handled by another incarnation than the one they were sent to. */
  readonly strays: string[];
}

interface Step {
  readonly op: keyof typeof operations;
  readonly at: number;
  readonly other: number;
  readonly reason: unknown;
}

const step: fc.Arbitrary<Step> = fc.record({
  op: fc.constantFrom<Step['op']>(
    ...([
      'kill',
      'exit',
      'crash',
      'stop',
      'link',
      'watch',
      'unwatch',
      'note',
      'note',
      'call',
      'call',
      'timer',
    ] as const),
    ...(['terminate', 'restart', 'delete', 'start', 'advance', 'settle', 'settle', 'settle'] as const),
  ),
  at: fc.nat(40),
  other: fc.nat(40),
  reason: fc.constantFrom<unknown>('boom', 'normal', 'shutdown', { shutdown: 'x' }, 'killed'),
});

const roles = new Map<string, Life['role']>([
  ['PlannedWorker', 'worker'],
  ['SupervisorServer', 'supervisor'],
]);

async function createWorld(t: Cleanup, shape: SupervisorShape): Promise<World> {
  const system = systemName();
  const lives = new Map<Pid, Life>();
  onEvent<ProcessStart>(t, channels.processStart, system, ({ pid, parent, initialCall }) => {
    lives.set(pid, { parent, role: roles.get(initialCall.split('#')[1] ?? '') ?? 'apart', exits: [] });
  });
  onEvent<ProcessExitEvent>(t, channels.processExit, system, ({ pid, reason }) => lives.get(pid)?.exits.push(reason));
  const trace = new SupervisionTrace(t, system);
  const testSystem = await startTestSystem(t, { name: system, intensity: 3, periodMs });
  const builder = new TreeBuilder(trace);
  const [observer, caller] = [await openProcess(testSystem, { trapExit: true }), await openProcess(testSystem)];
  await startChild(testSystem.system, testSystem.system.root, builder.spec(shape));
  return {
    ...testSystem,
    ...{ trace, builder, lives, observer, caller },
    ...{ monitors: new Map(), links: new Set(), answers: [], strays: [] },
  };
}

/** The workers of the tree, or its supervisors below the root. */
function living(world: World, role: 'worker' | 'supervisor'): Pid[] {
  const found = [...world.lives].filter(
    ([pid, life]) => life.role === role && life.exits.length === 0 && pid !== world.system.root,
  );
  return found.map(([pid]) => pid);
}

const inTree = (world: World): Pid[] => [...living(world, 'worker'), ...living(world, 'supervisor')];

const pick = <T>(list: readonly T[], n: number): T | undefined => list[n % Math.max(1, list.length)];

/** What a schedule may do. Nothing is waited for except where time or turns are given. */
const operations = {
  kill: (world: World, { at }: Step) => exit(world, pick(inTree(world), at), 'kill'),
  exit: (world: World, { at, reason }: Step) => exit(world, pick(living(world, 'worker'), at), reason),
  crash: (world: World, { at }: Step) => cast(world, at, 'throw', new Error('crash')),
  stop: (world: World, { at, reason }: Step) => cast(world, at, 'stop', reason),
  link: (world: World, { at }: Step) => {
    const target = pick(inTree(world), at);
    if (target === undefined) return;
    world.observer.ctx.link(target);
    world.links.add(target);
  },
  watch: (world: World, { at }: Step) => {
    const target = pick([...world.lives.keys()], at); // the dead ones too
    if (target !== undefined) world.monitors.set(world.observer.ctx.monitor(target), target);
  },
  unwatch: (world: World, { at }: Step) => {
    const [ref] = pick([...world.monitors], at) ?? [];
    if (ref === undefined) return;
    world.observer.ctx.demonitor(ref, { flush: true });
    world.monitors.delete(ref);
  },
  note: (world: World, { at }: Step) => {
    const target = pick(
      [...world.lives.keys()].filter((pid) => world.lives.get(pid)?.role === 'worker'),
      at,
    );
    const run = (ctx: Context): void => {
      if (ctx.self !== target) world.strays.push(`${ctx.self} for ${target}`);
    };
    if (target !== undefined) world.system.cast(target, 'run', run);
  },
  call: (world: World, { at, other }: Step) => {
    const target = pick(living(world, 'worker'), at);
    if (target === undefined) return;
    const expected = `${target}`;
    const timeoutMs = other + 1;
    const call = world.caller.ctx.call(target, 'ping', undefined, { timeoutMs });
    const note = (got: unknown): void => {
      world.answers.push({ expected, got });
    };
    void call.then(note, (error: { code?: string }) => note(error.code));
  },
  timer: (world: World, { at, other }: Step) => {
    const target = pick(living(world, 'worker'), at);
    if (target !== undefined) world.opener.sendAfter(other * 20, 'tick', undefined, target);
  },
  terminate: (world: World, { at, other }: Step) =>
    ask(world, at, (sup, id) => terminateChild(world.system, sup, id), other),
  restart: (world: World, { at, other }: Step) =>
    ask(world, at, (sup, id) => restartChild(world.system, sup, id), other),
  delete: (world: World, { at, other }: Step) => ask(world, at, (sup, id) => deleteChild(world.system, sup, id), other),
  start: (world: World, { at, other }: Step) =>
    ask(world, at, (sup) => startChild(world.system, sup, world.trace.worker(`dynamic${other}`)), other),
  advance: (world: World, { other }: Step) => world.clock.advance(other * 5),
  settle: () => settle(),
} satisfies Record<string, (world: World, step: Step) => unknown>;

function exit(world: World, pid: Pid | undefined, reason: unknown): void {
  if (pid !== undefined) world.system.exitProcess(pid, reason);
}

function cast(world: World, at: number, tag: string, payload: unknown): void {
  const target = pick(living(world, 'worker'), at);
  if (target !== undefined) world.system.cast(target, tag, payload);
}

function ask(world: World, at: number, request: (sup: Pid, id: string) => Promise<unknown>, other: number): void {
  const sup = pick(living(world, 'supervisor'), at);
  const id = pick(world.builder.ids, other);
  // The supervisor may end before it answers: that the call then fails is as it should be.
  if (sup !== undefined && id !== undefined)
    request(sup, id).catch((error: { code: string }) => assert.equal(error.code, 'ERR_CALL_EXIT'));
}

/** Runs a schedule, lets it come to rest, and checks. */
function holds(check: (world: World) => unknown): (shape: SupervisorShape, schedule: readonly Step[]) => Promise<void> {
  return async (shape, schedule) => {
    const ends: (() => unknown)[] = [];
    try {
      const world = await createWorld({ after: (end) => ends.push(end) }, shape);
      for (const each of schedule) if (stands(world)) await operations[each.op](world, each);
      await settle(20);
      await world.clock.advance(60_000);
      await check(world);
    } finally {
      for (const end of ends.reverse()) await end();
    }
  };
}

function property(check: (world: World) => unknown): Promise<void> {
  const schedules = fc.array(step, { maxLength: 30 });
  return fc.assert(fc.asyncProperty(randomTree, schedules, holds(check)), {
    numRuns: 120,
  });
}

/** Whether the whole system stands: its root may have given up. */
const stands = ({ system }: { system: System }): boolean => system.isAlive(system.root);

test('each process has exactly one exit reason, and each monitor and link of it is served exactly once', async () => {
  await property(async (world) => {
    const seen = stands(world) ? await mailboxOf(world.observer) : [];
    if (!stands(world)) return; // the observer went with the system
    await assertServedOnce(world, seen);
    for (const [pid, { exits }] of world.lives) assert.ok(exits.length <= 1, `${pid} exited ${exits.length} times`);
    for (const [pid, { exits }] of world.lives) assert.equal(world.system.isAlive(pid), exits.length === 0);
  });
});

async function assertServedOnce(world: World, seen: readonly { tag: string; payload: unknown }[]): Promise<void> {
  type Signal = { readonly ref: number; readonly from: Pid; readonly object: Pid; readonly reason: unknown };
  const downs = seen.filter(({ tag }) => tag === 'DOWN').map(({ payload }) => payload as Signal);
  const exits = seen.filter(({ tag }) => tag === 'EXIT').map(({ payload }) => payload as Signal);
  for (const [ref, pid] of world.monitors) {
    const own = downs.filter((down) => down.ref === ref);
    const [reason] = world.lives.get(pid)?.exits ?? [];
    if (world.system.isAlive(pid)) assert.equal(own.length, 0, `DOWN of ${pid}, which lives`);
    else assert.equal(own.length, 1, `${own.length} DOWN of ${pid}`);
    for (const down of own) assert.ok(down.reason === reason || down.reason === 'noproc');
  }
  assert.ok(
    downs.every(({ ref }) => world.monitors.has(ref)),
    'no DOWN of a monitor that was taken away',
  );
  for (const pid of world.links) {
    const own = exits.filter(({ from }) => from === pid);
    assert.equal(own.length, world.system.isAlive(pid) ? 0 : 1, `${own.length} EXIT of ${pid}`);
    for (const exitOf of own) assert.equal(exitOf.reason, world.lives.get(pid)?.exits[0]);
  }
}

test('at rest no supervisor lists a dead child, and no process of the tree has a dead supervisor', async () => {
  await property(async (world) => {
    const supervisors = [...living(world, 'supervisor'), ...(stands(world) ? [world.system.root] : [])];
    const listed = new Set<Pid>();
    for (const sup of supervisors) {
      for (const { id, pid } of await whichChildren(world.system, sup)) {
        if (!(pid instanceof Pid)) continue;
        assert.ok(world.system.isAlive(pid), `${id} is listed, but dead`);
        assert.equal(world.lives.get(pid)?.parent, sup);
        listed.add(pid);
      }
    }
    for (const pid of inTree(world)) assert.ok(listed.has(pid), `${pid} is an orphan`);
    if (!stands(world)) assert.equal(world.system.processCount, 0);
  });
});

test('no message is handled by another incarnation than the one it was sent to', async () => {
  await property((world) => assert.deepEqual(world.strays, []));
});

test('the names and timers of dead processes are gone', async () => {
  await property(async (world) => {
    const { system, clock, builder } = world;
    for (const id of builder.ids) {
      const pid = system.whereis(name(id));
      if (pid !== undefined) assert.ok(system.isAlive(pid));
    }
    if (!stands(world)) return assert.equal(clock.pending, 0);
    const timers = living(world, 'worker').map(
      (pid) => [world.opener.sendAfter(1_000_000, 'tick', undefined, pid), pid] as const,
    );
    for (const pid of inTree(world)) system.exitProcess(pid, 'kill');
    await settle(20);
    if (!stands(world)) return assert.equal(clock.pending, 0);
    for (const [timer, pid] of timers) {
      assert.equal(system.isAlive(pid), false);
      assert.equal(world.opener.cancelTimer(timer), false, `a timer to ${pid} is left`);
    }
  });
});

test('a request is answered once or fails once, and leaves no message behind', async () => {
  await property(async (world) => {
    for (const { got } of world.answers) {
      const isReply = typeof got === 'string' && /^\w+#\d+$/.test(got);
      assert.ok(isReply || got === 'ERR_CALL_TIMEOUT' || got === 'ERR_CALL_EXIT', String(got));
    }
    if (stands(world)) assert.deepEqual(await mailboxOf(world.caller), []);
  });
});

test('the stop of a system ends within the sum of the shutdown times of its processes', async () => {
  await property(async (world) => {
    const { system, clock } = world;
    const bound = (living(world, 'worker').length + 1) * shutdownMs;
    let stopped = false;
    const stopping = system.stop().then(() => {
      stopped = true;
    });
    await clock.advance(bound);
    assert.ok(stopped, `not stopped after ${bound} ms`);
    await stopping;
    assert.equal(system.processCount, 0);
    assert.equal(clock.pending, 0);
  });
});

test('within any period there are no more restarts than the intensity allows', async () => {
  const gaps = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 1, max: periodMs + 200 })), { maxLength: 20 });
  const strategies = fc.constantFrom('one_for_one', 'one_for_all', 'rest_for_one');
  const run = async (
    strategy: SupervisorShape['strategy'],
    intensity: number,
    times: readonly number[],
  ): Promise<void> => {
    const ends: (() => unknown)[] = [];
    try {
      const system = await startTestSystem({ after: (end) => ends.push(end) });
      const trace = new SupervisionTrace({ after: (end) => ends.push(end) }, system.system.name);
      const children = ['a', 'b', 'c'].map((id) => trace.worker(id));
      const options = { strategy, intensity, periodMs, restart: 'temporary' } as const;
      const sup = await startUnderRoot(system, supervisor('sup', options, children));
      const window = new RestartWindow(intensity, periodMs);
      for (const [i, gap] of times.entries()) {
        await system.clock.advance(gap);
        const victim = system.system.whereis(name(['a', 'b', 'c'][i % 3] ?? 'a'));
        system.system.exitProcess(victim ?? assert.fail('a child is missing'), 'boom');
        await settle();
        const lives = window.allow(system.clock.now());
        assert.equal(system.system.isAlive(sup), lives);
        if (!lives) return assert.equal(system.system.whereis(name('a')), undefined);
      }
    } finally {
      for (const end of ends.reverse()) await end();
    }
  };
  await fc.assert(
    fc.asyncProperty(
      strategies as fc.Arbitrary<SupervisorShape['strategy']>,
      fc.integer({ min: 0, max: 4 }),
      gaps,
      run,
    ),
    {
      numRuns: 60,
    },
  );
});
