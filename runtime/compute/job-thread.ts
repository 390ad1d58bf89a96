/** What runs on each thread of a pool: finds the function of a job, runs it, and answers for what it leaves behind. */

import { AsyncLocalStorage } from 'node:async_hooks';
import { parentPort, type TransferListItem } from 'node:worker_threads';
import { describeExit, type ErrorExit, errorExit } from '../kernel/exit.ts';
import type { ComputeJob } from './job.ts';
import { type JobOutcome, notCloneable, undefinedJob } from './job-fault.ts';

/** What a thread is asked to do. */
export interface ThreadRequest {
  readonly id: string;
  readonly module: string;
  readonly exportName: string;
  readonly args: unknown;
}

/** What a thread says beside the outcomes of its jobs. */
export type ThreadNotice =
  /** A job has failed beside its function, or has an outcome that cannot cross: the thread is to go. */
  | { readonly failed: string; readonly exit: ErrorExit }
  /** Something that a finished job left behind has failed. */
  | { readonly left: string; readonly exit: ErrorExit };

interface Running {
  readonly id: string;
  readonly name: string;
  over: boolean;
}

/** Whose code is running, through timers and promises. */
const jobs = new AsyncLocalStorage<Running>();
const found = new Map<string, ComputeJob['run']>();
let latest: Running | undefined;

/** Runs one job at a time. */
export default function runJob(request: ThreadRequest): Promise<unknown> {
  const running: Running = { id: request.id, name: request.exportName, over: false };
  latest = running;
  const transfers: TransferListItem[] = [];
  return jobs.run(running, async () => {
    const outcome = await outcomeOf(request, transfers);
    running.over = true;
    return transfers.length === 0 ? outcome : move(outcome, transfers);
  });
}

async function outcomeOf(request: ThreadRequest, transfers: TransferListItem[]): Promise<JobOutcome> {
  let run: ComputeJob['run'] | ErrorExit;
  try {
    run = await find(request);
  } catch (error) {
    run = undefinedJob(request, error);
  }
  if (typeof run !== 'function') return { exit: crossable(run) };
  try {
    return { ok: await run(request.args, { transfer: (...items) => void transfers.push(...items) }) };
  } catch (error) {
    transfers.length = 0;
    return { exit: crossable(errorExit(error)) };
  }
}

async function find(request: ThreadRequest): Promise<ComputeJob['run'] | ErrorExit> {
  const { module, exportName } = request;
  const key = `${module}#${exportName}`;
  const known = found.get(key);
  if (known !== undefined) return known;
  const exported = ((await import(module)) as Record<string, ComputeJob | undefined>)[exportName];
  if (typeof exported?.run !== 'function') return undefinedJob(request);
  found.set(key, exported.run);
  return exported.run;
}

/** An error that carries what cannot be cloned still arrives, as text. */
function crossable(exit: ErrorExit): ErrorExit {
  try {
    structuredClone(exit);
    return exit;
  } catch {
    // a function or another such value among the causes
    return { error: { name: 'Error', message: describeExit(exit) }, stack: exit.stack };
  }
}

/** Loaded late: few jobs need it. */
async function move(outcome: JobOutcome, transfers: readonly TransferListItem[]): Promise<unknown> {
  const { Piscina } = await import('piscina');
  const moved = { [Piscina.transferableSymbol]: transfers, [Piscina.valueSymbol]: outcome };
  return Piscina.move(moved as unknown as ArrayBuffer);
}

function blame(error: unknown): void {
  const culprit = jobs.getStore();
  if (culprit !== undefined) {
    const exit = crossable(errorExit(error));
    notify(culprit.over ? { left: culprit.name, exit } : { failed: culprit.id, exit });
  } else if (latest?.over === true && error instanceof DOMException && error.name === 'DataCloneError') {
    // Outside every job: piscina could not post the outcome of the latest.
    notify({ failed: latest.id, exit: crossable(notCloneable('result', latest.name, error)) });
  } else {
    // Nobody answers for it: the thread ends, as it would without us.
    process.off('uncaughtException', blame);
    process.nextTick(() => {
      throw error;
    });
  }
}

function notify(notice: ThreadNotice): void {
  parentPort?.postMessage(notice);
}

process.on('uncaughtException', blame);
process.on('unhandledRejection', blame);
