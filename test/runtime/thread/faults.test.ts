/** What ends a worker thread costs its processes, and nobody else. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CallError, child, type Pid, type System, supervisor } from '../../../runtime/index.ts';
import { Probe } from '../../support/thread-probe.ts';
import { signalsOf, startProbe, startThreads, successorOf, threadExits, until } from '../../support/thread-system.ts';

/** A worker that does not yield is given up after that. Long enough for what tests do otherwise. */
const stallMs = 1_000;

/** A server under supervision on the group `cpu`, with a neighbour on the same thread and one on another. */
function family(intensity: number): Parameters<typeof startThreads>[1] {
  const children = ['a', 'b', 'c'].map((id) => child(Probe, undefined, { id, name: id, thread: 'cpu' }));
  return { workers: { stallMs, busyMs: 0 }, intensity: 5, children: [supervisor('family', { intensity }, children)] };
}

const faults: readonly (readonly [what: string, tag: string, payload: unknown, reason: unknown, running: boolean])[] = [
  ['an endless loop', 'loop', undefined, 'killed', true],
  ['process.exit', 'exitProcess', 3, { worker_exit: { exit_code: 3 } }, false],
  ['a throw in a timer', 'throwLater', 'late', /"worker_exit":\{"error":\{"name":"Error","message":"late"/, false],
];

async function costsItsThread(
  system: System,
  culprit: string,
  tag: string,
  payload: unknown,
  reason: unknown,
): Promise<Pid> {
  const [pid, elsewhere] = [system.whereis(culprit)!, system.whereis('b')!];
  const watcher = await startProbe(system, { thread: 'main' });
  await system.call(watcher, 'link', pid);
  const ref = await system.call(watcher, 'monitor', pid);
  const call = system.call<any, any>(pid, 'never', undefined).catch((error: CallError) => error);
  system.cast<any, any>(pid, tag, payload);
  const error = await call;
  const signals = await signalsOf(system, watcher, 2);
  for (const found of [(error as CallError).reason, ...signals.map((signal) => 'reason' in signal && signal.reason)]) {
    if (reason instanceof RegExp) assert.match(JSON.stringify(found), reason);
    else assert.deepEqual(found, reason);
  }
  assert.deepEqual(
    signals.map((signal) => [signal.tag, 'from' in signal ? signal.from : 'ref' in signal && signal.ref]),
    [
      ['EXIT', pid],
      ['DOWN', ref],
    ],
  );
  const next = await successorOf(system, culprit, pid);
  assert.equal(await system.call(next, 'echo', 'again'), 'again');
  assert.equal(system.whereis('b'), elsewhere, 'a process of another thread is not touched');
  assert.equal((await system.call(watcher, 'signals')).length, 2, 'each fires once');
  return pid;
}

for (const [what, tag, payload, reason, running] of faults) {
  test(`${what} on a worker thread costs that thread, and its processes are restarted`, async (t) => {
    const system = await startThreads(t, family(1));
    const exits = threadExits(t, system);
    // `a` and `c` die together: that is one failure, and an intensity of one allows it.
    const pid = await costsItsThread(system, 'a', tag, payload, reason);
    assert.equal(exits.length, 1);
    const [{ group, stalled, processes, ready, running: inTurn }] = exits as [(typeof exits)[0]];
    assert.deepEqual(
      { group, stalled, processes, ready },
      { group: 'cpu', stalled: running, processes: 2, ready: true },
    );
    assert.equal(inTurn, running ? pid : undefined);
  });
}

test('an exhausted heap costs the thread of the process', async (t) => {
  const limits = { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 4 };
  const children = [child(Probe, undefined, { id: 'a', name: 'a', thread: 'small' })];
  const system = await startThreads(t, {
    threads: { cpu: 1, small: { count: 1, resourceLimits: limits } },
    workers: { stallMs: 0 },
    children: [supervisor('family', {}, [...children, child(Probe, undefined, { id: 'b', name: 'b', thread: 'cpu' })])],
  });
  await costsItsThread(system, 'a', 'allocate', undefined, { worker_exit: 'oom' });
});

test('the death of a thread is one failure for each supervisor, however many of its children die', async (t) => {
  const children = Array.from({ length: 20 }, (_, i) =>
    child(Probe, undefined, { id: `p${i}`, name: `p${i}`, thread: 'one' }),
  );
  const system = await startThreads(t, {
    threads: { one: 1 },
    children: [supervisor('many', { intensity: 1 }, children)],
  });
  const before = system.whereis('p19')!;
  system.cast<any, any>('p3', 'exitProcess', 1);
  const after = await successorOf(system, 'p19', before);
  assert.equal(await system.call(after, 'echo', 1), 1);
  const many = (await system.tree()).children[0]!;
  assert.equal(many.children.length, 20);
});

test('calls that wait for a start on a thread that dies fail with its reason', async (t) => {
  const system = await startThreads(t, { threads: { one: 1 } });
  const pid = await startProbe(system, { thread: 'one' });
  const starting = system.start(Probe, { hang: true }, { thread: 'one' });
  system.cast<any, any>(pid, 'exitProcess', 4);
  assert.deepEqual(await starting, { error: { worker_exit: { exit_code: 4 } } });
  assert.equal(await system.call(await startProbe(system, { thread: 'one' }), 'echo', 1), 1);
});

test('while a thread does not yield, new processes of its group get another one', async (t) => {
  const system = await startThreads(t, { threads: { cpu: 1 }, workers: { stallMs: 20_000 } });
  const exits = threadExits(t, system);
  const looping = await startProbe(system, { thread: 'cpu' });
  const at = await system.call(looping, 'threadId');
  system.cast<any, any>(looping, 'loop', undefined);
  // Whoever comes too early is put on that thread, and waits there.
  const early = system.spawn(Probe, undefined, { thread: 'cpu' });
  const served = await until(async () => {
    const pid = system.spawn(Probe, undefined, { thread: 'cpu' });
    return await system.call<any, any>(pid, 'threadId', undefined, { timeoutMs: 20 }).catch((error: CallError) => {
      assert.equal(error.code, 'ERR_CALL_TIMEOUT');
      return undefined;
    });
  });
  assert.notEqual(served, at);
  assert.equal(system.isAlive(early), true);
  assert.deepEqual(exits, [], 'the loop goes on');
  system.exitProcess(system.root, 'kill');
  await system.terminated;
});

test('a spawn on a thread that has not begun it can be taken back, and then never runs', async (t) => {
  const system = await startThreads(t, { threads: { cpu: { count: 1, spare: false } }, workers: { stallMs: 1_000 } });
  const looping = await startProbe(system, { thread: 'cpu' });
  const spawner = await startProbe(system, { thread: 'main' });
  assert.equal(await system.call(spawner, 'takeBack', looping), false, 'it has begun');
  system.cast<any, any>(looping, 'loop', undefined);
  const before = system.processCount;
  const { pid, taken } = await system.call(spawner, 'spawnAndTakeBack', 'cpu');
  assert.equal(taken, true);
  assert.equal(system.isAlive(pid), false);
  assert.equal(system.processCount, before);
  await assert.rejects(system.call(pid, 'threadId'), { code: 'ERR_CALL_NOPROC' });
  assert.deepEqual(await system.call(spawner, 'signals'), [], 'no link and no monitor of it is left');
});
