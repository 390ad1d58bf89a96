/**
 * Runs the official conformance suite, once per revision: against `everything-server.ts`, served by the built `beamish
 * serve`, and with `everything-client.ts` against the suite's own servers. Fetches the suite and a Node.js that can run
 * it (it needs 22 or later) on first use.
 *
 *     npm run conformance                      both revisions, both sides
 *     npm run conformance -- 2026-07-28 client one of them, one side
 *     npm run conformance -- --older           the active scenarios of the older suite, which is the one at `latest`
 *     npm run conformance -- --chaos 7         scenarios drawn by seed 7 against a node of which a process is killed
 *                                              between each two; --seeds 20: from that seed on so many; --sample 12:
 *                                              so many scenarios of each revision
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
import { parseArgs } from 'node:util';
import { cachedPackage, nodeBinary } from '../support/cached-package.ts';
import { serveModule } from '../support/served-module.ts';
import { ChaosNode } from './chaos.ts';
import { notBuilt } from './not-built.ts';
import { notBuiltClient } from './not-built-client.ts';
import { type Check, judge, type Row, type ScenarioResult, summarised, table, total } from './verdict.ts';

const suiteVersion = '0.2.0-alpha.12';
const olderVersion = '0.1.16';
const nodeVersion = '22.23.3';

type Side = 'server' | 'client';

const lists: Readonly<Record<Side, typeof notBuilt>> = { server: notBuilt, client: notBuiltClient };
const { values: options, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: {
    chaos: { type: 'string' },
    seeds: { type: 'string', default: '1' },
    sample: { type: 'string', default: '12' },
    older: { type: 'boolean', default: false },
  },
});
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
if (options.chaos !== undefined) all.push(...(await underChaos(Number(options.chaos), Number(options.seeds))));
else if (options.older) all.push(...(await checkOlder()));
else
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
    results = await runSuite(['server', '--url', server.url, '--requirements', revision], 'server-');
  } finally {
    code = await server.stop();
  }
  if (code !== 0) throw new Error(`beamish serve ended with ${code} when it was asked to stop`);
  return results;
}

/** The active scenarios of the older suite know nothing of revisions. */
async function checkOlder(): Promise<Row[]> {
  const older = join(cachedPackage('@modelcontextprotocol/conformance', olderVersion), 'dist', 'index.js');
  const server = await serveModule(everythingServer);
  try {
    const results = await runSuite(['server', '--url', server.url, '--suite', 'active'], 'server-', older);
    const rows = judge(results, {});
    console.log(`${table(`active scenarios of ${olderVersion}`, rows)}\n`);
    return rows;
  } finally {
    await server.stop();
  }
}

/** Scenarios one by one, each after something was killed. */
async function underChaos(first: number, seeds: number): Promise<Row[]> {
  const found: Row[] = [];
  for (let seed = first; seed < first + seeds; seed++) {
    const chaos = await ChaosNode.start(seed);
    console.log(`--- seed ${seed}`);
    try {
      for (const revision of revisions) {
        for (const scenario of chaos.draw(await scenariosOf(revision), Number(options.sample))) {
          const killed = await chaos.strike();
          const what = ['server', '--url', chaos.url, '--scenario', scenario, '--spec-version', revision, '--force'];
          const rows = judge(await runSuite(what, 'server-'), notBuiltOnly(scenario, revision));
          await chaos.outlived();
          for (const { verdict, passed, reasons } of rows) {
            const why = verdict === 'FAIL' ? `: ${reasons.join('; ')}` : '';
            console.log(`${verdict} ${revision} ${scenario} (${passed}) after ${killed}${why}`);
          }
          found.push(...rows);
        }
      }
    } finally {
      await chaos.stop();
    }
  }
  return found;
}

/** What the list of what is not built says of one scenario. */
function notBuiltOnly(scenario: string, revision: string): (typeof notBuilt)[string] {
  const gap = notBuilt[revision]?.[scenario];
  return gap === undefined ? {} : { [scenario]: gap };
}

/** The server scenarios of a revision, those that are not scored too. */
async function scenariosOf(revision: string): Promise<string[]> {
  const listed = await outputOf(node, [suite, 'list', '--server', '--requirements', revision]);
  const [required = '', rest = ''] = listed.split(/^Client scenarios/m);
  const own = [...required.matchAll(/^ {2}- (\S+)$/gm)];
  const others = [...rest.matchAll(/^ {4}- (\S+) \[server\]$/gm)];
  return [...own, ...others].map((match) => match[1]!);
}

/** The suite starts the client anew for each scenario. */
function checkClient(revision: string): Promise<ScenarioResult[]> {
  const command = `"${process.execPath}" "${everythingClient}"`;
  return runSuite(['client', '--command', command, '--requirements', revision], '');
}

async function runSuite(what: readonly string[], prefix: string, by: string = suite): Promise<ScenarioResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'beamish-conformance-'));
  try {
    const output = await outputOf(node, [by, ...what, '--output-dir', folder]);
    const scenarios = named(output, what);
    if (scenarios.length === 0) throw new Error(`the suite reported nothing:\n${output}`);
    return scenarios.map((scenario) => ({
      scenario,
      checks: readChecks(join(folder, dirname(prefix + scenario)), basename(prefix + scenario)),
    }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What the summary names; of a run of one scenario there is none. */
function named(output: string, what: readonly string[]): string[] {
  const alone = what.indexOf('--scenario');
  return alone === -1 ? summarised(output) : [what[alone + 1]!];
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
