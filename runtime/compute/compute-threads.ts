import type { ResourceLimits, TransferListItem, Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { ErrorExit } from '../kernel/exit.ts';
import type { Port } from '../kernel/port.ts';
import { type JobOutcome, threadExit } from './job-fault.ts';
import type { ThreadNotice, ThreadRequest } from './job-thread.ts';

/** A job on its way to a thread. */
export interface ThreadJob extends ThreadRequest {
  readonly transfer: readonly TransferListItem[];
  /** A thread of its own, with these limits; undefined: one of the pool. */
  readonly resourceLimits: ResourceLimits | undefined;
}

export interface ThreadOptions {
  readonly threads: number;
  readonly threadsMin: number;
  readonly idleTimeoutMs: number | 'infinity';
  readonly resourceLimits: ResourceLimits;
}

/** Who hears of what happens on the threads. Calls come in turns of their own, never during a call of the owner. */
export interface ThreadListener {
  /** Once per job, when its place on the threads is free: its outcome is there, or its thread has gone. */
  ended(id: string, outcome: JobOutcome): void;
  /** Something that a job had left behind failed after its end; no other job was touched. */
  left(job: string, exit: ErrorExit): void;
}

/** A job that was given to piscina. */
interface Run {
  readonly job: string;
  readonly pool: Piscina;
  readonly abort: AbortController;
  /** Whether a thread has it. */
  placed: boolean;
}

/**
 * The threads of a pool, as a port of its process: piscina, given no more jobs than it has threads. Its own queue stays
 * empty, since it bounds no jobs that can be aborted, and after an abort starts no thread for what waits in it.
 */
export class ComputeThreads implements Port {
  private readonly options: ThreadOptions;
  private readonly listener: ThreadListener;
  private readonly shared: Piscina;
  /** Of jobs with limits of their own: one thread each. */
  private readonly separate = new Set<Piscina>();
  private readonly runs = new Map<string, Run>();
  /** Threads that were ended and have not gone yet. */
  private readonly dying = new Set<Promise<void>>();
  private closed: Promise<void> | undefined;

  constructor(options: ThreadOptions, listener: ThreadListener) {
    this.options = options;
    this.listener = listener;
    this.shared = this.open(options.threads, options.threadsMin, options.resourceLimits);
  }

  run(job: ThreadJob): void {
    const { id, module, exportName, args, transfer, resourceLimits } = job;
    const pool = resourceLimits === undefined ? this.shared : this.open(1, 0, resourceLimits);
    if (pool !== this.shared) this.separate.add(pool);
    const abort = new AbortController();
    const run: Run = { job: exportName, pool, abort, placed: false };
    this.runs.set(id, run);
    // The balancer finds the run here: symbols do not cross to the thread.
    const request = { id, module, exportName, args, [Piscina.queueOptionsSymbol]: run };
    this.post(pool, request, abort.signal, transfer).then(
      (outcome) => this.end(id, run, outcome as JobOutcome),
      (error) => this.end(id, run, { exit: threadExit(exportName, error) }),
    );
  }

  /** Ends a job with the thread that runs it. The outcome comes once the thread has gone: until then it is in use. */
  kill(id: string, outcome: JobOutcome): void {
    const run = this.runs.get(id);
    if (run === undefined) return;
    this.runs.delete(id);
    const before = run.pool.threads;
    run.abort.abort();
    const after = new Set(run.pool.threads);
    const thread = before.find((each) => !after.has(each));
    const gone = thread === undefined ? Promise.resolve() : exitOf(thread);
    this.dying.add(gone);
    void gone.then(() => {
      this.dying.delete(gone);
      this.freed(id, run, outcome);
    });
  }

  /** Ends all threads; settles when they have gone. */
  close(): Promise<void> {
    if (this.closed === undefined) {
      this.runs.clear();
      const pools = [this.shared, ...this.separate];
      this.closed = Promise.all([...pools.map((pool) => pool.destroy()), ...this.dying]).then(() => {});
    }
    return this.closed;
  }

  /** Piscina throws for a thread that Node.js refuses to make. */
  private async post(
    pool: Piscina,
    request: ThreadRequest,
    signal: AbortSignal,
    transfer: readonly TransferListItem[],
  ): Promise<unknown> {
    return pool.run(request, { signal, transferList: [...transfer] as never });
  }

  private end(id: string, run: Run, outcome: JobOutcome): void {
    if (!this.runs.delete(id)) return;
    // One that could not be placed must not be placed later.
    if (!run.placed) run.abort.abort();
    this.freed(id, run, outcome);
  }

  private freed(id: string, { pool }: Run, outcome: JobOutcome): void {
    if (this.separate.delete(pool)) void pool.destroy();
    if (this.closed === undefined) this.listener.ended(id, outcome);
  }

  private open(maxThreads: number, minThreads: number, resourceLimits: ResourceLimits): Piscina {
    const { idleTimeoutMs } = this.options;
    const pool = new Piscina({
      filename: new URL('./job-thread.js', import.meta.url).href,
      minThreads,
      maxThreads,
      idleTimeout: idleTimeoutMs === 'infinity' ? Number.POSITIVE_INFINITY : idleTimeoutMs,
      resourceLimits,
      // Threads have a living event loop between jobs: what a job left behind shows before the next one.
      atomics: 'disabled',
      recordTiming: false,
      loadBalancer: (task, workers) => {
        const idle = workers.find(({ currentUsage }) => currentUsage === 0) ?? null;
        const run = (task as unknown as { readonly [key: symbol]: unknown })[Piscina.queueOptionsSymbol] as Run;
        if (idle !== null) run.placed = true;
        return idle;
      },
    });
    pool.on('message', (notice: ThreadNotice) => this.heard(notice));
    pool.on('error', (error) => this.failed(pool, error));
    return pool;
  }

  private heard(notice: ThreadNotice): void {
    if (this.closed !== undefined) return;
    if ('failed' in notice) this.kill(notice.failed, { exit: notice.exit });
    else this.listener.left(notice.left, notice.exit);
  }

  /** A thread without a job has failed. If it could not start, a job may wait for it in vain. */
  private failed(pool: Piscina, error: unknown): void {
    const runs = [...this.runs].filter(([, run]) => run.pool === pool);
    const missing = Math.max(0, runs.length - pool.threads.length);
    const unplaced = runs.filter(([, run]) => !run.placed);
    for (const [id, run] of unplaced.slice(0, missing)) this.end(id, run, { exit: threadExit(run.job, error) });
  }
}

/** Not `once` of `node:events`: a thread that fails on its way out goes all the same. */
function exitOf(thread: Worker): Promise<void> {
  return new Promise((resolve) => thread.once('exit', () => resolve()));
}
