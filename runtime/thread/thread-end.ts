import { type ExitReason, errorExit } from '../kernel/exit.ts';

/** What is known of the end of a worker thread. */
export interface ThreadEnd {
  /** The code with which it exited. */
  readonly exitCode: number;
  /** What ended it, if an error did: as it says itself, and as Node.js does. */
  readonly uncaught?: ExitReason | undefined;
  readonly error?: unknown;
  /** It was terminated because it did not yield. */
  readonly stalled: boolean;
  /** It was told to end. */
  readonly asked: boolean;
  /** It was told to end since it had no process any more. */
  readonly idle: boolean;
}

/** With what reason the processes of a worker thread exit that has ended. */
export function reasonOfEnd({ exitCode, uncaught, error, stalled, asked, idle }: ThreadEnd): ExitReason {
  if (idle) return 'noproc'; // for what was still on its way there
  if (stalled) return 'killed';
  if (uncaught !== undefined) return { worker_exit: uncaught };
  if (error !== undefined) {
    return { worker_exit: isOutOfMemory(error) ? 'oom' : errorExit(error) };
  }
  return asked ? 'killed' : { worker_exit: { exit_code: exitCode } };
}

function isOutOfMemory(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === 'ERR_WORKER_OUT_OF_MEMORY';
}

/** How long to wait before a thread is started again that has `failures` times in a row ended before it ran. */
export function restartDelayMs(failures: number, firstMs: number, mostMs: number): number {
  return failures === 0 ? 0 : Math.min(mostMs, firstMs * 2 ** (failures - 1));
}
