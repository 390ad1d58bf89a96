/**
 * Runs the official conformance suite against `everything-server.ts`, served by the built `beamish serve`, once per
 * revision. Fetches the suite and a Node.js that can run it (it needs 22 or later) on first use.
 *
 *     npm run conformance               both revisions
 *     npm run conformance -- 2026-07-28 one of them
 *
 * Exit code 1 when a scenario fails that `not-built.ts` does not list, or when a listed one passes.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cachedPackage, nodeBinary } from '../support/cached-package.ts';
import { serveModule } from '../support/served-module.ts';
import { notBuilt } from './not-built.ts';
import { type Check, judge, type Row, type ScenarioResult, summarised, table, total } from './verdict.ts';

const suiteVersion = '0.2.0-alpha.12';
const nodeVersion = '22.23.3';

const wanted = process.argv.slice(2);
const revisions = Object.keys(notBuilt).filter((revision) => wanted.length === 0 || wanted.includes(revision));
if (revisions.length === 0) {
  console.error(`no such revision: ${wanted.join(' ')}; there are ${Object.keys(notBuilt).join(', ')}`);
  process.exit(1);
}

const suite = join(cachedPackage('@modelcontextprotocol/conformance', suiteVersion), 'dist', 'index.js');
const node = nodeBinary(nodeVersion);
const everything = fileURLToPath(new URL('./everything-server.js', import.meta.url));

const all: Row[] = [];
for (const revision of revisions) {
  // A fresh server for each revision: what one run leaves behind must not help or hurt the other.
  const server = await serveModule(everything);
  let results: ScenarioResult[];
  let code: number | null;
  try {
    results = await runSuite(server.url, revision);
  } finally {
    code = await server.stop();
  }
  if (code !== 0) throw new Error(`beamish serve ended with ${code} when it was asked to stop`);
  const rows = judge(results, notBuilt[revision]!);
  console.log(`${table(revision, rows)}\n`);
  all.push(...rows);
}
console.log(total(all));
process.exit(all.some(({ verdict }) => verdict === 'FAIL') ? 1 : 0);

async function runSuite(url: string, revision: string): Promise<ScenarioResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'beamish-conformance-'));
  try {
    const options = ['server', '--url', url, '--requirements', revision, '--output-dir', folder];
    const output = await outputOf(node, [suite, ...options]);
    const scenarios = summarised(output);
    if (scenarios.length === 0) throw new Error(`the suite reported nothing:\n${output}`);
    return scenarios.map((scenario) => ({ scenario, checks: readChecks(folder, scenario) }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Everything a command prints. Its exit code says what its summary says in detail, so it is not looked at. */
async function outputOf(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const collect = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  await once(child, 'close');
  return output;
}

/** The checks of one scenario; none when it broke before it could write them, which the verdict counts as failed. */
function readChecks(folder: string, scenario: string): Check[] {
  const result = readdirSync(folder).find(
    (name) => name.replace(/-\d{4}-\d\d-\d\dT[\d-]+Z$/, '') === `server-${scenario}`,
  );
  const file = join(folder, result ?? '', 'checks.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Check[]) : [];
}
