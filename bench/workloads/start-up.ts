/**
 * `start-up`: CPU time of `beamish serve` with the demo server from its start to its first answer of a tool, a new
 * process each round; and over 10 s of idling, 5 s after the first answer. Linux only: CPU time of another process
 * comes from /proc, in clock ticks of 10 ms, so that the median of several rounds is what counts.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { post } from '../load.ts';
import { isWanted, type RunOptions, type Workload } from '../workload.ts';

const defaultRounds = 5;
const idleMs = 10_000;
/** What the start leaves to do: garbage collection, compilation. */
const settleMs = 5_000;
const tickMs = 10;

function cpuMs({ pid }: ChildProcess): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * tickMs;
}

async function startAndCall(): Promise<ChildProcess> {
  const files = ['../../bin/beamish.js', '../../examples/demo-server.js'].map((file) =>
    fileURLToPath(new URL(file, import.meta.url)),
  );
  const [command, module] = files as [string, string];
  const child = spawn(process.execPath, [command, 'serve', module, '--port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [printed] = (await once(child.stdout, 'data')) as [Buffer];
  const url = /http:\S+/.exec(printed.toString())?.[0] ?? '';
  const version = '2026-07-28';
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': version,
    'mcp-method': 'tools/call',
    'mcp-name': 'echo',
  };
  const prefix = 'io.modelcontextprotocol/';
  const _meta = { [`${prefix}protocolVersion`]: version, [`${prefix}clientCapabilities`]: {} };
  const params = { name: 'echo', arguments: { text: 'first' }, _meta };
  const answer = await post(url, headers, JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }));
  if (!answer.body.includes('first')) throw new Error(`wrong answer: ${answer.body}`);
  return child;
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill();
  await ended;
}

async function firstAnswers(rounds: number): Promise<number[]> {
  const values: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const child = await startAndCall();
    values.push(cpuMs(child));
    await stop(child);
  }
  return values;
}

async function idling({ scale }: RunOptions): Promise<number> {
  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms * scale));
  const child = await startAndCall();
  await pause(settleMs);
  const before = cpuMs(child);
  await pause(idleMs);
  const used = cpuMs(child) - before;
  await stop(child);
  return used;
}

export const startUp: Workload = {
  name: 'start-up',
  title: 'CPU time of beamish serve',
  async run(options) {
    if (!isWanted('ours', options)) return;
    const row = { contender: 'ours', unit: 'ms CPU' } as const;
    const firstAnswer = await firstAnswers(options.rounds ?? defaultRounds);
    options.measured([{ ...row, operation: 'start to first answer', values: firstAnswer }]);
    options.measured([{ ...row, operation: `idling for ${idleMs / 1_000} s`, values: [await idling(options)] }]);
  },
};
