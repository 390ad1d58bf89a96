import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { builtPath } from './repository.ts';

interface Report {
  readonly workloads: readonly {
    readonly workload: string;
    readonly results: readonly { readonly operation: string; readonly contender: string; readonly values: number[] }[];
  }[];
}

/** Runs the command of `npm run bench`. */
export function bench(...args: readonly string[]): { readonly status: number | null; readonly text: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [builtPath('bench/run.ts'), ...args], {
    encoding: 'utf8',
  });
  return { status, text: stdout + stderr };
}

/** One round of a hundredth of the work, ours only. */
export function measured(
  workload: string,
  contenders = 'ours',
  ...more: readonly string[]
): Map<string, readonly number[]> {
  const folder = mkdtempSync(join(tmpdir(), 'beamish-bench-'));
  try {
    const file = join(folder, 'report.json');
    const args = ['--rounds', '1', '--scale', '0.01', '--contenders', contenders, '--json', file];
    const { status, text } = bench(workload, ...args, ...more);
    assert.equal(status, 0, text);
    const { workloads } = JSON.parse(readFileSync(file, 'utf8')) as Report;
    assert.deepEqual(
      workloads.map((each) => each.workload),
      [workload],
    );
    const rows = workloads[0]?.results ?? [];
    return new Map(rows.map(({ operation, contender, values }) => [`${operation}: ${contender}`, values]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
