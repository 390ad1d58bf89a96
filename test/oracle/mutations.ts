/** Breaks the built runtime on purpose, one fault at a time: does the oracle see each? */

import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildFolder, readText, root } from '../support/repository.ts';
import { generate } from './generate.ts';
import { type Mutant, mutants } from './mutants.ts';
import { replayAll } from './replay-all.ts';
import { readLine } from './scenario.ts';

/** What the scenarios of the check are drawn with, besides those that are recorded. */
const seed = 1;
const count = 340;
/** A broken runtime may wait for ever. */
const limitMs = 30_000;
const noEnd = 'no end';

/** Prints a table; the number of the exit code: 1 if a fault is seen by nothing. */
export async function checkMutations(): Promise<number> {
  // Below the root: packages are found from there, and the folder is ignored as every build is.
  const folder = mkdtempSync(join(root, '.build-mutants-'));
  try {
    for (const part of ['runtime', 'test']) cpSync(join(buildFolder, part), join(folder, part), { recursive: true });
    const traces = join(folder, 'traces.jsonl');
    writeFileSync(traces, await reference());
    const sound = differing(folder, traces);
    if (sound.length > 0) throw new Error(`without a fault ${sound.length} differ: ${sound.join(', ')}`);
    for (const { test } of mutants) {
      if (test !== undefined && fails(folder, test)) throw new Error(`without a fault this fails: ${test.name}`);
    }
    const rows = mutants.map((mutant) => withFault(folder, mutant, () => seenBy(folder, traces, mutant)));
    console.log(table(rows));
    const unseen = rows.filter(({ seen }) => !seen).length;
    console.log(`mutations: ${rows.length - unseen} seen of ${rows.length}`);
    return unseen === 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Traces of OTP, and those of the runtime as it is: `--fresh` shows that they are OTP's. */
async function reference(): Promise<string> {
  const recorded = readText('test/oracle/recorded.jsonl').trimEnd().split('\n');
  const known = new Set(recorded.map((line) => readLine(line).scenario.id));
  const scenarios = generate(seed, count).filter(({ id }) => !known.has(id));
  const traces = await replayAll(scenarios, 0);
  const lines = scenarios.map((scenario) => JSON.stringify({ scenario, trace: traces.get(scenario.id) }));
  return `${[...recorded, ...lines].join('\n')}\n`;
}

interface Row {
  readonly fault: string;
  readonly seen: boolean;
  readonly by: string;
}

function seenBy(folder: string, traces: string, { fault, test }: Mutant): Row {
  const scenarios = differing(folder, traces);
  if (scenarios.length > 0) return { fault, seen: true, by: summary(scenarios) };
  if (test === undefined) return { fault, seen: false, by: 'NOTHING' };
  const seen = fails(folder, test);
  return { fault, seen, by: seen ? `test/runtime/${test.file}.test.ts: ${test.name}` : `NOTHING, not ${test.name}` };
}

/** How many of each class. */
function summary(scenarios: readonly string[]): string {
  if (scenarios[0] === noEnd) return `all: no end within ${limitMs / 1_000} s`;
  const classes = new Map<string, number>();
  for (const each of scenarios) {
    const name = each.replace(/^.*\(|\)$/g, '');
    classes.set(name, (classes.get(name) ?? 0) + 1);
  }
  const most = [...classes].sort(([, a], [, b]) => b - a).map(([name, number]) => `${name} ${number}`);
  return `${scenarios.length} scenarios: ${most.slice(0, 5).join(', ')}${most.length > 5 ? ' …' : ''}`;
}

/** Undoes the fault afterwards. */
function withFault<T>(folder: string, mutant: Mutant, check: () => T): T {
  const file = join(folder, mutant.file);
  const sound = readFileSync(file, 'utf8');
  writeFileSync(file, mutated(sound, mutant));
  try {
    return check();
  } finally {
    writeFileSync(file, sound);
  }
}

/** The text with the fault. Throws if the place for it is gone, or not the only one. */
export function mutated(text: string, { fault, file, from, to }: Mutant): string {
  const places = text.split(from).length - 1;
  if (places !== 1) throw new Error(`"${fault}": ${file} has ${places} times, not once:\n${from}`);
  return text.replace(from, () => to);
}

/** The scenarios whose trace is another one, as `id (class)`. */
function differing(folder: string, traces: string): string[] {
  const main = join(folder, 'test/oracle/main.js');
  const { stdout, stderr, status, signal } = spawnSync(process.execPath, [main, traces], {
    encoding: 'utf8',
    timeout: limitMs,
    maxBuffer: Number.POSITIVE_INFINITY,
  });
  if (signal !== null) return [noEnd];
  const found = [...stdout.matchAll(/^(\S+ \(\w+\)) differs at /gm)].map(([, scenario]) => scenario as string);
  if (status !== (found.length === 0 ? 0 : 1)) throw new Error(`the replay ended with ${status}: ${stderr}`);
  return found;
}

function fails(folder: string, { file, name }: NonNullable<Mutant['test']>): boolean {
  const path = join(folder, 'test', 'runtime', `${file}.test.js`);
  const { stdout } = spawnSync(process.execPath, ['--test', '--test-reporter=tap', path], {
    encoding: 'utf8',
    timeout: limitMs,
  });
  const results = stdout.split('\n').map((line) => line.replace(/^((?:not )?ok) \d+ - /, '$1 '));
  if (!results.some((line) => line === `ok ${name}` || line === `not ok ${name}`)) {
    throw new Error(`test/runtime/${file}.test.ts has no test named: ${name}`);
  }
  return results.includes(`not ok ${name}`);
}

function table(rows: readonly Row[]): string {
  const width = Math.max(...rows.map(({ fault }) => fault.length));
  return rows.map(({ fault, by }) => `${fault.padEnd(width)}  ${by}`).join('\n');
}
