/** When a tree is at rest: found out by asking its processes, as any user could. */

import { CallError, type Pid, type System, whichChildren } from '../../runtime/index.ts';
import { type SimulatedClock, settle } from '../../runtime/testing.ts';
import type { Recorder } from './recorder.ts';
import type { WorkerProtocol } from './worker.ts';

export const tickMs = 10;
/** No action takes this long, or needs so many looks at the tree: what has not come to rest by then never will. */
const answerLimitMs = 60_000;
const looksMax = 1_000;
/** So often all that can run has had its turn, and no timer waited. */
const quietTurns = 10;

interface Observed {
  readonly system: System;
  readonly clock: SimulatedClock;
  readonly recorder: Recorder;
}

/**
 * Waits until nothing happens any more: every process answers, no supervisor has something left to do, no timer waits,
 * and nothing was recorded since the last look.
 */
export async function untilAtRest(observed: Observed): Promise<void> {
  const { recorder, clock } = observed;
  for (let looks = 0; looks < looksMax; looks++) {
    const before = recorder.seen;
    const calm = await untilSettled(clock, everybodyIsCalm(observed));
    if (calm && recorder.seen === before && clock.pending === 0) return;
  }
  throw new Error(`after ${looksMax} looks the tree is not at rest`);
}

/** Moves time on until the promise has settled and no timer waits. */
export async function untilSettled<T>(clock: SimulatedClock, promise: Promise<T>): Promise<T> {
  let settled = false;
  const done = (): void => {
    settled = true;
  };
  promise.then(done, done);
  const limit = clock.now() + answerLimitMs;
  await settle();
  while (!settled || clock.pending > 0) {
    if (clock.now() >= limit) throw new Error(`no answer within ${answerLimitMs} ms`);
    await clock.advance(tickMs);
  }
  return promise;
}

/** Waits until nothing moves any more or `enough` is true, without asking anybody: a supervisor may be blocked. */
export async function untilQuiet(clock: SimulatedClock, enough: () => boolean): Promise<void> {
  for (let turns = 0; turns < quietTurns && !enough(); turns++) await untilSettled(clock, Promise.resolve());
}

/** Asks every living process. One that is busy answers late; one that ends meanwhile does not answer at all. */
async function everybodyIsCalm({ system, recorder }: Observed): Promise<boolean> {
  recorder.place();
  const living = [...recorder.instances].filter(([pid]) => system.isAlive(pid));
  const answers = living.map(async ([pid, { type }]) => {
    if (type === 'supervisor') return isCalm(system, pid);
    await system.call<WorkerProtocol, 'ping'>(pid, 'ping', undefined, { timeoutMs: 'infinity' });
    return true;
  });
  try {
    return (await Promise.all(answers)).every((calm) => calm);
  } catch (error) {
    if (error instanceof CallError) return false;
    throw error;
  }
}

/** A supervisor that lists a dead child has not read its exit signal yet. */
async function isCalm(system: System, supervisor: Pid): Promise<boolean> {
  const rows = await whichChildren(system, supervisor);
  return rows.every(({ pid }) => pid === undefined || (pid !== 'restarting' && system.isAlive(pid)));
}
