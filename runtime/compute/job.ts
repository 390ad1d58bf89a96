/**
 * The public surface of `beamish/compute/job`: all that the module of a job needs. Apart from `beamish/compute`, since
 * each thread loads it before its first job.
 */

import type { TransferListItem } from 'node:worker_threads';
import { checkFunction, checkObject, checkText } from '../kernel/arguments.ts';
import type { ModuleMeta } from '../kernel/behaviour.ts';
import type { MaybePromise } from '../kernel/protocol.ts';

/** What a job has of the thread that it runs on. */
export interface JobThread {
  /**
   * Moves buffers and ports in the result to the caller instead of copying them; the thread cannot use them any more
   * (postMessage, `transferList`).
   */
  transfer(...items: readonly TransferListItem[]): void;
}

/** The code of a job. May be async; sees nothing of the caller but its arguments. */
export type JobFunction<Args, Result> = (args: Args, thread: JobThread) => MaybePromise<Result>;

/** A job as data: the module and export by which a thread finds its function. Made by `computeJob`. */
export interface ComputeJob<Args = any, Result = any> {
  readonly module: string;
  readonly exportName: string;
  /** For the thread, and for tests of the function alone. */
  readonly run: JobFunction<Args, Result>;
}

/**
 * Defines a job, for `compute`. Put it at the top of a module and export it under `exportName`:
 *
 *     export const primes = computeJob(import.meta, 'primes', (below: number) => sieve(below));
 *
 * Each thread imports that module once, with all that it imports: keep it free of side effects, or do them only if
 * `isMainThread` of `node:worker_threads` says so. Throws `BadArgError` if the name or the function is none.
 */
export function computeJob<Args, Result>(
  meta: ModuleMeta,
  exportName: string,
  run: JobFunction<Args, Result>,
): ComputeJob<Args, Result> {
  checkObject(meta, 'the first argument of computeJob (import.meta)');
  checkText(meta.url, 'the url of the module of a job (import.meta)');
  checkText(exportName, 'the export name of a job');
  checkFunction(run, `what computeJob '${exportName}' runs`);
  return Object.freeze({ module: meta.url, exportName, run });
}
