import { failedTrace } from './otp.ts';
import { replay } from './replay.ts';
import type { Scenario, Trace } from './scenario.ts';

/** Replays scenarios here, one after the other. The traces, by the ids of the scenarios. */
export async function replayAll(scenarios: readonly Scenario[], jitter: number): Promise<ReadonlyMap<string, Trace>> {
  const traces = new Map<string, Trace>();
  for (const scenario of scenarios) traces.set(scenario.id, await tryReplay(scenario, jitter));
  return traces;
}

async function tryReplay(scenario: Scenario, jitter: number): Promise<Trace> {
  try {
    return await replay(scenario, jitter);
  } catch (error) {
    return failedTrace(String(error instanceof Error ? error.stack : error));
  }
}
