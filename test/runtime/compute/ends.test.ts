/** What ends a job before its end, and what it does to others. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { compute } from '../../../runtime/compute/index.ts';
import { type ComputeFault, type Context, channels } from '../../../runtime/index.ts';
import { settle } from '../../../runtime/testing.ts';
import * as jobs from '../../support/compute-jobs.ts';
import { failureOf, pool, poolStatus, startHold, startPool, startSpin } from '../../support/compute-system.ts';
import { openProcess, type TestSystem } from '../../support/test-system.ts';

/** A job that runs on its thread from before the fault to after it. */
async function bystander({ system }: TestSystem): Promise<{ unharmed(): Promise<void> }> {
  const { result, port, running } = startHold(system);
  await running;
  const unharmed = async (): Promise<void> => {
    port.postMessage('unharmed');
    assert.equal(await result, 'unharmed');
  };
  return { unharmed };
}

/** The pool is whole again: each place on its threads takes a job. */
async function assertWhole({ system }: TestSystem, threads = 2): Promise<void> {
  const held = Array.from({ length: threads }, () => startHold(system));
  const ids = await Promise.all(held.map(({ running }) => running));
  assert.equal(new Set(ids).size, threads);
  for (const { port } of held) port.postMessage('done');
  assert.deepEqual(await Promise.all(held.map(({ result }) => result)), new Array(threads).fill('done'));
}

test('a deadline ends an endless loop with its thread, and no other job', async (t) => {
  const test = await startPool(t);
  const other = await bystander(test);
  const { result, running } = startSpin(test.system, { timeoutMs: 700 });
  const failed = failureOf(result);
  await running;
  await test.clock.advance(699);
  assert.deepEqual(await poolStatus(test.system), { running: 2, waiting: 0 });
  await test.clock.advance(1);
  assert.deepEqual(await failed, { code: 'ERR_CALL_TIMEOUT', reason: 'timeout', tag: 'spin' });
  await other.unharmed();
  await assertWhole(test);
});

test('the deadline of a job is 5 s by default, and holds while it waits', async (t) => {
  const test = await startPool(t, { threads: 1 });
  const loop = startSpin(test.system);
  await loop.running;
  const waits = failureOf(compute(test.system, pool, jobs.double, 1));
  assert.deepEqual(await poolStatus(test.system), { running: 1, waiting: 1 });
  await test.clock.advance(5_000);
  assert.deepEqual(await waits, { code: 'ERR_CALL_TIMEOUT', reason: 'timeout', tag: 'double' });
  assert.deepEqual(await poolStatus(test.system), { running: 1, waiting: 0 });
});

test('the abort of its signal ends a job that runs, with its thread, and no other job', async (t) => {
  const test = await startPool(t);
  const other = await bystander(test);
  const abort = new AbortController();
  const { result, running } = startSpin(test.system, { signal: abort.signal });
  const failed = failureOf(result);
  await running;
  abort.abort('enough');
  assert.deepEqual(await failed, { code: 'ERR_CALL_EXIT', reason: { aborted: 'enough' }, tag: 'spin' });
  await other.unharmed();
  await assertWhole(test);
});

test('the abort of its signal takes a job that waits out of the queue, and the next moves up', async (t) => {
  const test = await startPool(t, { threads: 1 });
  const first = startHold(test.system);
  await first.running;
  const abort = new AbortController();
  const waits = failureOf(compute(test.system, pool, jobs.double, 1, { signal: abort.signal }));
  const last = compute(test.system, pool, jobs.double, 2);
  assert.deepEqual(await poolStatus(test.system), { running: 1, waiting: 2 });
  abort.abort();
  const { code, reason } = await waits;
  assert.equal(code, 'ERR_CALL_EXIT');
  assert.equal((reason as { aborted: { name: string } }).aborted.name, 'AbortError');
  assert.deepEqual(await poolStatus(test.system), { running: 1, waiting: 1 });
  first.port.postMessage('done');
  assert.equal(await first.result, 'done');
  assert.equal(await last, 4);
});

test('a signal that was aborted before starts no job, and one that is aborted after it ends nothing', async (t) => {
  const { system } = await startPool(t);
  const aborted = AbortSignal.abort('early');
  const failed = await failureOf(compute(system, pool, jobs.double, 1, { signal: aborted }));
  assert.deepEqual(failed, { code: 'ERR_CALL_EXIT', reason: { aborted: 'early' }, tag: 'double' });
  const late = new AbortController();
  assert.equal(await compute(system, pool, jobs.double, 2, { signal: late.signal }), 4);
  late.abort();
  assert.deepEqual(await poolStatus(system), { running: 0, waiting: 0 });
});

test('the exit of its caller ends a job that runs, and takes one that waits out of the queue', async (t) => {
  const test = await startPool(t, { threads: 1 });
  const abort = new AbortController();
  const caller = await openProcess(test);
  const runs = startSpin(caller.ctx, { signal: abort.signal });
  void compute(caller.ctx, pool, jobs.double, 1);
  await runs.running;
  assert.deepEqual(await poolStatus(test.system), { running: 1, waiting: 1 });
  test.system.exitProcess(caller.pid, 'kill');
  await once(runs.port, 'close');
  assert.equal(await compute(test.system, pool, jobs.double, 2), 4, 'the place on the threads is free');
  abort.abort();
  assert.deepEqual(await poolStatus(test.system), { running: 0, waiting: 0 });
});

