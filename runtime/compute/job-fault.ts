import { type ErrorExit, type ExitReason, errorExit } from '../kernel/exit.ts';

/** How a job ended: with its result, or without one. */
export type JobOutcome = { readonly ok: unknown } | { readonly exit: ExitReason };

/** Where a job is said to be. */
interface JobName {
  readonly module: string;
  readonly exportName: string;
}

/** The thread does not find the function of a job (Erlang's `undef`). */
export function undefinedJob({ module, exportName }: JobName, cause?: unknown): ErrorExit {
  const why =
    cause === undefined
      ? `${module} has no such export that was made by computeJob; export it under that name`
      : `a thread cannot import ${module}: ${messageOf(cause)}`;
  return fault('UndefinedJobError', 'ERR_COMPUTE_UNDEF', `job '${exportName}': ${why}`, cause);
}

/** A value that cannot cross between threads. */
export function notCloneable(what: 'arguments' | 'result', job: string, cause: unknown): ErrorExit {
  const text = `the ${what} of job '${job}' cannot cross to another thread: ${messageOf(cause)}`;
  return fault('DataCloneError', 'ERR_COMPUTE_CLONE', text, cause);
}

/**
 * Why a thread ended, or could not begin, with a job: what piscina rejects with. The text of a thread that has left by
 * `process.exit` is that of piscina.
 */
export function threadExit(job: string, error: unknown): ExitReason {
  if (error instanceof DOMException && error.name === 'DataCloneError') return notCloneable('arguments', job, error);
  if ((error as { code?: unknown } | undefined)?.code === 'ERR_WORKER_OUT_OF_MEMORY') return { worker_exit: 'oom' };
  const exitCode = /^worker exited with code: (-?\d+)$/.exec(messageOf(error))?.[1];
  if (exitCode !== undefined) return { worker_exit: { exit_code: Number(exitCode) } };
  return errorExit(error);
}

function fault(name: string, code: string, message: string, cause: unknown): ErrorExit {
  const error = Object.assign(new Error(message, cause === undefined ? {} : { cause }), { name, code });
  return errorExit(error);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
