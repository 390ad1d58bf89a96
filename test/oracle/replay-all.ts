import { failedTrace } from './otp.ts';
import type { Threads } from './places.ts';
import type { Scenario, Trace } from './scenario.ts';
import { replay } from './simulated.ts';
import { Stage } from './stage.ts';
import { replayOn } from './threaded.ts';

/** Scenarios that run side by side on worker threads: they mostly wait for time to pass. */
const atOnce = 16;
/** Each of them starts a thread for every process. */
const isolatedAtOnce = 4;

/**
 * Replays scenarios here, one after the other; if there are to be `threads`, side by side on those. The traces, by the
 * ids of the scenarios.
 */
export async function replayAll(
  scenarios: readonly Scenario[],
  jitter: number,
  threads?: Threads,
): Promise<ReadonlyMap<string, Trace>> {
  if (threads !== undefined) return await replayOnThreads(scenarios, jitter, threads);
  const traces = new Map<string, Trace>();
  for (const scenario of scenarios) traces.set(scenario.id, await orFailed(replay(scenario, jitter)));
  return traces;
}

/** The processes of each scenario are on worker threads, in real time. */
async function replayOnThreads(
  scenarios: readonly Scenario[],
  jitter: number,
  threads: Threads,
): Promise<ReadonlyMap<string, Trace>> {
  const stage = await Stage.start(threads);
  const traces = new Map<string, Trace>();
  const left = scenarios.values();
  const replayer = async (): Promise<void> => {
    for (const scenario of left) traces.set(scenario.id, await orFailed(replayOn(stage, scenario, jitter)));
  };
  await Promise.all(Array.from({ length: threads === 'isolated' ? isolatedAtOnce : atOnce }, replayer));
  await stage.stop();
  return traces;
}

async function orFailed(replayed: Promise<Trace>): Promise<Trace> {
  try {
    return await replayed;
  } catch (error) {
    return failedTrace(String(error instanceof Error ? error.stack : error));
  }
}
