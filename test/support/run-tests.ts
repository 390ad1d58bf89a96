/**
 * Runs the built tests with node's own runner: all of them, or those whose path contains one of the arguments.
 *
 *     npm test                          everything
 *     npm test -- mailbox               every test file with 'mailbox' in its path
 *
 * The list comes from the sources, because `node --test` takes globs only from Node 21 on, and because the build
 * folder may still hold the tests of files that are gone.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { stripVTControlCharacters } from 'node:util';
import { builtPath, listPaths, root } from './repository.ts';

/** A test file that runs longer than this hangs: it is stopped and reported instead of stalling the run. */
const testTimeoutMs = 120_000;

const cores = availableParallelism();

const wanted = process.argv.slice(2);
const files = listPaths()
  .filter((path) => path.startsWith('test/') && path.endsWith('.test.ts'))
  .filter((path) => wanted.length === 0 || wanted.some((part) => path.includes(part)))
  .map(builtPath);

if (files.length === 0) {
  console.error(`no test file has ${wanted.map((part) => `'${part}'`).join(' or ')} in its path`);
  process.exit(1);
}

// The runner leaves one core idle by itself: of two, half.
const options = ['--test-reporter=spec', `--test-timeout=${testTimeoutMs}`, `--test-concurrency=${cores}`];
const child = spawn(process.execPath, ['--test', ...options, ...files], {
  cwd: root,
  stdio: ['inherit', 'pipe', 'inherit'],
  env: { ...process.env, FORCE_COLOR: colour() },
});
let output = '';
child.stdout.on('data', (chunk: Buffer) => {
  process.stdout.write(chunk);
  output += chunk.toString();
});
const [code] = (await once(child, 'close')) as [number | null];
// The runner lists what failed after its totals: say the totals again where they are seen.
if (code !== 0) console.log(`\n${totals(output)}`);
process.exitCode = code ?? 1;

/** The lines with the totals, which the runner prints once: `ℹ tests 12`. */
function totals(text: string): string {
  const plain = stripVTControlCharacters(text);
  const names = 'tests|suites|pass|fail|cancelled|skipped|todo|duration_ms';
  return [...plain.matchAll(new RegExp(`^\\S (?:${names}) [\\d.]+$`, 'gm'))].map((match) => match[0]).join('\n');
}

function colour(): string {
  return process.env['FORCE_COLOR'] ?? (process.stdout.isTTY ? '1' : '0');
}
