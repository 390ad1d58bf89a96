/**
 * `start-up`: CPU time of `beamish serve` with the demo server from its start to its first answer of a tool, a new
 * process each round; and of each second of 30 in which it idles, 10 s after the first answer. V8 collects and shrinks
 * a heap 8 s after it has gone quiet, and sometimes half a minute later again, some 40 ms at a time: that is in the
 * maximum, and the median is what it takes to wait. Linux only: CPU time of another process comes from /proc; that of
 * the start in clock ticks of 10 ms, so that the median of several rounds is what counts.
 *
 * Contenders: `ours` as it is published, `ours-compiled` before few files are made of it; and what nobody can do
 * without, programs that do nothing: `node`, and `node-worker` with a worker thread.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { post } from '../load.ts';
import { published } from '../published.ts';
import { isWanted, type RunOptions, type Workload } from '../workload.ts';

const defaultRounds = 5;
const idleSeconds = 30;
const secondMs = 1_000;
/** What the start leaves to do: a spare thread. */
const settleMs = 10_000;
const tickMs = 10;
/** Of a machine whose bare `node-worker` takes 200 ms; half of it where that takes half. */
const startAim = { atMost: 400 };
/** A thousandth of a core. */
const idleAim = { atMost: 1 };

function cpuMs({ pid }: ChildProcess): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * tickMs;
}

/** Finer, but without threads that have ended. */
function cpuMsOfThreads({ pid }: ChildProcess): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const ns = (thread: string): number =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
  return threads.reduce((sum, thread) => sum + ns(thread), 0) / 1e6;
}

async function startAndCall(folder: string): Promise<ChildProcess> {
  const [command, module] = [join(folder, 'bin/beamish.js'), join(folder, 'examples/demo-server.js')];
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

async function firstAnswer(folder: string): Promise<number> {
  const child = await startAndCall(folder);
  const value = cpuMs(child);
  await stop(child);
  return value;
}

const used = 'const { user, system } = process.cpuUsage(); console.log((user + system) / 1000);';
const nothing: Readonly<Record<string, string>> = {
  node: used,
  'node-worker': `
    const { Worker } = require('node:worker_threads');
    new Worker('setInterval(() => {}, 1000)', { eval: true }).once('online', () => { ${used} process.exit(); });`,
};

function doingNothing(program: string): number {
  const { stdout, status } = spawnSync(process.execPath, ['--eval', program], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`a program that does nothing ended with ${status}`);
  return Number(stdout);
}

/** What each second takes. */
async function idling(folder: string, { scale }: RunOptions): Promise<number[]> {
  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms * scale));
  const child = await startAndCall(folder);
  await pause(settleMs);
  const values: number[] = [];
  let before = cpuMsOfThreads(child);
  for (let second = 0; second < idleSeconds; second++) {
    await pause(secondMs);
    const now = cpuMsOfThreads(child);
    values.push(now - before);
    before = now;
  }
  await stop(child);
  return values;
}

export const startUp: Workload = {
  name: 'start-up',
  title: 'CPU time of beamish serve',
  reference: 'node-worker',
  async run(options) {
    const ours = await published();
    const compiled = fileURLToPath(new URL('../../', import.meta.url));
    const measures = new Map<string, () => number | Promise<number>>([
      ...Object.entries(nothing).map(([name, program]) => [name, () => doingNothing(program)] as const),
      ['ours-compiled', () => firstAnswer(compiled)],
      ['ours', () => firstAnswer(ours)],
    ]);
    const wanted = [...measures].filter(([name]) => isWanted(name, options));
    const values = new Map<string, number[]>(wanted.map(([name]) => [name, []]));
    for (let round = 0; round < (options.rounds ?? defaultRounds); round++) {
      for (const [name, measure] of wanted) values.get(name)?.push(await measure());
    }
    options.measured(
      [...values].map(([contender, each]) => ({
        operation: 'start to first answer',
        contender,
        unit: 'ms CPU',
        values: each,
        ...(contender === 'ours' && { aims: [startAim] }),
      })),
    );
    if (!isWanted('ours', options)) return;
    const row = { operation: 'idling, a second', contender: 'ours', unit: 'ms CPU' } as const;
    options.measured([{ ...row, values: await idling(ours, options), aims: [idleAim] }]);
  },
};
