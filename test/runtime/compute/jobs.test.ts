/** What a job gets, gives, and how it fails. */

import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { test } from 'node:test';
import { threadId } from 'node:worker_threads';
import { compute } from '../../../runtime/compute/index.ts';
import { computeJob } from '../../../runtime/compute/job.ts';
import { CallError, type ComputeFault, channels, name } from '../../../runtime/index.ts';
import * as jobs from '../../support/compute-jobs.ts';
import { failureOf, pool, poolStatus, startPool } from '../../support/compute-system.ts';
import { openProcess } from '../../support/test-system.ts';

interface Thrown {
  readonly error: {
    readonly name: string;
    readonly message: string;
    readonly code?: unknown;
    readonly cause?: unknown;
  };
  readonly stack: string;
}

/** The error of a job that threw. */
async function thrownBy(job: Promise<unknown>): Promise<Thrown> {
  const { code, reason } = await failureOf(job);
  assert.equal(code, 'ERR_CALL_EXIT');
  return reason as Thrown;
}

test('a job gets its arguments and gives its result, on another thread', async (t) => {
  const { system } = await startPool(t);
  assert.equal(await compute(system, pool, jobs.double, 21), 42);
  assert.notEqual(await compute(system, pool, jobs.thread, undefined), threadId);
});

test('a process computes as the owner of the system does', async (t) => {
  const test = await startPool(t);
  const { ctx } = await openProcess(test);
  assert.equal(await compute(ctx, pool, jobs.double, 4), 8);
});

test('arguments and results are cloned: maps, dates, typed arrays, bigints, circular structures', async (t) => {
  const { system } = await startPool(t);
  const value: Record<string, unknown> = {
    map: new Map([['a', new Set([1n])]]),
    date: new Date(0),
    bytes: new Uint8Array([1, 2]),
    nothing: undefined,
  };
  value['self'] = value;
  const back = (await compute(system, pool, jobs.same, value)) as typeof value;
  assert.deepEqual(back, value);
  assert.notEqual(back, value);
  assert.equal(back['self'], back);
});

test('a buffer is moved to the job and back without a copy, if both ask for it', async (t) => {
  const { system } = await startPool(t, { threads: 1 });
  const buffer = new ArrayBuffer(16);
  const back = await compute(system, pool, jobs.fill, buffer, { transfer: [buffer] });
  assert.equal(buffer.byteLength, 0, 'moved to the thread');
  assert.deepEqual([...new Uint8Array(back)], new Array(16).fill(7));
  assert.equal(await compute(system, pool, jobs.filled, undefined), 0, 'moved back');
});

test('the throw of a job arrives with its name, message, code, cause and stack', async (t) => {
  const { system } = await startPool(t);
  const { code, reason, tag } = await failureOf(compute(system, pool, jobs.throws, 'boom'));
  const { error, stack } = reason as Thrown;
  assert.deepEqual([code, tag], ['ERR_CALL_EXIT', 'throws']);
  const cause = { name: 'Error', message: 'the cause' };
  assert.deepEqual(error, { name: 'RangeError', message: 'boom', code: 'ERR_JOB', cause });
  assert.match(stack, /compute-jobs/);
});

test('the rejection of a job arrives, whatever it is', async (t) => {
  const { system } = await startPool(t);
  assert.deepEqual(await thrownBy(compute(system, pool, jobs.rejects, { why: 1 })), { error: { why: 1 }, stack: '' });
  assert.deepEqual(await thrownBy(compute(system, pool, jobs.rejects, undefined)), { error: undefined, stack: '' });
});

test('uncaught in a process, the failure of a job ends it as that of a call does', async (t) => {
  const { opener } = await startPool(t);
  const reason = await new Promise((resolve) => {
    const run = (_arg: undefined, ctx: typeof opener): Promise<unknown> => {
      ctx.signal.addEventListener('abort', () => resolve(ctx.signal.reason));
      return compute(ctx, pool, jobs.exits, 1);
    };
    opener.spawn(run, undefined);
  });
  assert.deepEqual(reason, { reason: { worker_exit: { exit_code: 1 } }, call: { dest: 'pool', tag: 'exits' } });
});

test('a throw in a timer and a floating rejection fail the job that left them, and end its thread', async (t) => {
  const { system } = await startPool(t, { threads: 1 });
  const before = await compute(system, pool, jobs.thread, undefined);
  const thrown = await thrownBy(compute(system, pool, jobs.throwsBeside, undefined));
  assert.deepEqual(thrown.error, { name: 'TypeError', message: 'beside' });
  const between = await compute(system, pool, jobs.thread, undefined);
  assert.notEqual(between, before);
  const floated = await thrownBy(compute(system, pool, jobs.floats, undefined));
  assert.deepEqual(floated.error, { name: 'TypeError', message: 'floating' });
  assert.notEqual(await compute(system, pool, jobs.thread, undefined), between);
});

