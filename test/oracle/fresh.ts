/** New scenarios, run by this runtime and by Erlang/OTP. */

import { generate } from './generate.ts';
import { failedTrace, runOnOtp } from './otp.ts';
import type { Threads } from './places.ts';
import { replayAll } from './replay-all.ts';
import { compare, isEqual, report } from './verdict.ts';

export interface Outcome {
  /** What differs, the counts, and how to do the same again. */
  readonly text: string;
  readonly total: number;
  readonly allEqual: boolean;
}

/** `jitter` delays the processes on both sides. `threads`: ours are on worker threads, and start when OTP is done. */
export async function compareFresh(seed: number, count: number, jitter: number, threads?: Threads): Promise<Outcome> {
  const scenarios = generate(seed, count);
  // In real time both at once would be in each other's way.
  const otp = runOnOtp(scenarios, jitter);
  if (threads !== undefined) await otp;
  const [theirs, ours] = await Promise.all([otp, replayAll(scenarios, jitter, threads)]);
  const missing = failedTrace('no line for it');
  const results = scenarios.map((scenario) =>
    compare(scenario, theirs.get(scenario.id) ?? missing, ours.get(scenario.id) ?? missing),
  );
  const options = `${jitter === 0 ? '' : ` --jitter ${jitter}`}${threads === undefined ? '' : ` --threads ${threads}`}`;
  const again = `npm run oracle -- --fresh ${count} --seed ${seed}${options}`;
  return { text: `${report(results)}\n${again}`, total: results.length, allEqual: results.every(isEqual) };
}
