/** Threads that have nothing to do are looked at rarely, and at once again when they may have. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Clock, systemClock } from '../../../runtime/clock.ts';
import { Kernel } from '../../../runtime/kernel/kernel.ts';
import { ProcessContext } from '../../../runtime/kernel/process-context.ts';
import { spawn } from '../../../runtime/kernel/start.ts';
import { simulatedClock } from '../../../runtime/testing.ts';
import { Directory } from '../../../runtime/thread/directory.ts';
import { SystemMemory } from '../../../runtime/thread/system-memory.ts';
import { ThreadHost } from '../../../runtime/thread/thread-host.ts';
import { ThreadMemory } from '../../../runtime/thread/thread-memory.ts';
import { ThreadNode } from '../../../runtime/thread/thread-node.ts';
import { threadPlan } from '../../../runtime/thread/thread-plan.ts';
import { Watchdog } from '../../../runtime/thread/watchdog.ts';
import { loneKernel, loneProcess } from '../../support/lone-kernel.ts';
import { systemName } from '../../support/test-system.ts';
import { Probe } from '../../support/thread-probe.ts';
import { type ProbePid, until } from '../../support/thread-system.ts';

type Moving = 'waits' | 'works' | 'stuck';

/** A thread that always waits, works or does not yield, as told, and the watchdog that looks at it. */
function watchedThread(stallMs: number, accepts = true) {
  const clock = simulatedClock();
  const told: string[] = [];
  let since = clock.now();
  let idleMs = 0;
  let beat = 0;
  let moving: Moving = 'waits';
  let rests = false;
  const become = (next: Moving): void => {
    if (moving === 'waits') idleMs += clock.now() - since;
    since = clock.now();
    moving = next;
    if (next !== 'waits') {
      beat++;
      rests = false;
    }
  };
  const thread = {
    look: () => {
      looks++;
      if (moving === 'works') beat += 2;
      return { idleMs: idleMs + (moving === 'waits' ? clock.now() - since : 0), beat };
    },
    imports: false,
    busy: (is: boolean) => told.push(`busy ${is}`),
    stalled: () => told.push('stalled'),
    rest: () => {
      rests = accepts;
    },
    get rests() {
      return rests;
    },
  };
  let looks = 0;
  const watchdog = new Watchdog(
    clock,
    { stallMs, busyMs: 50 },
    { looked: () => {}, rests: (is) => told.push(`rests ${is}`) },
  );
  watchdog.watch(thread);
  const looksIn = async (ms: number): Promise<number> => {
    looks = 0;
    await clock.advance(ms);
    return looks;
  };
  return { clock, told, become, watchdog, looksIn };
}

test('threads that wait are looked at twice a second after a second of quiet, and often when they work', async () => {
  const { told, become, watchdog, looksIn, clock } = watchedThread(5_000);
  await clock.advance(2_000);
  assert.deepEqual(told, ['rests true']);
  assert.equal(await looksIn(10_000), 20);
  become('works');
  watchdog.stir();
  assert.deepEqual(told, ['rests true', 'rests false']);
  assert.equal(await looksIn(10_000), 250);
  become('waits');
  await clock.advance(2_000);
  assert.equal(await looksIn(10_000), 20);
  watchdog.stop();
  assert.equal(told.at(-1), 'rests false');
  assert.equal(await looksIn(10_000), 0);
});

test('a thread that has work that goes on by itself is looked at often, though it waits', async () => {
  const { told, watchdog, looksIn, clock } = watchedThread(5_000, false);
  await clock.advance(2_000);
  assert.equal(await looksIn(10_000), 250);
  assert.deepEqual(told, []);
  watchdog.stop();
});

for (const [how, lateMs] of [
  ['tells so', 50],
  ['does not tell so', 550],
] as const) {
  test(`a thread that rested, ${how} and does not yield is given up ${lateMs} ms late at most`, async () => {
    for (const stallMs of [200, 1_000, 5_000]) {
      const { told, become, watchdog, clock } = watchedThread(stallMs);
      await clock.advance(3_333);
      assert.equal(told.at(-1), 'rests true');
      become('stuck');
      if (how === 'tells so') watchdog.stir();
      await clock.advance(stallMs - 1);
      assert.ok(!told.includes('stalled'), 'not before its time');
      await clock.advance(lateMs + 1);
      assert.deepEqual(told, ['rests true', 'rests false', 'busy true', 'stalled']);
    }
  });
}

test('a thread rests unless a process waits for a promise, or may be blamed for what it left', async () => {
  for (const [what, mayRest] of [
    ['nothing', true],
    ['promise', false],
    ['blame', false],
  ] as const) {
    const kernel = loneKernel();
    const memory = ThreadMemory.allocate(64, 64);
    const node = new ThreadNode({
      kernel,
      memory: new SystemMemory(SystemMemory.allocate(), 0),
      directory: new Directory({}, 0, kernel.clock.now),
      own: { thread: 0, group: null, position: 0, memory },
      spinUs: 0,
      connect: () => {},
      isolated: () => 0,
    });
    const seen = new ThreadMemory(memory);
    if (what === 'promise') loneProcess(kernel);
    spawn(kernel, null, Probe, undefined, { attribute: what === 'blame' });
    await new Promise((resolve) => setImmediate(resolve));
    node.rest();
    assert.equal(seen.rests, mayRest, what);
    assert.equal(seen.roundBegins(), mayRest, 'the first round ends it');
    assert.equal(seen.rests, false);
    assert.equal(seen.roundBegins(), false);
  }
});

test('threads of a system rest, and no more when something is sent there or one has something to do', async () => {
  const name = systemName();
  const clock: Clock = systemClock;
  const kernel = new Kernel({ name, id: `${name}@test`, thread: 0, clock, guard: { onUnattributed: null } });
  const host = new ThreadHost(kernel, threadPlan({ cpu: { count: 1, spare: false } }));
  await host.start();
  const { channels } = (host as any).node as ThreadNode;
  const rests = (): true | undefined => (channels.onSend === null ? undefined : true);
  const stirs = (): true | undefined => (channels.onSend === null ? true : undefined);
  const ctx = new ProcessContext(kernel, loneProcess(kernel));
  const { ok: probe } = (await ctx.start(Probe, undefined, { thread: 'cpu' })) as { readonly ok: ProbePid };
  await until(rests);
  ctx.cast(probe, 'count', 1);
  assert.equal(stirs(), true, 'what is sent there stirs them');
  ctx.cast(probe, 'later', 1_500);
  await until(rests);
  await until(stirs);
  assert.deepEqual(await ctx.call(probe, 'echo', 'here'), 'here');
  await host.stop();
});