test('what a finished job left behind fails no other job, and is published', async (t) => {
  const { system } = await startPool(t, { threads: 1 });
  const late = new Promise<ComputeFault>((resolve) => {
    const hear = (event: unknown): void => {
      if ((event as ComputeFault).system === system.name) resolve(event as ComputeFault);
    };
    subscribe(channels.computeFault, hear);
    t.after(() => unsubscribe(channels.computeFault, hear));
  });
  const first = await compute(system, pool, jobs.leavesBehind, undefined);
  const fault = await late;
  assert.deepEqual([fault.job, fault.late], ['leavesBehind', true]);
  assert.equal((fault.reason as Thrown).error.message, 'left behind');
  assert.equal(await compute(system, pool, jobs.thread, undefined), first, 'the thread goes on');
});

test('arguments that cannot be cloned fail the job with its name and the cause', async (t) => {
  const { system } = await startPool(t);
  const args = { f: (): void => {} };
  const { error } = await thrownBy(compute(system, pool, jobs.same, args));
  assert.equal(error.code, 'ERR_COMPUTE_CLONE');
  assert.match(error.message, /^the arguments of job 'same' cannot cross to another thread: .*could not be cloned/s);
  assert.equal((error.cause as { name: string }).name, 'DataCloneError');
  assert.equal(await compute(system, pool, jobs.double, 1), 2);
});

test('a result that cannot be cloned fails the job with its name and the cause', async (t) => {
  const { system } = await startPool(t);
  const { error } = await thrownBy(compute(system, pool, jobs.givesFunction, undefined));
  assert.equal(error.code, 'ERR_COMPUTE_CLONE');
  assert.match(
    error.message,
    /^the result of job 'givesFunction' cannot cross to another thread: .*could not be cloned/s,
  );
  assert.equal(await compute(system, pool, jobs.double, 1), 2);
});

test('an error that carries what cannot be cloned arrives as text', async (t) => {
  const { system } = await startPool(t);
  const { error, stack } = await thrownBy(compute(system, pool, jobs.throwsFunction, undefined));
  assert.deepEqual(error, { name: 'Error', message: 'Error: with a function' });
  assert.match(stack, /compute-jobs/);
});

test('a job that no thread finds fails with what is missing', async (t) => {
  const { system } = await startPool(t);
  for (const [job, text] of [
    [jobs.hidden, /^job 'isNotExported': file:.*compute-jobs\.js has no such export that was made by computeJob/],
    [jobs.plainJob, /^job 'plain': .* has no such export that was made by computeJob; export it under that name/],
    [jobs.nowhere, /^job 'nowhere': a thread cannot import file:\/\/\/no\/such\/module\.js: Cannot find module/],
  ] as const) {
    const { error } = await thrownBy(compute(system, pool, job, undefined));
    assert.deepEqual([error.name, error.code], ['UndefinedJobError', 'ERR_COMPUTE_UNDEF']);
    assert.match(error.message, text);
  }
});

test('what is no job, and a wrong option, are refused at once', async (t) => {
  const { system } = await startPool(t);
  const refused = async (job: unknown, options: unknown, message: RegExp): Promise<void> => {
    const asked = compute(system, pool, job as typeof jobs.double, 1, options as object);
    await assert.rejects(asked, { code: 'ERR_BADARG', message });
  };
  await refused(
    jobs.plain,
    {},
    /^a job must be made by computeJob and exported .*: a function cannot cross to a thread$/,
  );
  await refused(undefined, {}, /not undefined$/);
  await refused({ module: 'x' }, {}, /not { module: 'x' }$/);
  await refused(jobs.double, null, /^compute 'double': its options must be an object, not null$/);
  await refused(jobs.double, { timeoutMs: -1 }, /^timeoutMs must be a number of milliseconds/);
  await refused(jobs.double, { signal: {} }, /^compute 'double': signal must be an AbortSignal, not {}$/);
  await refused(jobs.double, { transfer: 1 }, /^compute 'double': transfer must be an array, not 1$/);
  await refused(jobs.double, { resourceLimits: { heapMb: 3 } }, /a name in .*resourceLimits must be 'maxOldGeneration/);
  assert.deepEqual(await poolStatus(system), { running: 0, waiting: 0 });
});

test('what makes no job is refused', () => {
  const refused = (args: readonly unknown[], message: RegExp): void => {
    const make = computeJob as (...all: readonly unknown[]) => unknown;
    assert.throws(() => make(...args), { code: 'ERR_BADARG', message });
  };
  refused([undefined, 'x', () => 1], /import\.meta\) must be an object, not undefined$/);
  refused([{}, 'x', () => 1], /^the url of the module of a job .* not undefined$/);
  refused([import.meta, '', () => 1], /^the export name of a job must be a text that is not empty, not ''$/);
  refused([import.meta, 'x', 1], /^what computeJob 'x' runs must be a function, not 1$/);
});

test('without a pool, or with a system that has stopped, a job fails with noproc', async (t) => {
  const { system } = await startPool(t);
  const expected = { code: 'ERR_CALL_NOPROC', reason: 'noproc', tag: 'double' };
  assert.deepEqual(await failureOf(compute(system, name('nobody'), jobs.double, 1)), expected);
  await system.stop();
  assert.deepEqual(await failureOf(compute(system, pool, jobs.double, 1)), expected);
  await assert.rejects(compute(system, pool, jobs.double, 1), CallError);
});
