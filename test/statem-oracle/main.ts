/**
 * Records what the gen_statem of the Erlang/OTP on this machine does, or compares this runtime with it:
 *
 *     node .build/test/statem-oracle/main.js record FILE --seed S --count N
 *     node .build/test/statem-oracle/main.js compare --seed S --count N
 *
 * Exit code 0 if all is equal, 1 if something differs, 2 if the command is wrong or Erlang cannot be run.
 */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../support/repository.ts';
import { erlangTerm } from './erlang-terms.ts';
import { generate, scenarioOf } from './generate.ts';
import { replay } from './replay.ts';
import type { Recorded, Scenario, Trace } from './scenario.ts';

/** A recording keeps what shows something: at least so many callbacks. */
const tellingLength = 8;
/** Not all at once: mostly they wait for a time-out. */
const atOnce = '200';

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error}\n`);
  process.exitCode = 2;
}

async function main(): Promise<0 | 1> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { seed: { type: 'string', default: '1' }, count: { type: 'string', default: '100' } },
  });
  const [command, file] = positionals;
  const scenarios = generate(Number(values.seed), Number(values.count));
  if (command === 'compare') return compareAll(runInErlang(scenarios));
  if (command !== 'record' || file === undefined) throw new Error('say record FILE, or compare');
  const telling = runInErlang(scenarios).filter(({ trace }) => trace.log.length >= tellingLength);
  writeFileSync(file, telling.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return 0;
}

/** What Erlang does. Twice, since a busy machine may delay a time-out until after the next one. */
function runInErlang(all: readonly Scenario[]): Recorded[] {
  const folder = mkdtempSync(join(tmpdir(), 'beamish-statem-'));
  try {
    run('erlc', ['-o', folder, join(root, 'test/statem-oracle/statem_oracle.erl')]);
    const input = join(folder, 'scenarios.term');
    writeFileSync(input, all.map(erlangTerm).join('\n'));
    const [first, second] = [1, 2].map((time) => {
      const output = join(folder, `traces-${time}.jsonl`);
      run('erl', ['-noshell', '-pa', folder, '-run', 'statem_oracle', 'main', input, output, atOnce]);
      const lines = readFileSync(output, 'utf8').trim().split('\n');
      return new Map(
        lines.map((line) => JSON.parse(line) as { id: string; trace?: Trace }).map(({ id, trace }) => [id, trace]),
      );
    });
    return all.flatMap(({ id }) => {
      const trace = first?.get(id);
      const same = JSON.stringify(trace) === JSON.stringify(second?.get(id));
      return trace !== undefined && same ? [{ id, trace }] : [];
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function run(program: string, args: readonly string[]): void {
  execFileSync(program, args);
}

async function compareAll(recorded: readonly Recorded[]): Promise<0 | 1> {
  let equal = 0;
  for (const { id, trace } of recorded) {
    const scenario = scenarioOf(id);
    for (const mode of ['states', 'handleEvent'] as const) {
      const actual = await replay(scenario, { mode, jitter: 0 });
      if (JSON.stringify(actual) === JSON.stringify(trace)) equal++;
      else process.stdout.write(`${JSON.stringify({ scenario, mode, otp: trace, actual }, null, 1)}\n`);
    }
  }
  process.stdout.write(`statem: ${equal} equal of ${recorded.length * 2}\n`);
  return equal === recorded.length * 2 ? 0 : 1;
}
