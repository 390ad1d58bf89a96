import { type ComputePoolProtocol, compute, computePool } from '../../runtime/compute/index.ts';
import { computeJob } from '../../runtime/compute/job.ts';
import { type Context, child, type Name, name, type System } from '../../runtime/index.ts';

const pool: Name<ComputePoolProtocol> = name<ComputePoolProtocol>('pool');
const length = computeJob(import.meta, 'length', (text: string) => text.length);
const later = computeJob(import.meta, 'later', async (by: { readonly n: number }, { transfer }) => {
  transfer(new ArrayBuffer(1));
  return by.n;
});

export async function uses(ctx: Context, system: System): Promise<number> {
  computePool(pool, { threads: 2, queueMax: 0, idleTimeoutMs: 'infinity', restart: 'transient' });
  const counted: number = await compute(ctx, pool, length, 'text');
  const settled: number = await compute(system, 'pool', later, { n: 1 }, { timeoutMs: 'infinity', transfer: [] });

  // @ts-expect-error the job takes a text
  await compute(ctx, pool, length, 4);
  // @ts-expect-error the job gives a number
  const text: string = await compute(ctx, pool, length, 'text');
  // @ts-expect-error a function is no job
  await compute(ctx, pool, (value: string) => value, 'text');
  // @ts-expect-error no such option
  computePool(pool, { maxQueue: 1 });
  // @ts-expect-error no such limit
  await compute(ctx, pool, length, '', { resourceLimits: { heapMb: 1 } });
  // @ts-expect-error a pool is no behaviour
  child(computePool(pool), undefined);
  return counted + settled + text.length;
}
