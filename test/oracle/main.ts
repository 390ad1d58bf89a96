/**
 * Replays scenarios and compares what happens with what was recorded from OTP:
 *
 *     node .build/test/oracle/main.js FILE [--jitter SEED] [--out FILE]
 *     node .build/test/oracle/main.js --generate SEED [--count N] [--out FILE]
 *
 * One scenario a line: bare, or `{"scenario":…,"trace":…}`; or that many generated ones, 24 unless told. Traces go to
 * `--out`; those of scenarios without a recorded trace are printed if there is none. Exit code 0 if every recorded
 * trace is equal, 1 if one differs, 2 if the command or a line is wrong.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { generate } from './generate.ts';
import { replay } from './replay.ts';
import { readLine, type Scenario, type Trace } from './scenario.ts';
import { type Compared, compare, isEqual, report } from './verdict.ts';

interface Job {
  readonly scenario: Scenario;
  readonly expected: Trace | undefined;
}

interface Command {
  readonly jobs: readonly Job[];
  readonly jitter: number;
  readonly out: string | undefined;
}

const command = readCommand();
if (command === undefined) process.exitCode = 2;
else process.exitCode = await run(command);

function readCommand(): Command | undefined {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        jitter: { type: 'string', default: '0' },
        out: { type: 'string' },
        generate: { type: 'string' },
        count: { type: 'string', default: '24' },
      },
    });
    const [file, ...more] = positionals;
    if ((file === undefined) === (values.generate === undefined) || more.length > 0) {
      throw new TypeError('name one file of scenarios, or --generate some');
    }
    const jobs =
      file === undefined
        ? generate(whole('generate', values.generate), whole('count', values.count)).map(bare)
        : readJobs(file);
    return { jobs, jitter: whole('jitter', values.jitter), out: values.out };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}`);
    console.error('usage: main.js FILE | --generate SEED [--count N]  [--jitter SEED] [--out FILE]');
    return undefined;
  }
}

function whole(option: string, text: string | undefined): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new TypeError(`--${option} takes a whole number, not '${text}'`);
  return value;
}

function bare(scenario: Scenario): Job {
  return { scenario, expected: undefined };
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

async function run({ jobs, jitter, out }: Command): Promise<number> {
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
