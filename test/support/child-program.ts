/** Runs a small program in a Node.js process of its own: what a fault does to a whole program is seen from outside. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { pathToFileURL } from 'node:url';
import { builtPath } from './repository.ts';

export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** What it printed, line by line. */
  readonly lines: readonly string[];
  readonly errors: string;
}

/** A program that ends by itself takes far less; one that hangs fails its test. */
const programTimeoutMs = 60_000;

/** The code finds the public runtime as `beamish` and its test kit as `testing`. */
function start(code: string): ChildProcess {
  const url = (source: string): string => JSON.stringify(pathToFileURL(builtPath(source)).href);
  const prelude = `
    import * as beamish from ${url('runtime/index.ts')};
    import * as testing from ${url('runtime/testing.ts')};
    import { subscribe } from 'node:diagnostics_channel';
    const meta = { url: 'file:///program.js' };
  `;
  return spawn(process.execPath, ['--input-type=module', '--eval', prelude + code], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: programTimeoutMs,
    killSignal: 'SIGKILL',
  });
}

/** Runs the program to its end. `onLine` is called with each line it prints, and may signal it. */
export async function runProgram(
  code: string,
  onLine: (line: string, program: ChildProcess) => void = () => {},
): Promise<ProgramEnd> {
  const program = start(code);
  const lines: string[] = [];
  let errors = '';
  let rest = '';
  program.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  program.stdout?.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split('\n');
    rest = parts.pop() ?? '';
    for (const line of parts) {
      lines.push(line);
      onLine(line, program);
    }
  });
  const [exitCode, signal] = (await once(program, 'close')) as [number | null, NodeJS.Signals | null];
  return { code: exitCode, signal, lines, errors };
}
