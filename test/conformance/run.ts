/**
 * Runs the official conformance suite, once per revision: against `everything-server.ts`, served by the built `beamish
 * serve`, and with `everything-client.ts` against the suite's own servers. Fetches the suite and a Node.js that can run
 * it (it needs 22 or later) on first use.
 *
 *     npm run conformance                      both revisions, both sides
 *     npm run conformance -- 2026-07-28 client one of them, one side
 *
 * Exit code 1 when a scenario fails that `not-built.ts` or `not-built-client.ts` does not list, or when a listed one
 * passes.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cachedPackage, nodeBinary } from '../support/cached-package.ts';
import { serveModule } from '../support/served-module.ts';
import { notBuilt } from './not-built.ts';
import { notBuiltClient } from './not-built-client.ts';
import { type Check, judge, type Row, type ScenarioResult, summarised, table, total } from './verdict.ts';

const suiteVersion = '0.2.0-alpha.12';
const nodeVersion = '22.23.3';

type Side = 'server' | 'client';

const lists: Readonly<Record<Side, typeof notBuilt>> = { server: notBuilt, client: notBuiltClient };
const wanted = process.argv.slice(2);
const sides = chosen(['server', 'client'] as const);
const revisions = chosen(Object.keys(notBuilt));
const known: readonly string[] = [...Object.keys(lists), ...Object.keys(notBuilt)];
const unknown = wanted.find((word) => !known.includes(word));
if (unknown !== undefined) {
  console.error(`no such revision or side: ${unknown}; there are ${known.join(', ')}`);
  process.exit(1);
}

const suite = join(cachedPackage('@modelcontextprotocol/conformance', suiteVersion), 'dist', 'index.js');
const node = nodeBinary(nodeVersion);
const everythingServer = fileURLToPath(new URL('./everything-server.js', import.meta.url));
const everythingClient = fileURLToPath(new URL('./everything-client.js', import.meta.url));

const all: Row[] = [];
for (const revision of revisions) {
  for (const side of sides) {
    const results = side === 'server' ? await checkServer(revision) : await checkClient(revision);
    const rows = judge(results, lists[side][revision]!);
    console.log(`${table(`${revision}, ${side}`, rows)}\n`);
    all.push(...rows);
  }
}
console.log(total(all));
process.exit(all.some(({ verdict }) => verdict === 'FAIL') ? 1 : 0);

/** Those that were asked for; all if none was. */
function chosen<Word extends string>(words: readonly Word[]): readonly Word[] {
  const named = words.filter((word) => wanted.includes(word));
  return named.length === 0 ? words : named;
}

async function checkServer(revision: string): Promise<ScenarioResult[]> {
  // A fresh server for each revision: what one run leaves behind must not help or hurt the other.
  const server = await serveModule(everythingServer);
  let results: ScenarioResult[];
  let code: number | null;
  try {
    results = await runSuite(['server', '--url', server.url], revision, 'server-');
  } finally {
    code = await server.stop();
  }
  if (code !== 0) throw new Error(`beamish serve ended with ${code} when it was asked to stop`);
  return results;
}

/** The suite starts the client anew for each scenario. */
function checkClient(revision: string): Promise<ScenarioResult[]> {
  const command = `"${process.execPath}" "${everythingClient}"`;
  return runSuite(['client', '--command', command], revision, '');
}

async function runSuite(what: readonly string[], revision: string, prefix: string): Promise<ScenarioResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'beamish-conformance-'));
  try {
    const output = await outputOf(node, [suite, ...what, '--requirements', revision, '--output-dir', folder]);
    const scenarios = summarised(output);
    if (scenarios.length === 0) throw new Error(`the suite reported nothing:\n${output}`);
    return scenarios.map((scenario) => ({
      scenario,
      checks: readChecks(join(folder, dirname(prefix + scenario)), basename(prefix + scenario)),
    }));
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
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const result = names.find((name) => name.replace(/-\d{4}-\d\d-\d\dT[\d-]+Z$/, '') === scenario);
  const file = join(folder, result ?? '', 'checks.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Check[]) : [];
}
