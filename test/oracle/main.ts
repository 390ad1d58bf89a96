/**
 * Replays scenarios and compares what happens with what happens in Erlang/OTP:
 *
 *     npm run oracle -- FILE [--otp] [--jitter SEED] [--out FILE]
 *     npm run oracle -- --generate SEED [--count N] [--otp] [--jitter SEED] [--out FILE]
 *     npm run oracle -- --fresh COUNT [--seed SEED] [--jitter SEED]
 *     npm run oracle -- --mutations
 *
 * Also: `--threads COUNT|isolated` runs ours on worker threads, `--sample N` takes that many of the scenarios.
 *
 * The first two take one scenario a line, bare or as `{"scenario":…,"trace":…}`, or that many generated ones, 24 unless
 * told. They are replayed here, with `--otp` in the Erlang/OTP of this machine. Traces go to `--out`; those of
 * scenarios without a recorded trace are printed if there is none. `--fresh` runs that many new ones on both sides and
 * compares. `--mutations` breaks the runtime on purpose, see `mutations.ts`.
 *
 * Exit code 0 if all traces are equal, 1 if one differs, 2 if the command or a line is wrong.
 */

import { randomInt } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { compareFresh } from './fresh.ts';
import { generate } from './generate.ts';
import { checkMutations } from './mutations.ts';
import { failedTrace, missingEngine, runOnOtp } from './otp.ts';
import type { Threads } from './places.ts';
import { replayAll } from './replay-all.ts';
import { readLine, type Scenario, type Trace } from './scenario.ts';
import { type Compared, compare, isEqual, report } from './verdict.ts';

interface Job {
  readonly scenario: Scenario;
  readonly expected: Trace | undefined;
}

type Command =
  | { readonly does: 'mutations' }
  | {
      readonly does: 'fresh';
      readonly count: number;
      readonly seed: number;
      readonly jitter: number;
      readonly threads: Threads | undefined;
    }
  | {
      readonly does: 'run';
      readonly jobs: readonly Job[];
      readonly otp: boolean;
      readonly threads: Threads | undefined;
      readonly jitter: number;
      readonly out: string | undefined;
    };

const usage = `usage: oracle FILE [--otp] [--threads COUNT|isolated] [--sample N] [--jitter SEED] [--out FILE]
       oracle --generate SEED [--count N] [--otp] [--threads COUNT|isolated] [--sample N] [--jitter SEED] [--out FILE]
       oracle --fresh COUNT [--seed SEED] [--threads COUNT|isolated] [--jitter SEED]
       oracle --mutations`;

const command = readCommand();
process.exitCode = command === undefined ? 2 : await run(command);

function readCommand(): Command | undefined {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        jitter: { type: 'string', default: '0' },
        out: { type: 'string' },
        otp: { type: 'boolean', default: false },
        generate: { type: 'string' },
        count: { type: 'string', default: '24' },
        fresh: { type: 'string' },
        seed: { type: 'string', default: String(randomInt(1_000_000)) },
        threads: { type: 'string' },
        sample: { type: 'string' },
        mutations: { type: 'boolean', default: false },
      },
    });
    const [file, ...more] = positionals;
    const ways = [file, values.generate, values.fresh, values.mutations ? '' : undefined];
    if (ways.filter((way) => way !== undefined).length !== 1 || more.length > 0) {
      throw new TypeError('name one file of scenarios, or --generate some, or --fresh ones, or --mutations');
    }
    if (values.mutations) return { does: 'mutations' };
    if (values.fresh !== undefined || values.otp) requireEngine();
    const jitter = whole('jitter', values.jitter);
    const threads = threadsOf(values.threads);
    if (values.fresh !== undefined) {
      return { does: 'fresh', count: whole('fresh', values.fresh), seed: whole('seed', values.seed), jitter, threads };
    }
    const jobs =
      file === undefined
        ? generate(whole('generate', values.generate), whole('count', values.count)).map(bare)
        : readJobs(file);
    const some = values.sample === undefined ? jobs : sampleOf(jobs, whole('sample', values.sample));
    return { does: 'run', jobs: some, otp: values.otp, threads, jitter, out: values.out };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n${usage}`);
    return undefined;
  }
}

function requireEngine(): void {
  const missing = missingEngine();
  if (missing !== undefined) throw new Error(missing);
}

function whole(option: string, text: string | undefined): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new TypeError(`--${option} takes a whole number, not '${text}'`);
  return value;
}

function threadsOf(text: string | undefined): Threads | undefined {
  if (text === undefined || text === 'isolated') return text;
  const count = Number(text);
  if (Number.isSafeInteger(count) && count > 0) return count;
  throw new TypeError(`--threads takes how many worker threads, from 1, or 'isolated', not '${text}'`);
}

/** That many, from all parts of the file. */
function sampleOf(jobs: readonly Job[], count: number): readonly Job[] {
  return jobs.filter(
    (_, index) => Math.floor(((index + 1) * count) / jobs.length) > Math.floor((index * count) / jobs.length),
  );
}

function bare(scenario: Scenario): Job {
  return { scenario, expected: undefined };
}

function readJobs(file: string): Job[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  const ids = new Set<string>();
  return lines.flatMap((line, index) => {
    if (line.trim() === '') return [];
    try {
      const job = readLine(line);
      if (ids.has(job.scenario.id)) throw new TypeError(`another scenario has the id ${job.scenario.id} as well`);
      ids.add(job.scenario.id);
      return [job];
    } catch (error) {
      throw new TypeError(`${file}:${index + 1}: ${error instanceof Error ? error.message : error}`);
    }
  });
}

async function run(todo: Command): Promise<number> {
  if (todo.does === 'mutations') return await checkMutations();
  if (todo.does === 'fresh') {
    const { text, allEqual } = await compareFresh(todo.seed, todo.count, todo.jitter, todo.threads);
    console.log(text);
    return allEqual ? 0 : 1;
  }
  const { jobs, otp, threads, jitter, out } = todo;
  const scenarios = jobs.map(({ scenario }) => scenario);
  const traces = otp ? await runOnOtp(scenarios, jitter) : await replayAll(scenarios, jitter, threads);
  const written: string[] = [];
  const results: Compared[] = [];
  for (const { scenario, expected } of jobs) {
    const trace = traces.get(scenario.id) ?? failedTrace('no line for it');
    if (out !== undefined || expected === undefined) written.push(JSON.stringify({ scenario, trace }));
    if (expected !== undefined) results.push(compare(scenario, expected, trace));
  }
  const text = written.map((line) => `${line}\n`).join('');
  if (out !== undefined) writeFileSync(out, text);
  else process.stdout.write(text);
  if (results.length > 0) console.log(report(results));
  return results.every(isEqual) ? 0 : 1;
}
