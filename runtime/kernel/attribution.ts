import { AsyncLocalStorage } from 'node:async_hooks';
import { types } from 'node:util';

/** Who answers for an error that nobody caught. */
export interface Culprit {
  /** Called with what was thrown or rejected; must not throw. */
  blame(error: unknown): void;
}

export type UncaughtOrigin = 'uncaughtException' | 'unhandledRejection';

/** One system's claim on the uncaught errors of this thread. */
export interface UncaughtGuard {
  /** What the system does with an error that belongs to no process; null leaves it to the host program. */
  readonly onUnattributed: ((error: unknown, origin: UncaughtOrigin) => void) | null;
}

/**
 * Which process's code is running, through timers and promises. One store per thread for all systems in it, since
 * Node.js reports uncaught errors per thread; the culprit found in it belongs to exactly one system.
 */
const running = new AsyncLocalStorage<Culprit | undefined>();
const nobody = undefined;
const guards = new Set<UncaughtGuard>();

/** Runs one step of a process so that what it leaves behind (timers, floating promises) is blamed on it. */
export function runAttributed<A, R>(culprit: Culprit, step: (arg: A) => R, arg: A): R {
  return running.run(culprit, step, arg);
}

/** What the step schedules, and its errors, are blamed on the process as its own steps are. */
export function asProcess(process: { readonly culprit: Culprit | null }, step: () => void): void {
  if (process.culprit === null) step();
  else runAttributed(process.culprit, step, undefined);
}

/** Listeners of a process that has exited are user code: they run after the kernel has finished with the exit. */
export function abortLater(
  process: { readonly culprit: Culprit | null },
  abort: AbortController,
  reason: unknown,
): void {
  asProcess(process, () => queueMicrotask(() => abort.abort(reason)));
}

/**
 * Runs outside every process: what it schedules belongs to nobody. Not by `exit`, which turns the hooks of promises off
 * and on again (Node.js before 24): dearer than all the rest of a request's attribution.
 */
export function runUnattributed(step: () => void): void {
  if (running.getStore() !== undefined) running.run(nobody, step);
  else step();
}

export function guardUncaught(guard: UncaughtGuard): void {
  if (guards.size === 0) {
    process.on('uncaughtException', onUncaughtException);
    process.on('unhandledRejection', onUnhandledRejection);
  }
  guards.add(guard);
}

export function releaseUncaught(guard: UncaughtGuard): void {
  if (guards.delete(guard) && guards.size === 0) {
    process.off('uncaughtException', onUncaughtException);
    process.off('unhandledRejection', onUnhandledRejection);
  }
}

function onUncaughtException(error: unknown): void {
  if (settle(error, 'uncaughtException')) return;
  // Nobody here answers for it: end the program as Node.js would without us, that is exit code 1 and the error's own
  // stack.
  process.off('uncaughtException', onUncaughtException);
  process.nextTick(() => {
    throw error;
  });
}

function onUnhandledRejection(reason: unknown): void {
  if (settle(reason, 'unhandledRejection')) return;
  const error = types.isNativeError(reason)
    ? reason
    : new Error('a promise was rejected and nobody handled it', { cause: reason });
  process.nextTick(() => {
    throw error;
  });
}

/**
 * True if somebody answers for the error: its process, the host's own listener, or a system that asked for the rest.
 */
function settle(error: unknown, origin: UncaughtOrigin): boolean {
  const culprit = running.getStore();
  if (culprit !== undefined) {
    running.exit(() => culprit.blame(error));
    return true;
  }
  if (process.listenerCount(origin) > 1) return true;
  let settled = false;
  for (const { onUnattributed } of guards) {
    if (onUnattributed === null) continue;
    onUnattributed(error, origin);
    settled = true;
  }
  return settled;
}
