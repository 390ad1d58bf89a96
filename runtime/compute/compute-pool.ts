import type { Context } from '../kernel/context.ts';
import type { ErrorExit, ExitReason } from '../kernel/exit.ts';
import type { From, Name, Ref } from '../kernel/pid.ts';
import { originOf } from '../kernel/process-context.ts';
import type { Call } from '../kernel/protocol.ts';
import { type GenServer, genServer } from '../server/gen-server.ts';
import { type HandlerResult, noreply, reply } from '../server/server-result.ts';
import { type ChildSpec, child } from '../supervisor/child-spec.ts';
import { computeFault } from '../telemetry.ts';
import { ComputeThreads, type ThreadJob } from './compute-threads.ts';
import type { JobOutcome } from './job-fault.ts';
import { type ComputePoolOptions, type PoolSettings, poolSettings } from './pool-options.ts';

/** What a pool understands; reached through `compute`. */
export interface ComputePoolProtocol {
  readonly call: { readonly run: Call<ThreadJob, JobOutcome> };
  readonly cast: {
    /** Nobody waits for that job any more. */
    readonly cancel: { readonly id: string; readonly reason: ExitReason };
  };
  readonly info: {
    readonly ended: { readonly id: string; readonly outcome: JobOutcome };
    readonly left: { readonly job: string; readonly exit: ErrorExit };
  };
}

interface Job {
  readonly request: ThreadJob;
  readonly from: From<JobOutcome>;
  /** Of who waits for it. */
  readonly monitor: Ref;
  /** Its caller has had its answer, or is gone; the thread is on its way out. */
  over: boolean;
}

interface Pool {
  readonly settings: PoolSettings;
  readonly threads: ComputeThreads;
  /** In the order of their calls. */
  readonly waiting: Map<string, Job>;
  readonly running: Map<string, Job>;
  readonly watched: Map<Ref, Job>;
}

/** Owns the threads of a pool, and decides which job is next on them. */
export const ComputePool: GenServer<ComputePoolProtocol, PoolSettings> = genServer(import.meta, 'ComputePool', {
  init: (settings, ctx): Pool => {
    ctx.trapExit(true); // so that an orderly end waits for the threads
    const threads = new ComputeThreads(settings, {
      ended: (id, outcome) => ctx.send(ctx.self, 'ended', { id, outcome }),
      left: (job, exit) => ctx.send(ctx.self, 'left', { job, exit }),
    });
    ctx.openPort({ close: () => void threads.close() });
    return { settings, threads, waiting: new Map(), running: new Map(), watched: new Map() };
  },
  terminate: (_reason, { threads }) => threads.close(),
  formatStatus: ({ settings, waiting, running }) => ({ ...settings, running: running.size, waiting: waiting.size }),
  handleCall: {
    run: (pool, request, ctx) => {
      const { settings, waiting, running } = pool;
      if (running.size >= settings.threads && waiting.size >= settings.queueMax) {
        return reply({ exit: 'overload' }, pool);
      }
      const job: Job = { request, from: ctx.from, monitor: ctx.monitor(ctx.from.pid), over: false };
      pool.watched.set(job.monitor, job);
      waiting.set(request.id, job);
      return next(pool);
    },
  },
  handleCast: {
    cancel: (pool, { id, reason }, ctx) => {
      const job = pool.waiting.get(id) ?? pool.running.get(id);
      return job === undefined ? noreply(pool) : cancel(pool, job, reason, ctx);
    },
  },
  handleInfo: {
    ended: (pool, { id, outcome }, ctx) => {
      const job = pool.running.get(id);
      pool.running.delete(id);
      if (job !== undefined && !job.over) {
        if ('exit' in outcome && endedThread(outcome.exit)) report(job, outcome.exit, ctx);
        answer(pool, job, outcome, ctx);
      }
      return next(pool);
    },
    left: (pool, { job, exit }, ctx) => {
      if (computeFault.hasSubscribers) {
        computeFault.publish({ ...originOf(ctx), job, reason: exit, late: true });
      }
      return noreply(pool);
    },
    DOWN: (pool, { ref, reason }, ctx) => {
      const job = pool.watched.get(ref);
      return job === undefined ? noreply(pool) : cancel(pool, job, reason, ctx);
    },
  },
});

/** Starts what has a place on the threads. */
function next(pool: Pool): HandlerResult<Pool> {
  const { settings, threads, waiting, running } = pool;
  for (const [id, job] of waiting) {
    if (running.size >= settings.threads) break;
    waiting.delete(id);
    running.set(id, job);
    threads.run(job.request);
  }
  return noreply(pool);
}

/** Takes a job out of the queue, or ends it with its thread: it counts as running until that has gone. */
function cancel(pool: Pool, job: Job, reason: ExitReason, ctx: Context): HandlerResult<Pool> {
  if (job.over) return noreply(pool);
  const { id } = job.request;
  const outcome = { exit: reason };
  if (!pool.waiting.delete(id)) {
    report(job, reason, ctx);
    pool.threads.kill(id, outcome);
  }
  answer(pool, job, outcome, ctx);
  return noreply(pool);
}

/** An answer to who has given up, or has exited, goes nowhere. */
function answer(pool: Pool, job: Job, outcome: JobOutcome, ctx: Context): void {
  job.over = true;
  pool.watched.delete(job.monitor);
  ctx.demonitor(job.monitor, { flush: true });
  ctx.replyTo(job.from, outcome);
}

/** Whether a job has taken its thread along. */
function endedThread(reason: ExitReason): boolean {
  return typeof reason === 'object' && reason !== null && 'worker_exit' in reason;
}

function report(job: Job, reason: ExitReason, ctx: Context): void {
  if (!computeFault.hasSubscribers) return;
  computeFault.publish({ ...originOf(ctx), job: job.request.exportName, reason, late: false });
}

/**
 * The specification of a pool of threads for stateless work (BEAM: dirty CPU schedulers), a child like any other: one
 * process under that name, which owns the threads; they end with it, whatever ends it. Options and defaults:
 * `ComputePoolOptions`; the id defaults to the name. Throws `BadArgError` if an option is wrong.
 */
export function computePool(pool: Name<ComputePoolProtocol>, options: ComputePoolOptions = {}): ChildSpec {
  const settings = poolSettings(pool, options);
  const { threads: _1, threadsMin: _2, queueMax: _3, idleTimeoutMs: _4, resourceLimits: _5, ...rest } = options;
  return child(ComputePool, settings, { id: pool, ...rest, name: pool });
}
