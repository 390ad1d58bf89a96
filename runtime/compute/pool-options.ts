import { availableParallelism } from 'node:os';
import type { ResourceLimits } from 'node:worker_threads';
import { BadArgError } from '../kernel/errors.ts';
import { COMPUTE_HEAP_MB, COMPUTE_IDLE_MS, COMPUTE_QUEUE_MAX, TIMER_MAX_MS } from '../limits.ts';
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

const limitNames = new Set([
  'maxOldGenerationSizeMb',
  'maxYoungGenerationSizeMb',
  'codeRangeSizeMb',
  'stackSizeMb',
] satisfies (keyof ResourceLimits)[] as string[]);

/** Completes and checks the options of a pool; throws `BadArgError` with what is wrong. */
export function poolSettings(pool: string, options: ComputePoolOptions): PoolSettings {
  const {
    threads = availableParallelism(),
    threadsMin = 0,
    queueMax = COMPUTE_QUEUE_MAX,
    idleTimeoutMs = COMPUTE_IDLE_MS,
    resourceLimits = { maxOldGenerationSizeMb: COMPUTE_HEAP_MB },
  } = options;
  const need = (sound: boolean, what: string, value: unknown): void => {
    if (!sound) throw new BadArgError(`computePool '${pool}': ${what}, not ${String(value)}`);
  };
  need(isCount(threads, 1), 'threads must be a number from 1 on', threads);
  need(isCount(threadsMin, 0) && threadsMin <= threads, `threadsMin must be 0 to ${threads} (threads)`, threadsMin);
  need(isCount(queueMax, 0), 'queueMax must be a number from 0 on', queueMax);
  const isIdle = idleTimeoutMs === 'infinity' || (isCount(idleTimeoutMs, 0) && idleTimeoutMs <= TIMER_MAX_MS);
  need(isIdle, `idleTimeoutMs must be 0 to ${TIMER_MAX_MS}, or 'infinity'`, idleTimeoutMs);
  const wrong = limitsError(resourceLimits);
  if (wrong !== undefined) throw new BadArgError(`computePool '${pool}': ${wrong}`);
  return { threads, threadsMin, queueMax, idleTimeoutMs, resourceLimits };
}

/** What is wrong with limits of a thread: Node.js itself ignores a misspelt one. */
export function limitsError(limits: ResourceLimits): string | undefined {
  if (typeof limits !== 'object' || limits === null) return 'resourceLimits must be an object';
  for (const [name, value] of Object.entries(limits) as [string, unknown][]) {
    if (!limitNames.has(name)) return `resourceLimits has no '${name}', but ${[...limitNames].join(', ')}`;
    if (!(typeof value === 'number' && value > 0))
      return `resourceLimits.${name} must be above 0, not ${String(value)}`;
  }
  return undefined;
}

function isCount(value: number, least: number): boolean {
  return Number.isSafeInteger(value) && value >= least;
}
