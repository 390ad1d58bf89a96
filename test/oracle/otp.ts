/** Runs scenarios on a real Erlang/OTP, with the program in `otp/`. */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../support/repository.ts';
import { erlangTerm } from './erlang-terms.ts';
import type { Scenario, Trace } from './scenario.ts';

/** Scenarios that run side by side in one node: they mostly wait. More would make what takes no time take some. */
const atOnce = 40;
const sources = join(root, 'test', 'oracle', 'otp');

/** Undefined if `erl` and `erlc` can be run, else what is missing. */
export function missingEngine(): string | undefined {
  const missing = ['erlc', 'erl'].filter((program) => spawnSync(program, ['-version']).error !== undefined);
  return missing.length === 0 ? undefined : `${missing.join(' and ')} of Erlang/OTP 25 or later: not found`;
}

/** The traces, by the ids of their scenarios. `jitter` 0: no delays; other numbers make some. */
export async function runOnOtp(scenarios: readonly Scenario[], jitter: number): Promise<ReadonlyMap<string, Trace>> {
  const folder = mkdtempSync(join(tmpdir(), 'beamish-otp-'));
  try {
    const files = readdirSync(sources).filter((file) => file.endsWith('.erl'));
    await run('erlc', ['-Werror', '-o', folder, ...files.map((file) => join(sources, file))]);
    const [input, output] = [join(folder, 'scenarios'), join(folder, 'traces')];
    writeFileSync(input, scenarios.map((scenario) => `${erlangTerm(scenario)}.\n`).join(''));
    const main = ['-run', 'oracle_main', 'main', input, output, String(atOnce), String(jitter)];
    await run('erl', ['-noinput', '+sbwt', 'none', '-pa', folder, ...main]);
    return readTraces(readFileSync(output, 'utf8'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function run(program: string, args: readonly string[]): Promise<void> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${said}`);
}

function readTraces(text: string): ReadonlyMap<string, Trace> {
  const lines = text.split('\n').filter((line) => line !== '');
  return new Map(
    lines.map((line): [string, Trace] => {
      const { id, trace, failed } = JSON.parse(line) as { id: string; trace?: Trace; failed?: string };
      return [id, trace ?? failedTrace(failed ?? 'no trace')];
    }),
  );
}

/** A run that fails is a trace that differs from every other. */
export function failedTrace(why: string): Trace {
  return { steps: [{ op: 'start', res: `there is no trace: ${why}` }], final: {}, leaks: [] };
}
