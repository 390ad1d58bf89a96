/** Programs that embed the packages, each run to its own end in a process of its own. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { temporaryFolder } from './mcp-command.ts';
import { builtPath } from './repository.ts';
import type { Cleanup } from './test-system.ts';

export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
}

/** The packages as a program finds them. */
const packages = {
  beamish: 'runtime/index.ts',
  mcp: 'mcp/index.ts',
  http: 'transports/http/index.ts',
  memory: 'transports/memory.ts',
};

/** What every program has: a server with tools that behave and others, and short ways to run and to call it. */
const prelude = `
const eventsBefore = process.eventNames();
const input = { type: 'object' };
const never = () => new Promise(() => {});
const server = mcp.mcpServer('s', { info: { name: 's', version: '1' }, tools: {
  double: mcp.tool({ description: 'Doubles.', input }, ({ n }) => mcp.text(String(2 * n))),
  timer: mcp.tool({ description: 'Throws in a timer.', input }, () => {
    setTimeout(() => { throw new Error('in a timer'); }, 1);
    return never();
  }),
  floats: mcp.tool({ description: 'Leaves a rejection.', input }, () => {
    void Promise.reject(new Error('floating'));
    return never();
  }),
  late: mcp.tool({ description: 'Throws after its answer.', input }, () => {
    setTimeout(() => { throw new Error('too late'); }, 1);
    return mcp.text('in time');
  }),
  aborts: mcp.tool({ description: 'Throws when it is aborted.', input, timeoutMs: 50 }, (_, { signal }) => {
    signal.addEventListener('abort', () => { throw new Error('aborted'); });
    return never();
  }),
} });
const startNode = (transports, options) =>
  beamish.startSystem({ ...options, children: [mcp.mcpNode('mcp', { servers: [server], transports })] });
const callOf = (name, args = {}) => ({ jsonrpc: '2.0', id: name, method: 'tools/call', params: {
  name,
  arguments: args,
  _meta: {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
  },
} });
// What was closed is gone at the end of that turn of the event loop.
const printLeftovers = async () => {
  for (let turn = 0; turn < 2; turn++) await new Promise((next) => setImmediate(next));
  const listened = process.eventNames().filter((event) => !eventsBefore.includes(event));
  console.log('leftovers', JSON.stringify([...process.getActiveResourcesInfo(), ...listened]));
};
`;

/**
 * Runs a program to its own end: nobody stops it. Its output goes to a file, since a pipe would be one of its
 * resources. It finds the packages as `beamish`, `mcp`, `http` and `memory`, and the prelude.
 */
export async function runProgram(t: Cleanup, code: string): Promise<ProgramEnd> {
  const folder = temporaryFolder(t);
  const imports = Object.entries(packages).map(
    ([as, source]) => `import * as ${as} from ${JSON.stringify(pathToFileURL(builtPath(source)).href)};`,
  );
  const file = join(folder, 'program.mjs');
  writeFileSync(file, [...imports, prelude, code].join('\n'));
  const out = join(folder, 'output');
  const fd = openSync(out, 'w');
  const child = spawn(process.execPath, [file], { stdio: ['ignore', fd, fd] });
  closeSync(fd);
  t.after(() => child.kill('SIGKILL'));
  const [exitCode, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  return { code: exitCode, signal, output: readFileSync(out, 'utf8') };
}

/** It ended in order, and after `printLeftovers()` nothing was open. */
export function endedByItself({ code, signal, output }: ProgramEnd): void {
  assert.deepEqual([code, signal], [0, null], output);
  assert.match(output, /^leftovers \[\]$/m);
}
