import { randomUUID } from 'node:crypto';
import type { ResourceLimits, TransferListItem } from 'node:worker_threads';
import { badArgument, checkArray, checkObject, shown } from '../kernel/arguments.ts';
import type { Messaging } from '../kernel/context.ts';
import { BadArgError, CallError, ExitedError } from '../kernel/errors.ts';
import { type ExitReason, errorData } from '../kernel/exit.ts';
import { describeDest } from '../kernel/names.ts';
import type { Dest } from '../kernel/pid.ts';
import { CALL_TIMEOUT_MS } from '../limits.ts';
import type { ComputePoolProtocol } from './compute-pool.ts';
import type { ComputeJob } from './job.ts';
import { checkLimits } from './pool-options.ts';

/** Options of `compute`. */
export interface ComputeOptions {
  /** How long the job may wait and run, in milliseconds. Default 5,000. `'infinity'`: as long as its caller lives. */
  readonly timeoutMs?: number | 'infinity';
  /** Ends the job when it is aborted. Default: none. */
  readonly signal?: AbortSignal;
  /**
   * Buffers and ports in the arguments that are moved to the thread instead of copied, when the job starts; the caller
   * cannot use them then (postMessage, `transferList`). Default: none.
   */
  readonly transfer?: readonly TransferListItem[];
  /**
   * Limits of this job, in MB: it gets a thread of its own, which costs a start of some ten milliseconds and ends with
   * it. Default: those of the pool, and one of its threads.
   */
  readonly resourceLimits?: ResourceLimits;
}

/** A process, or the system for its owner. */
type Caller = Pick<Messaging, 'call' | 'cast'> & { readonly signal?: AbortSignal };

/**
 * Runs a job on a thread of the pool and gives its result. The job ends with its thread, an endless loop included, as
 * soon as its time is over, its signal is aborted or its caller exits; a job that waits leaves the queue. Arguments and
 * result are cloned (structured clone): plain data, no functions. What was given as arguments belongs to the job, and
 * must not be changed afterwards.
 *
 * Rejects with `CallError`, as any call, with `tag` the name of the job:
 *
 * - `ERR_CALL_TIMEOUT`, reason `'timeout'`: no result in time.
 * - `ERR_CALL_NOPROC`: no such pool. `ERR_CALL_OVERLOAD`: as many jobs wait as may.
 * - `ERR_CALL_EXIT`, by `reason`: `{ error, stack }` the job threw or rejected, or something it left in a timer or
 *   promise did; with `error.code` `'ERR_COMPUTE_UNDEF'` a thread does not find it, `'ERR_COMPUTE_CLONE'` its arguments
 *   or result cannot be cloned. `{ worker_exit: 'oom' }` it met the limits of its thread. `{ worker_exit: { exit_code }
 *   }` it called `process.exit`. `{ aborted: reason }` the signal. Any other: the pool ended, with that reason.
 *
 * Rejects with `BadArgError` if the job was not made by `computeJob`, or an option is wrong.
 */
export async function compute<Args, Result>(
  caller: Caller,
  pool: Dest<ComputePoolProtocol>,
  job: ComputeJob<Args, Result>,
  args: Args,
  options: ComputeOptions = {},
): Promise<Result> {
  checkJob(job);
  checkObject(options, `compute '${job.exportName}': its options`);
  const { timeoutMs = CALL_TIMEOUT_MS, signal, transfer = [], resourceLimits } = options;
  const owner = `compute '${job.exportName}'`;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw badArgument(`${owner}: signal`, 'an AbortSignal', signal);
  }
  checkArray(transfer, `${owner}: transfer`);
  if (resourceLimits !== undefined) checkLimits(resourceLimits, `${owner}: resourceLimits`);
  const failure = (code: CallError['code'], reason: ExitReason): CallError =>
    new CallError(code, reason, describeDest(pool), job.exportName);
  if (signal?.aborted === true) throw failure('ERR_CALL_EXIT', aborted(signal));

  const id = randomUUID();
  const onAbort = (): void => giveUp(caller, pool, id, aborted(signal as AbortSignal));
  // A call of a process that has exited never settles: then its own signal takes the listener away.
  const lifetime = signal === undefined ? undefined : caller.signal;
  signal?.addEventListener('abort', onAbort, { once: true, ...(lifetime === undefined ? {} : { signal: lifetime }) });
  try {
    const { module, exportName } = job;
    const request = { id, module, exportName, args, transfer, resourceLimits };
    const outcome = await caller.call(pool, 'run', request, { timeoutMs });
    if ('ok' in outcome) return outcome.ok as Result;
    throw failure(outcome.exit === 'overload' ? 'ERR_CALL_OVERLOAD' : 'ERR_CALL_EXIT', outcome.exit);
  } catch (error) {
    if (!(error instanceof CallError) || error.tag === job.exportName) throw error;
    if (error.code === 'ERR_CALL_TIMEOUT') giveUp(caller, pool, id, 'timeout');
    throw failure(error.code, error.reason);
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

function giveUp(caller: Caller, pool: Dest<ComputePoolProtocol>, id: string, reason: ExitReason): void {
  try {
    caller.cast(pool, 'cancel', { id, reason });
  } catch (error) {
    // The caller has exited, and the job with it.
    if (!(error instanceof ExitedError)) throw error;
  }
}

function aborted({ reason }: AbortSignal): ExitReason {
  return { aborted: errorData(reason) };
}

/** Throws `BadArgError` for what was not made by `computeJob`, a bare function above all. */
function checkJob(job: ComputeJob): void {
  if (typeof job?.module === 'string' && typeof job.exportName === 'string') return;
  const why = typeof job === 'function' ? ': a function cannot cross to a thread' : '';
  throw new BadArgError(`a job must be made by computeJob and exported from its module, not ${shown(job)}${why}`);
}
