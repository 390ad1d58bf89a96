/** New scenarios, run by this runtime and by Erlang/OTP. */

import { generate } from './generate.ts';
import { failedTrace, runOnOtp } from './otp.ts';
import { replayAll } from './replay-all.ts';
import { compare, isEqual, report } from './verdict.ts';

export interface Outcome {
  /** What differs, the counts, and how to do the same again. */
  readonly text: string;
  readonly total: number;
  readonly allEqual: boolean;
}

/** `jitter` delays the processes on both sides. */
export async function compareFresh(seed: number, count: number, jitter: number): Promise<Outcome> {
  const scenarios = generate(seed, count);
  const [theirs, ours] = await Promise.all([runOnOtp(scenarios, jitter), replayAll(scenarios, jitter)]);
  const missing = failedTrace('no line for it');
  const results = scenarios.map((scenario) =>
    compare(scenario, theirs.get(scenario.id) ?? missing, ours.get(scenario.id) ?? missing),
  );
  const again = `npm run oracle -- --fresh ${count} --seed ${seed}${jitter === 0 ? '' : ` --jitter ${jitter}`}`;
  return { text: `${report(results)}\n${again}`, total: results.length, allEqual: results.every(isEqual) };
}
