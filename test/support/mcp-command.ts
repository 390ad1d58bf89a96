/** Runs the built `beamish` command as a child, and writes modules for it to serve. */

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { StreamClient } from './mcp-stream-client.ts';
import { builtPath } from './repository.ts';
import type { Cleanup } from './test-system.ts';

export const demoModule: string = builtPath('examples/demo-server.ts');

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** The file of the command. Default: as it was compiled. */
  readonly file?: string;
}

/** One run of the command; killed after its test if it has not ended by then. */
export class Command {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<Ended>;
  stdout = '';
  stderr = '';
  private readonly waiting = new Set<() => void>();
  private over = false;

  constructor(
    t: Cleanup,
    args: readonly string[],
    { env = {}, cwd, file = builtPath('bin/beamish.ts') }: CommandOptions = {},
  ) {
    this.child = spawn(process.execPath, [file, ...args], {
      env: { ...process.env, BEAMISH_PORT: undefined, BEAMISH_HOST: undefined, ...env },
      ...(cwd === undefined ? {} : { cwd }),
    });
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      this.look();
    });
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.look();
    });
    this.ended = new Promise((resolve) => {
      this.child.once('close', (code, signal) => {
        this.over = true;
        this.look();
        resolve({ code, signal });
      });
    });
    t.after(async () => {
      if (!this.over) this.child.kill('SIGKILL');
      await this.ended;
    });
  }

  /** Waits until the text of a stream matches. Rejects with all that was printed if the command ends before. */
  until(stream: 'stdout' | 'stderr', pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = pattern.exec(this[stream]);
        if (found === null && !this.over) return;
        this.waiting.delete(look);
        if (found !== null) resolve(found);
        else reject(new Error(`it ended before ${stream} matched ${pattern}:\n${this.stdout}\n${this.stderr}`));
      };
      this.waiting.add(look);
      look();
    });
  }

  /** The address that it printed. */
  async url(): Promise<string> {
    return (await this.until('stdout', /Listening on (http\S+)[\s\S]*Stop with Ctrl-C/))[1]!;
  }

  /** A client on its standard streams. It must print nothing but messages. */
  stream(): StreamClient {
    const { child } = this;
    return new StreamClient({
      send: (message) => child.stdin.write(`${typeof message === 'string' ? message : JSON.stringify(message)}\n`),
      messages: linesOf(child.stdout),
    });
  }

  private look(): void {
    for (const look of [...this.waiting]) look();
  }
}

async function* linesOf(stream: AsyncIterable<unknown>): AsyncGenerator<object> {
  let rest = '';
  for await (const chunk of stream) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop()!;
    for (const line of lines) yield JSON.parse(line) as object;
  }
}

/** A folder that is removed after the test. */
export function temporaryFolder(t: Cleanup): string {
  const folder = mkdtempSync(join(tmpdir(), 'beamish-test-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Writes a module; its code finds the public names of `beamish/mcp` as `mcp`. Returns its path. */
export function moduleFile(t: Cleanup, code: string, path = join(temporaryFolder(t), 'server.mjs')): string {
  const url = JSON.stringify(pathToFileURL(builtPath('mcp/index.ts')).href);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `import * as mcp from ${url};\n${code}\n`);
  return path;
}

/** A module that exports a server with these tools, given as the members of an object. */
export function serverFile(t: Cleanup, tools: string, before = ''): string {
  const info = "{ name: 'written', version: '1.0.0' }";
  return moduleFile(t, `${before}\nexport default mcp.mcpServer('written', { info: ${info}, tools: { ${tools} } });`);
}
