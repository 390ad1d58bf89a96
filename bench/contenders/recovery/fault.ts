/** What ends a thread, each noting when it begins to go wrong. */

export type Fault = 'throw' | 'exit' | 'oom' | 'loop';

/** Megabytes that a thread may use. */
export const resourceLimits = { maxOldGenerationSizeMb: 48, maxYoungGenerationSizeMb: 8 };

/** `moment`: one word, nanoseconds of the clock that all threads have. */
export function run(fault: Fault, moment: BigInt64Array): void {
  if (fault === 'throw') {
    setTimeout(() => {
      moment[0] = process.hrtime.bigint();
      throw new Error('thrown in a timer');
    }, 0);
    return;
  }
  moment[0] = process.hrtime.bigint();
  if (fault === 'exit') process.exit(3);
  for (const kept: unknown[] = []; ; ) if (fault === 'oom') kept.push(new Array(1_000).fill(kept.length));
}
