/**
 * Replays scenarios and compares what happens with what was recorded from OTP:
 *
 *     node .build/test/oracle/main.js FILE [--jitter SEED] [--out FILE]
 *
 * One scenario a line: bare, or `{"scenario":…,"trace":…}`. Traces go to `--out`; those of bare scenarios without `--out`
 * are printed. Exit code 0 if every recorded trace is equal, 1 if one differs, 2 if the command or a line is wrong.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { replay } from './replay.ts';
import { readLine, type Scenario, type Trace } from './scenario.ts';
import { type Compared, compare, isEqual, report } from './verdict.ts';

interface Job {
  readonly scenario: Scenario;
  readonly expected: Trace | undefined;
}

const command = readCommand();
if (command === undefined) process.exitCode = 2;
else process.exitCode = await run(command);

function readCommand():
  | { readonly jobs: readonly Job[]; readonly jitter: number; readonly out: string | undefined }
  | undefined {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { jitter: { type: 'string', default: '0' }, out: { type: 'string' } },
    });
    const [file, ...more] = positionals;
    if (file === undefined || more.length > 0) throw new TypeError('name one file of scenarios');
    const jitter = Number(values.jitter);
    if (!Number.isSafeInteger(jitter) || jitter < 0) throw new TypeError('--jitter takes a whole number');
    return { jobs: readJobs(file), jitter, out: values.out };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}`);
    console.error('usage: main.js FILE [--jitter SEED] [--out FILE]');
    return undefined;
  }
}

function readJobs(file: string): Job[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.flatMap((line, index) => {
    if (line.trim() === '') return [];
    try {
      return [readLine(line)];
    } catch (error) {
      throw new TypeError(`${file}:${index + 1}: ${error instanceof Error ? error.message : error}`);
    }
  });
}

async function run({ jobs, jitter, out }: NonNullable<typeof command>): Promise<number> {
  const written: string[] = [];
  const results: Compared[] = [];
  for (const { scenario, expected } of jobs) {
    const trace = await tryReplay(scenario, jitter);
    if (out !== undefined || expected === undefined) written.push(JSON.stringify({ scenario, trace }));
    if (expected !== undefined) results.push(compare(scenario, expected, trace));
  }
  const text = written.map((line) => `${line}\n`).join('');
  if (out !== undefined) writeFileSync(out, text);
  else process.stdout.write(text);
  if (results.length > 0) console.log(report(results));
  return results.every(isEqual) ? 0 : 1;
}

/** A replay that fails is a trace that differs from every other. */
async function tryReplay(scenario: Scenario, jitter: number): Promise<Trace> {
  try {
    return await replay(scenario, jitter);
  } catch (error) {
    const res = `the replay failed: ${error instanceof Error ? error.stack : error}`;
    return { steps: [{ op: 'start', res }], final: {}, leaks: [] };
  }
}
