import { availableParallelism } from 'node:os';
import type { ResourceLimits } from 'node:worker_threads';
import { badArgument, checkCount, checkObject, checkOneOf, checkText, isCount } from '../kernel/arguments.ts';
import { checkTimeout } from '../kernel/time.ts';
import { COMPUTE_HEAP_MB, COMPUTE_IDLE_MS, COMPUTE_QUEUE_MAX } from '../limits.ts';
import type { ChildOptions } from '../supervisor/child-spec.ts';

/** Options of `computePool`; those of a child besides. */
export interface ComputePoolOptions extends Omit<ChildOptions, 'name'> {
  /** Threads at the most, that is, jobs that run at once. Default: `availableParallelism()` of `node:os`. */
  readonly threads?: number;
  /** Threads that are there from the start and when there is nothing to do. Default 0: each starts with its job. */
  readonly threadsMin?: number;
  /** Jobs that may wait for a thread; one more is refused with `'overload'`. Default 1,024. */
  readonly queueMax?: number;
  /** How long a thread above `threadsMin` stays without a job, in milliseconds. Default 60,000. */
  readonly idleTimeoutMs?: number | 'infinity';
  /**
   * Limits of each thread, in MB (worker_threads, `resourceLimits`); a job that meets them ends with its thread.
   * Default: `{ maxOldGenerationSizeMb: 512 }`. Buffers lie outside the heap, and no limit counts them.
   */
  readonly resourceLimits?: ResourceLimits;
}

/** What a pool is started with. Plain data. */
export interface PoolSettings {
  readonly threads: number;
  readonly threadsMin: number;
  readonly queueMax: number;
  readonly idleTimeoutMs: number | 'infinity';
  readonly resourceLimits: ResourceLimits;
}

const limitNames: readonly (keyof ResourceLimits)[] = [
  'maxOldGenerationSizeMb',
  'maxYoungGenerationSizeMb',
  'codeRangeSizeMb',
  'stackSizeMb',
];

/** Completes and checks the options of a pool; throws `BadArgError` with what is wrong. */
export function poolSettings(pool: string, options: ComputePoolOptions): PoolSettings {
  checkText(pool, 'the name of a computePool');
  checkObject(options, `computePool '${pool}': its options`);
  const {
    threads = availableParallelism(),
    threadsMin = 0,
    queueMax = COMPUTE_QUEUE_MAX,
    idleTimeoutMs = COMPUTE_IDLE_MS,
    resourceLimits = { maxOldGenerationSizeMb: COMPUTE_HEAP_MB },
  } = options;
  const owner = `computePool '${pool}'`;
  checkCount(threads, `${owner}: threads`);
  if (!isFromZero(threadsMin) || threadsMin > threads) {
    throw badArgument(`${owner}: threadsMin`, `a whole number from 0 to ${threads} (threads)`, threadsMin);
  }
  if (!isFromZero(queueMax)) throw badArgument(`${owner}: queueMax`, 'a whole number from 0 on', queueMax);
  checkTimeout(idleTimeoutMs, `${owner}: idleTimeoutMs`);
  checkLimits(resourceLimits, `${owner}: resourceLimits`);
  return { threads, threadsMin, queueMax, idleTimeoutMs, resourceLimits };
}

/** Throws `BadArgError` for limits of a thread that are none: Node.js itself ignores a misspelt one. */
export function checkLimits(limits: ResourceLimits, what: string): void {
  checkObject(limits, what);
  for (const [name, value] of Object.entries(limits) as [string, unknown][]) {
    checkOneOf(name, `a name in ${what}`, limitNames);
    const isLimit = typeof value === 'number' && value > 0 && value < Number.POSITIVE_INFINITY;
    if (!isLimit) throw badArgument(`${what}.${name}`, 'a number of megabytes above 0', value);
  }
}

function isFromZero(value: unknown): value is number {
  return value === 0 || isCount(value);
}
