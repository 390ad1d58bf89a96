/** Compares traces with what OTP did, and says where they part. */

import { isDeepStrictEqual } from 'node:util';
import type { Scenario, Step, Trace } from './scenario.ts';

export interface Compared {
  readonly scenario: Scenario;
  /** Undefined if the traces are equal. */
  readonly difference: Difference | undefined;
}

/** The first place at which two traces differ. */
export interface Difference {
  /** Such as `step 3, {"op":"kill",…}`. */
  readonly where: string;
  readonly expected: unknown;
  readonly actual: unknown;
}

export function compare(scenario: Scenario, expected: Trace, actual: Trace): Compared {
  return { scenario, difference: firstDifference(scenario, expected, actual) };
}

function firstDifference({ actions }: Scenario, expected: Trace, actual: Trace): Difference | undefined {
  const length = Math.max(expected.steps.length, actual.steps.length);
  for (let index = 0; index < length; index++) {
    const [want, have] = [expected.steps[index], actual.steps[index]];
    if (isDeepStrictEqual(want, have)) continue;
    const what = index === 0 ? 'start' : JSON.stringify(actions[index - 1] ?? 'stop_root');
    return { where: `step ${index}, ${what}`, ...onlyDifferent(want, have) };
  }
  for (const part of ['final', 'leaks'] as const) {
    if (!isDeepStrictEqual(expected[part], actual[part])) {
      return { where: part, expected: expected[part], actual: actual[part] };
    }
  }
  return undefined;
}

/** Leaves out of two steps the lanes that are equal. */
function onlyDifferent(want: Step | undefined, have: Step | undefined): { expected: unknown; actual: unknown } {
  if (want === undefined || have === undefined) return { expected: want, actual: have };
  const names = new Set([...Object.keys(want.lanes ?? {}), ...Object.keys(have.lanes ?? {})]);
  const pick = (step: Step): object => {
    const lanes = [...names]
      .filter((name) => !isDeepStrictEqual(want.lanes?.[name], have.lanes?.[name]))
      .map((name) => [name, step.lanes?.[name]]);
    return { res: step.res, lanes: Object.fromEntries(lanes) };
  };
  return { expected: pick(want), actual: pick(have) };
}

/** The report: what differs, then a line per class, then the total. */
export function report(results: readonly Compared[]): string {
  const lines: string[] = [];
  const classes = new Map<string, { equal: number; total: number }>();
  for (const { scenario, difference } of results) {
    const row = classes.get(scenario.class) ?? { equal: 0, total: 0 };
    classes.set(scenario.class, row);
    row.total++;
    if (difference === undefined) {
      row.equal++;
      continue;
    }
    lines.push(`${scenario.id} (${scenario.class}) differs at ${difference.where}`);
    lines.push(`  expected ${JSON.stringify(difference.expected)}`, `  actual   ${JSON.stringify(difference.actual)}`);
  }
  for (const [name, { equal, total }] of classes) lines.push(`${name}: ${equal}/${total}`);
  lines.push(`oracle: ${results.filter(isEqual).length} equal of ${results.length}`);
  return lines.join('\n');
}

export function isEqual({ difference }: Compared): boolean {
  return difference === undefined;
}
