/** Pure: what the suite reported, held against the list of what is not built. */

import type { NotBuilt } from './not-built.ts';

/** One check of a scenario, as the suite writes it to checks.json. */
export interface Check {
  readonly id: string;
  readonly name: string;
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO';
  readonly errorMessage?: string;
}

export interface ScenarioResult {
  readonly scenario: string;
  readonly checks: readonly Check[];
}

export interface Row {
  readonly scenario: string;
  readonly passed: number;
  readonly failed: number;
  /** Checks the suite left out, because the server does not claim the feature. */
  readonly skipped: number;
  readonly verdict: 'pass' | 'FAIL' | 'not built';
  /** Why it fails, what is missing, or what the suite warns of. */
  readonly reasons: readonly string[];
}

/** The scenarios that the suite's summary names: `✓ ping: 2 passed, 0 failed`. */
export function summarised(output: string): string[] {
  return [...output.matchAll(/^\S (\S+): \d+ passed, \d+ failed/gm)].map((match) => match[1]!);
}

/** One row per scenario that ran, and one per listed scenario that did not. */
export function judge(results: readonly ScenarioResult[], notBuilt: Readonly<Record<string, NotBuilt>>): Row[] {
  const ran = new Set(results.map(({ scenario }) => scenario));
  const stale = Object.keys(notBuilt).filter((scenario) => !ran.has(scenario));
  return [
    ...results.map((result) => judgeOne(result, listed(notBuilt, result.scenario))),
    ...stale.map((scenario): Row => {
      const reason = 'is listed in not-built.ts, but the suite has no such scenario: delete it from the list';
      return { scenario, passed: 0, failed: 0, skipped: 0, verdict: 'FAIL', reasons: [reason] };
    }),
  ];
}

function listed(notBuilt: Readonly<Record<string, NotBuilt>>, scenario: string): NotBuilt | undefined {
  return Object.hasOwn(notBuilt, scenario) ? notBuilt[scenario] : undefined;
}

function judgeOne({ scenario, checks }: ScenarioResult, gap: NotBuilt | undefined): Row {
  const having = (status: Check['status']): Check[] => checks.filter((check) => check.status === status);
  const passed = having('SUCCESS').length;
  const failures = having('FAILURE');
  const row = { scenario, passed, failed: failures.length, skipped: having('SKIPPED').length };
  if (gap !== undefined) {
    const proves = passed > 0 && failures.length === 0 && !gap.passesWithoutIt;
    if (!proves) return { ...row, verdict: 'not built', reasons: [gap.needs] };
    return { ...row, verdict: 'FAIL', reasons: ['passes although not-built.ts lists it: delete it from the list'] };
  }
  if (failures.length > 0) return { ...row, verdict: 'FAIL', reasons: failures.map(described) };
  if (passed === 0) return { ...row, verdict: 'FAIL', reasons: ['the suite checked nothing'] };
  return { ...row, verdict: 'pass', reasons: having('WARNING').map((check) => `warning: ${described(check)}`) };
}

function described({ name, id, errorMessage, status }: Check): string {
  return `${name} (${id}): ${errorMessage ?? status}`;
}

/** The table of one revision, for people. */
export function table(revision: string, rows: readonly Row[]): string {
  const width = Math.max(...rows.map(({ scenario }) => scenario.length));
  const lines = rows.map(({ scenario, passed, failed, skipped, verdict, reasons }) => {
    const [passes, fails, skips] = [passed, failed, skipped].map((count) => String(count).padStart(3));
    const counts = `${passes} passed ${fails} failed ${skips} skipped`;
    const why = verdict === 'not built' ? `  needs ${reasons[0]}` : '';
    const details = verdict === 'not built' ? '' : reasons.map((reason) => `\n      ${short(reason)}`).join('');
    return `  ${scenario.padEnd(width)}  ${counts}  ${verdict}${why}${details}`;
  });
  return [`MCP ${revision}`, ...lines].join('\n');
}

/** The suite quotes whole messages; their beginning says what is wrong. */
function short(reason: string): string {
  const line = reason.replace(/\s+/g, ' ');
  return line.length <= 300 ? line : `${line.slice(0, 299)}…`;
}

/** The last line: counts of scenarios over all revisions. */
export function total(rows: readonly Row[]): string {
  const count = (verdict: Row['verdict']): number => rows.filter((row) => row.verdict === verdict).length;
  return `conformance: ${count('pass')} passed, ${count('FAIL')} failed, ${count('not built')} not built`;
}
