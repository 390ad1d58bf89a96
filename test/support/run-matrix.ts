/**
 * Runs the built test suite on every supported Node.js version, one after the other.
 *
 *     npm run test:matrix               all versions
 *     npm run test:matrix -- 22 26      only these lines
 *     npm run test:matrix -- 24 thread  only test files with 'thread' in their path
 *
 * Prints the totals of each run, the whole output of a run that fails, and a table at the end.
 */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { nodeBinary } from './cached-package.ts';

/** One exact version per supported line, so that a run can be repeated. */
const versions = ['20.20.2', '22.23.3', '24.21.0', '26.10.0'];

const isLine = (word: string): boolean => /^\d+$/.test(word);
const wanted = process.argv.slice(2).filter(isLine);
const paths = process.argv.slice(2).filter((word) => !isLine(word));
const chosen = versions.filter((version) => wanted.length === 0 || wanted.includes(version.split('.')[0] ?? ''));
if (chosen.length === 0) {
  console.error(`no supported Node.js line among: ${wanted.join(' ')}; there are ${versions.join(', ')}`);
  process.exit(1);
}

const runner = fileURLToPath(new URL('./run-tests.js', import.meta.url));
const rows: string[] = [];
let failed = false;
for (const version of chosen) {
  const started = process.hrtime.bigint();
  const run = spawnSync(nodeBinary(version), [runner, ...paths], {
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    env: { ...process.env, FORCE_COLOR: '0' },
  });
  const output = `${run.stdout ?? ''}${run.stderr ?? ''}`;
  const seconds = Number((process.hrtime.bigint() - started) / 1_000_000_000n);
  const ok = run.status === 0;
  if (!ok) {
    failed = true;
    console.log(output);
    if (run.error) console.log(run.error.message);
  }
  const totals = ['tests', 'pass', 'fail', 'skipped'].map((name) => `${name} ${total(output, name)}`);
  rows.push(`node ${version}: ${ok ? 'ok' : 'FAILED'} (${totals.join(', ')}) in ${seconds} s`);
  console.log(rows.at(-1));
}
if (chosen.length > 1) console.log(`\nmatrix\n${rows.join('\n')}`);
process.exit(failed ? 1 : 0);

/** A number from the totals at the end of the runner's output. */
function total(output: string, name: string): string {
  return new RegExp(`^. ${name} (\\d+)$`, 'm').exec(output)?.[1] ?? '?';
}
