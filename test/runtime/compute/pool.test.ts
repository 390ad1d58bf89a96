/** A pool as a child: its bounds, its end, its restart, and others beside it. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { type ComputePoolProtocol, compute, computePool } from '../../../runtime/compute/index.ts';
import { name, type Pid } from '../../../runtime/index.ts';
import { settle } from '../../../runtime/testing.ts';
import * as jobs from '../../support/compute-jobs.ts';
import { failureOf, pool, poolStatus, startHold, startPool, startSpin } from '../../support/compute-system.ts';
import { startTestSystem } from '../../support/test-system.ts';

test('64 jobs in flight have each its own result, on no more threads than the pool has', async (t) => {
  const { system } = await startPool(t, { threads: 2 });
  const numbers = Array.from({ length: 64 }, (_, i) => i);
  const results = await Promise.all(numbers.map((i) => compute(system, pool, jobs.double, i)));
  assert.deepEqual(
    results,
    numbers.map((i) => i * 2),
  );
  const threads = await Promise.all(numbers.map(() => compute(system, pool, jobs.thread, undefined)));
  assert.ok(new Set(threads).size <= 2, `on ${new Set(threads).size} threads`);
});

test('jobs start in the order of their calls', async (t) => {
  const { system } = await startPool(t, { threads: 1 });
  const ended: number[] = [];
  const numbers = Array.from({ length: 64 }, (_, i) => i);
  await Promise.all(numbers.map((i) => compute(system, pool, jobs.same, i).then((value) => ended.push(value))));
  assert.deepEqual(ended, numbers);
});

test('a job that finds the queue full fails with overload at once, and the others go on', async (t) => {
  const { system } = await startPool(t, { threads: 1, queueMax: 2 });
  const first = startHold(system);
  await first.running;
  const waiting = [1, 2].map((i) => compute(system, pool, jobs.double, i));
  const refused = await failureOf(compute(system, pool, jobs.double, 3));
  assert.deepEqual(refused, { code: 'ERR_CALL_OVERLOAD', reason: 'overload', tag: 'double' });
  assert.deepEqual(await poolStatus(system), { running: 1, waiting: 2 });
  first.port.postMessage('done');
  assert.deepEqual(await Promise.all(waiting), [2, 4]);
});

test('a pool without a queue takes a job per thread', async (t) => {
  const { system } = await startPool(t, { threads: 1, queueMax: 0 });
  const first = startHold(system);
  await first.running;
  assert.equal((await failureOf(compute(system, pool, jobs.double, 3))).reason, 'overload');
  first.port.postMessage('done');
  assert.equal(await first.result, 'done');
  assert.equal(await compute(system, pool, jobs.double, 3), 6);
});

test('the kill of a pool ends its threads and fails its jobs; the restarted one computes', async (t) => {
  const { system } = await startPool(t, { threads: 1 });
  const loop = startSpin(system);
  await loop.running;
  const waits = failureOf(compute(system, pool, jobs.double, 1));
  const failed = failureOf(loop.result);
  const before = system.whereis(pool) as Pid;
  system.exitProcess(before, 'kill');
  assert.deepEqual(await failed, { code: 'ERR_CALL_EXIT', reason: 'killed', tag: 'spin' });
  assert.deepEqual(await waits, { code: 'ERR_CALL_EXIT', reason: 'killed', tag: 'double' });
  await once(loop.port, 'close');
  await settle();
  assert.notEqual(system.whereis(pool), before);
  assert.equal(await compute(system, pool, jobs.double, 1), 2);
});

test('the orderly end of a pool waits until its threads have gone', async (t) => {
  const { system } = await startPool(t, { threads: 1 });
  const counter = new Int32Array(new SharedArrayBuffer(4));
  const failed = failureOf(compute(system, pool, jobs.counts, counter, { timeoutMs: 'infinity' }));
  while (Atomics.load(counter, 0) === 0) await settle();
  await system.stop();
  const counted = Atomics.load(counter, 0);
  assert.equal((await failed).reason, 'shutdown');
  await settle(100);
  assert.equal(Atomics.load(counter, 0), counted, 'nothing counts any more');
});

test('pools side by side have threads of their own: one that is full is not felt in the other', async (t) => {
  const [small, large] = [name<ComputePoolProtocol>('small'), name<ComputePoolProtocol>('large')];
  const { system } = await startTestSystem(t, {
    children: [computePool(small, { threads: 1, queueMax: 0 }), computePool(large, { threads: 1 })],
  });
  const thread = await compute(system, small, jobs.thread, undefined);
  assert.notEqual(await compute(system, large, jobs.thread, undefined), thread);
  void failureOf(compute(system, small, jobs.spin, undefined as never, { timeoutMs: 'infinity' }));
  assert.equal((await failureOf(compute(system, small, jobs.double, 1))).reason, 'overload');
  assert.equal(await compute(system, large, jobs.double, 1), 2);
});

test('two systems have pools of the same name, and the end of one is not felt in the other', async (t) => {
  const [one, two] = [await startPool(t, { threads: 1 }), await startPool(t, { threads: 1 })];
  const thread = await compute(one.system, pool, jobs.thread, undefined);
  assert.notEqual(await compute(two.system, pool, jobs.thread, undefined), thread);
  const held = startHold(two.system);
  await held.running;
  await one.system.stop();
  held.port.postMessage('unharmed');
  assert.equal(await held.result, 'unharmed');
});

test('a suspended pool takes no job, and a deadline holds all the same', async (t) => {
  const test = await startPool(t);
  const { sys } = await import('../../../runtime/index.ts');
  await sys.suspend(test.system, pool);
  const failed = failureOf(compute(test.system, pool, jobs.double, 1, { timeoutMs: 50 }));
  const abort = new AbortController();
  const kept = compute(test.system, pool, jobs.double, 4, { signal: abort.signal });
  await test.clock.advance(50);
  assert.equal((await failed).reason, 'timeout');
  await sys.resume(test.system, pool);
  assert.equal(await kept, 8);
  assert.deepEqual(await poolStatus(test.system), { running: 0, waiting: 0 });
});

test('an option of a pool that is wrong is refused with what it must be', () => {
  const refused = (options: object, message: RegExp): void => {
    assert.throws(() => computePool(pool, options), { code: 'ERR_BADARG', message });
  };
  refused({ threads: 0 }, /^computePool 'pool': threads must be a whole number from 1 on, not 0$/);
  refused({ threads: 2, threadsMin: 3 }, /threadsMin must be a whole number from 0 to 2 \(threads\), not 3$/);
  refused({ queueMax: -1 }, /queueMax must be a whole number from 0 on, not -1$/);
  refused({ idleTimeoutMs: Number.NaN }, /idleTimeoutMs must be a number of milliseconds .*, or 'infinity', not NaN$/);
  refused({ resourceLimits: { stackSizeMb: 0 } }, /stackSizeMb must be a number of megabytes above 0, not 0$/);
  refused(
    { resourceLimits: { heap: 1 } },
    /a name in .*resourceLimits must be 'maxOldGenerationSizeMb' or .*, not 'heap'$/,
  );
  refused({ resourceLimits: null }, /resourceLimits must be an object, not null$/);
  refused(null as never, /^computePool 'pool': its options must be an object, not null$/);
  assert.throws(() => computePool(undefined as never), { code: 'ERR_BADARG', message: /^the name of a computePool/ });
});

test('options of a child are those of the pool process', () => {
  const spec = computePool(pool, { threads: 3, restart: 'transient', shutdown: 10 });
  const { id, restart, shutdown, type, start } = spec;
  assert.deepEqual([id, spec.name, restart, shutdown, type], ['pool', 'pool', 'transient', 10, 'worker']);
  const { threads, threadsMin, queueMax, idleTimeoutMs, resourceLimits } = start.arg as Record<string, unknown>;
  const heap = { maxOldGenerationSizeMb: 512 };
  assert.deepEqual([threads, threadsMin, queueMax, idleTimeoutMs, resourceLimits], [3, 0, 1_024, 60_000, heap]);
});
