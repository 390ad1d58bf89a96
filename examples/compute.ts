/** CPU work on threads: a job with a result, one that loops for ever, and one that takes all memory. */
import assert from 'node:assert/strict';
import { isMainThread } from 'node:worker_threads';
import { type ComputePoolProtocol, compute, computePool } from '../runtime/compute/index.ts';
import { type ComputeJob, computeJob } from '../runtime/compute/job.ts';
import { type CallError, name, startSystem } from '../runtime/index.ts';

export const primes: ComputeJob<number, number[]> = computeJob(import.meta, 'primes', (below: number) => {
  const found: number[] = [];
  for (let n = 2; n < below; n++) if (found.every((prime) => n % prime !== 0)) found.push(n);
  return found;
});

export const loops: ComputeJob<void, never> = computeJob(import.meta, 'loops', () => {
  for (;;);
});

export const hoards: ComputeJob<void, never> = computeJob(import.meta, 'hoards', () => {
  const all: number[][] = [];
  for (;;) all.push(new Array(1_000_000).fill(0.5));
});

/** How a job failed. */
async function failure(job: Promise<unknown>): Promise<unknown> {
  return job.then(
    () => assert.fail('it has a result'),
    (error: CallError) => error.reason,
  );
}

// Each thread imports this module to find its jobs: what follows is for the program alone. In a larger program jobs
// have a module of their own, which imports no more than they need.
if (isMainThread) {
  const pool = name<ComputePoolProtocol>('pool');
  const resourceLimits = { maxOldGenerationSizeMb: 32 };
  const system = await startSystem({ children: [computePool(pool, { threads: 2, resourceLimits })] });

  assert.deepEqual(await compute(system, pool, primes, 20), [2, 3, 5, 7, 11, 13, 17, 19]);

  // Three faults at once on two threads; each ends with its thread, and the job in the queue has its turn.
  const abort = new AbortController();
  const outcomes = Promise.all([
    failure(compute(system, pool, loops, undefined, { timeoutMs: 300 })),
    failure(compute(system, pool, loops, undefined, { signal: abort.signal })),
    failure(compute(system, pool, hoards, undefined, { timeoutMs: 60_000 })),
    compute(system, pool, primes, 10, { timeoutMs: 60_000 }),
  ]);
  abort.abort('not needed any more');
  const expected = ['timeout', { aborted: 'not needed any more' }, { worker_exit: 'oom' }, [2, 3, 5, 7]];
  assert.deepEqual(await outcomes, expected);

  await system.stop();
}