test('a job that exhausts its heap fails with oom, and no other job', async (t) => {
  const test = await startPool(t, { resourceLimits: { maxOldGenerationSizeMb: 32 } });
  const other = await bystander(test);
  const failed = await failureOf(compute(test.system, pool, jobs.leak, undefined, { timeoutMs: 'infinity' }));
  assert.deepEqual(failed, { code: 'ERR_CALL_EXIT', reason: { worker_exit: 'oom' }, tag: 'leak' });
  await other.unharmed();
  await assertWhole(test);
});

test('a job with limits of its own meets them on a thread of its own', async (t) => {
  const test = await startPool(t);
  const other = await bystander(test);
  const resourceLimits = { maxOldGenerationSizeMb: 24 };
  const failed = await failureOf(compute(test.system, pool, jobs.leak, undefined, { resourceLimits }));
  assert.deepEqual(failed.reason, { worker_exit: 'oom' });
  const mine = await compute(test.system, pool, jobs.thread, undefined, { resourceLimits });
  const shared = await compute(test.system, pool, jobs.thread, undefined);
  assert.notEqual(mine, shared);
  assert.equal(await compute(test.system, pool, jobs.thread, undefined), shared);
  const loop = startSpin(test.system, { resourceLimits });
  await loop.running;
  assert.deepEqual(await poolStatus(test.system), { running: 2, waiting: 0 }, 'it takes a place of the pool');
  await other.unharmed();
});

test('a job that calls process.exit fails with the exit code, and no other job', async (t) => {
  const test = await startPool(t);
  const other = await bystander(test);
  for (const [given, code] of [
    [3, 3],
    [undefined, 0],
  ] as const) {
    const failed = await failureOf(compute(test.system, pool, jobs.exits, given));
    assert.deepEqual(failed, { code: 'ERR_CALL_EXIT', reason: { worker_exit: { exit_code: code } }, tag: 'exits' });
  }
  await other.unharmed();
  await assertWhole(test);
});

test('a job that takes its thread along is published with the reason', async (t) => {
  const test = await startPool(t, { threads: 1 });
  const faults: Pick<ComputeFault, 'job' | 'reason' | 'late'>[] = [];
  const hear = (event: unknown): void => {
    const { system, job, reason, late } = event as ComputeFault;
    if (system === test.system.name) faults.push({ job, reason, late });
  };
  subscribe(channels.computeFault, hear);
  t.after(() => unsubscribe(channels.computeFault, hear));
  await failureOf(compute(test.system, pool, jobs.exits, 2));
  const loop = startSpin(test.system, { timeoutMs: 50 });
  await loop.running;
  const failed = failureOf(loop.result);
  await test.clock.advance(50);
  await failed;
  assert.deepEqual(faults, [
    { job: 'exits', reason: { worker_exit: { exit_code: 2 } }, late: false },
    { job: 'spin', reason: 'timeout', late: false },
  ]);
});

test('a thread that has been ended counts until it has gone: there are never more at work than threads', async (t) => {
  const { system } = await startPool(t, { threads: 1 });
  const folder = mkdtempSync(join(tmpdir(), 'beamish-pipe-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const abort = new AbortController();
  const reads = failureOf(compute(system, pool, jobs.readsPipe, pipe, { signal: abort.signal, timeoutMs: 'infinity' }));
  const writer = await openToReader(pipe);
  abort.abort('enough');
  const next = compute(system, pool, jobs.double, 1);
  try {
    assert.deepEqual((await reads).reason, { aborted: 'enough' }, 'its caller is answered at once');
    await settle(100);
    assert.deepEqual(await poolStatus(system), { running: 1, waiting: 1 });
  } finally {
    closeSync(writer);
  }
  assert.equal(await next, 2);
});

/** Opens a named pipe for writing as soon as somebody reads it. */
async function openToReader(pipe: string): Promise<number> {
  for (;;) {
    try {
      return openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENXIO') throw error;
      await settle();
    }
  }
}

test('deadlines, aborts, exits of callers and faults in any order leave the pool whole', async (t) => {
  const test = await startPool(t, { threads: 2, resourceLimits: { maxOldGenerationSizeMb: 32 } });
  const { system } = test;
  const callers: Context[] = [];
  const outcomes: Promise<unknown>[] = [];
  for (let round = 0; round < 6; round++) {
    const abort = new AbortController();
    const caller = (await openProcess(test)).ctx;
    callers.push(caller);
    outcomes.push(
      failureOf(compute(system, pool, jobs.exits, round)),
      failureOf(startSpin(system, { timeoutMs: 100 }).result),
      failureOf(startSpin(system, { signal: abort.signal }).result),
      compute(system, pool, jobs.double, round, { timeoutMs: 'infinity' }),
    );
    void startSpin(caller).result;
    queueMicrotask(() => abort.abort());
  }
  await test.clock.advance(100);
  for (const { self } of callers) system.exitProcess(self, 'shutdown');
  await Promise.all(outcomes);
  await assertWhole(test);
  assert.deepEqual(await poolStatus(system), { running: 0, waiting: 0 });
});
