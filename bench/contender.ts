/** One contender in a process of its own, asked by lines of text: see contender-program.ts. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

/** A contender that takes longer than this for an answer hangs. */
const answerMs = 180_000;

/** The repository: builds lie in a folder directly below it. */
export const root: string = fileURLToPath(new URL('../../', import.meta.url));

/** A program of `bench/contenders/`, as built. */
export function nodeProgram(path: string, ...flags: readonly string[]): Command {
  const program = fileURLToPath(new URL(`./contenders/${path}.js`, import.meta.url));
  return { file: process.execPath, args: ['--expose-gc', ...flags, program] };
}

export interface Beam {
  /** Of `bench/beam/`; the first one answers. */
  readonly modules: readonly [string, ...string[]];
  /** Default 1. */
  readonly schedulers?: number;
  /** Whether schedulers spin while they wait, as they do by default there; else CPU time is work. Default false. */
  readonly spins?: boolean;
}

/** A program on the BEAM; undefined without Erlang/OTP. */
export function beamProgram({ modules, schedulers = 1, spins = false }: Beam): Command | undefined {
  if (spawnSync('erl', ['-noshell', '-eval', 'halt().'], { stdio: 'ignore' }).status !== 0) return undefined;
  const [sources, output] = [`${root}bench/beam`, `${root}.cache/bench-beam`];
  mkdirSync(output, { recursive: true });
  const files = ['contender', ...modules].map((name) => `${sources}/${name}.erl`);
  const compiled = spawnSync('erlc', ['-o', output, ...files], { stdio: 'inherit' });
  if (compiled.status !== 0) throw new Error(`erlc failed on ${files.join(', ')}`);
  const waiting = spins ? [] : ['+sbwt', 'none', '+sbwtdcpu', 'none', '+sbwtdio', 'none'];
  const limits = ['+S', `${schedulers}:${schedulers}`, '+P', '2500000'];
  const program = ['-pa', output, '-s', 'contender', 'main', modules[0]];
  return { file: 'erl', args: ['-noshell', ...limits, ...waiting, ...program] };
}

export class Contender {
  private readonly child: ChildProcess;
  private readonly answers: AsyncIterator<string>;
  private readonly name: string;

  private constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.child = child;
    if (child.stdout === null) throw new Error('a contender answers on its standard output');
    this.answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  static start(name: string, { file, args }: Command): Contender {
    return new Contender(name, spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] }));
  }

  /** One question at a time. Undefined if the contender has no such operation. */
  async ask<Answer extends object>(operation: string, argument = 0): Promise<Answer | undefined> {
    this.child.stdin?.write(`${operation} ${argument}\n`);
    const limit = setTimeout(() => this.child.kill('SIGKILL'), answerMs);
    const line = await this.answers.next();
    clearTimeout(limit);
    if (line.done === true) throw new Error(`${this.name} ended, or was silent for ${answerMs} ms, at '${operation}'`);
    const answer = JSON.parse(line.value) as Answer | { readonly unknown: string };
    return 'unknown' in answer ? undefined : answer;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.stdin?.end();
    await ended;
  }
}
