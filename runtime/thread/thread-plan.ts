import { availableParallelism } from 'node:os';
import { BadArgError } from '../kernel/errors.ts';
import { STALL_MS, THREAD_BUSY_MS, THREADS_AT_ONCE_MAX } from '../limits.ts';
import type { Placement } from './directory.ts';
import type { ResourceLimits } from './worker-thread.ts';

/** A group of worker threads that run processes. */
export interface ThreadGroupOptions {
  /** How many, 1 or more. Default: as many as the machine has cores but one, at least 1. */
  readonly count?: number;
  /** Who gets the next process: `'round_robin'` (default) or `'least_loaded'`, the one with the fewest processes. */
  readonly placement?: Placement;
  /** What one thread may use; past that it ends, `{ worker_exit: 'oom' }` (`node:worker_threads`, resourceLimits). */
  readonly resourceLimits?: ResourceLimits;
  /**
   * Whether a thread is kept ready to take the place of one that ends. It imports the modules that the threads of the
   * group have imported to run processes, so the code at the top of these runs there too. Default true.
   */
  readonly spare?: boolean;
}

/** The worker threads of a system: groups by name, with a count or options. */
export type ThreadsOptions = Readonly<Record<string, number | ThreadGroupOptions>>;

/** What holds for all worker threads of a system. */
export interface WorkersOptions {
  /**
   * How long a thread may not yield before it is terminated, in milliseconds; 0: for ever. Default 5,000. While it
   * imports a module, 30,000 if that is longer.
   */
  readonly stallMs?: number;
  /**
   * How long a thread may not yield before new processes of its group are put on another one, and the spare thread of
   * the group joins it, in milliseconds; 0: never. It stays, in the place of the other if that ends. Default 50.
   */
  readonly busyMs?: number;
  /** Where the standard output of worker threads goes. Default `'stdout'`. */
  readonly stdout?: 'stdout' | 'stderr';
  /** The limits of threads that run one isolated process. Default: those of Node.js. */
  readonly isolatedLimits?: ResourceLimits;
}

export interface ThreadGroup {
  readonly count: number;
  readonly placement: Placement;
  readonly resourceLimits: ResourceLimits | undefined;
  readonly spares: number;
}

export interface ThreadPlan {
  readonly groups: ReadonlyMap<string, ThreadGroup>;
  readonly placements: Readonly<Record<string, Placement>>;
  readonly isolated: ThreadGroup;
  readonly stallMs: number;
  readonly busyMs: number;
  readonly stdout: 'stdout' | 'stderr';
  readonly threadCount: number;
}

const placementNames: readonly unknown[] = ['round_robin', 'least_loaded'];
const limitNames = ['maxOldGenerationSizeMb', 'maxYoungGenerationSizeMb', 'codeRangeSizeMb', 'stackSizeMb'];

/** Completes and checks the options of `startSystem`. `BadArgError` says what is wrong. */
export function threadPlan(threads: true | ThreadsOptions, workers: WorkersOptions = {}): ThreadPlan {
  const named: ThreadsOptions = threads === true ? { cpu: {} } : threads;
  if (typeof named !== 'object' || named === null) throw wrong('threads must be true, or groups by name', named);
  const groups = new Map(Object.entries(named).map(([name, group]) => [name, threadGroup(name, group)]));
  const threadCount = [...groups.values()].reduce((sum, { count }) => sum + count, 0);
  if (threadCount > THREADS_AT_ONCE_MAX)
    throw wrong(`threads: at most ${THREADS_AT_ONCE_MAX} in all groups`, threadCount);
  const { stallMs = STALL_MS, busyMs = THREAD_BUSY_MS, stdout = 'stdout', isolatedLimits } = workers;
  if (!Number.isSafeInteger(stallMs) || stallMs < 0) throw wrong('workers.stallMs must be an integer from 0', stallMs);
  if (!Number.isSafeInteger(busyMs) || busyMs < 0) throw wrong('workers.busyMs must be an integer from 0', busyMs);
  if (stdout !== 'stdout' && stdout !== 'stderr') throw wrong("workers.stdout must be 'stdout' or 'stderr'", stdout);
  checkLimits('workers.isolatedLimits', isolatedLimits);
  const placements = Object.fromEntries([...groups].map(([name, { placement }]) => [name, placement]));
  const isolated: ThreadGroup = { count: 0, placement: 'round_robin', resourceLimits: isolatedLimits, spares: 0 };
  return { groups, placements, isolated, stallMs, busyMs, stdout, threadCount };
}

function threadGroup(name: string, given: number | ThreadGroupOptions): ThreadGroup {
  const options: ThreadGroupOptions = typeof given === 'number' ? { count: given } : given;
  const where = `threads.${name}`;
  if (name === 'main' || name === '') throw wrong('threads: a group cannot be called', name);
  if (typeof options !== 'object' || options === null) throw wrong(`${where} must be a count or options`, given);
  const { count = Math.max(1, availableParallelism() - 1), placement = 'round_robin', resourceLimits, spare } = options;
  if (!Number.isSafeInteger(count) || count < 1) throw wrong(`${where}.count must be an integer from 1`, count);
  if (!placementNames.includes(placement))
    throw wrong(`${where}.placement must be 'round_robin' or 'least_loaded'`, placement);
  checkLimits(`${where}.resourceLimits`, resourceLimits);
  return { count, placement, resourceLimits, spares: spare === false ? 0 : 1 };
}

function checkLimits(where: string, limits: unknown): void {
  if (limits === undefined) return;
  if (typeof limits !== 'object' || limits === null) throw wrong(`${where} must be an object`, limits);
  for (const [name, value] of Object.entries(limits)) {
    if (!limitNames.includes(name)) throw wrong(`${where} has no such limit; there are ${limitNames.join(', ')}`, name);
    if (typeof value !== 'number' || !(value > 0)) throw wrong(`${where}.${name} must be a number above 0`, value);
  }
}

function wrong(what: string, value: unknown): BadArgError {
  return new BadArgError(`${what}, not ${typeof value === 'string' ? `'${value}'` : String(value)}`);
}
