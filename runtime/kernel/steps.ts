import { exitReasonOf } from './errors.ts';
import type { ExitReason } from './exit.ts';
import { isPromise, type MaybePromise } from './protocol.ts';

/**
 * Work in steps, each of which may be a promise: a generator that yields the promises it must wait for. It runs in one
 * go as long as there are none, so that callbacks that are not async cost no turn of the microtask queue.
 */
export type Steps<Result = unknown> = Generator<PromiseLike<unknown>, Result, unknown>;

/** How a callback went. */
export type Attempt = { readonly value: unknown } | { readonly failed: ExitReason };

/** Runs steps to their end. */
export function runSteps<Result>(steps: Steps<Result>): MaybePromise<Result> {
  return advance(steps, () => steps.next());
}

function advance<Result>(
  steps: Steps<Result>,
  move: () => IteratorResult<PromiseLike<unknown>, Result>,
): MaybePromise<Result> {
  const { done, value } = move();
  if (done === true) return value;
  // Only a promise of the language settles once and never throws from `then`.
  return Promise.resolve(value).then(
    (settled) => advance(steps, () => steps.next(settled)),
    (error) => advance(steps, () => steps.throw(error)),
  );
}

/** One callback of user code: what it throws or rejects with becomes a reason. */
export function* attempt(callback: () => unknown): Steps<Attempt> {
  try {
    const result = callback();
    return { value: isPromise(result) ? yield result : result };
  } catch (error) {
    return { failed: exitReasonOf(error) };
  }
}
