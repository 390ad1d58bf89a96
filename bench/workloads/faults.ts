/**
 * `faults`: what the others feel of a tool that ends its thread. 20 clients call `echo` over HTTP, each again 50 ms
 * after its answer; then one more calls a tool that loops without end, allocates without end (heap of 48 and 8 MiB), or
 * calls `process.exit`. Wall time of the answers to the 20 that were asked for, or still waited for, within 6 s of that
 * call (a loop is ended after 5 s): median, 99th percentile and maximum. `nothing` is the same without a fault. A new
 * process for each value, as it is published, with one worker thread and a spare one.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { post } from '../load.ts';
import { published } from '../published.ts';
import { isWanted, type RunOptions, type Workload } from '../workload.ts';

const defaultRounds = 3;
const clients = 20;
const faults = ['nothing', 'loop', 'oom', 'exit'] as const;
/** Until the spare thread, which is started a second after the system, has imported what it needs. */
const settleMs = 5_000;
const faultMs = 6_000;
const betweenMs = 50;
const version = '2026-07-28';
const loopAim = { atMost: 250 };

function call(url: string, tool: string, args: object, agent: Agent): Promise<{ readonly body: string }> {
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': version,
    'mcp-method': 'tools/call',
    'mcp-name': tool,
  };
  const prefix = 'io.modelcontextprotocol/';
  const _meta = { [`${prefix}protocolVersion`]: version, [`${prefix}clientCapabilities`]: {} };
  const params = { name: tool, arguments: args, _meta };
  return post(url, headers, JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }), agent);
}

/** The answers to the others, in milliseconds, sorted. */
async function latencies(folder: string, fault: string, { scale }: RunOptions): Promise<number[]> {
  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms * scale));
  const child = spawn(process.execPath, [join(folder, 'bench/contenders/faults/node.js')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [printed] = (await once(child.stdout, 'data')) as [Buffer];
  const url = printed.toString().trim();
  const agent = new Agent({ keepAlive: true });
  const times: number[] = [];
  let began = Number.POSITIVE_INFINITY;
  let isOver = false;
  const client = async (): Promise<void> => {
    while (!isOver) {
      const asked = performance.now();
      const { body } = await call(url, 'echo', { text: 'here' }, agent);
      if (!body.includes('here')) throw new Error(`wrong answer: ${body}`);
      const answered = performance.now();
      if (answered >= began) times.push(answered - asked);
      await pause(betweenMs);
    }
  };
  const others = Promise.all(Array.from({ length: clients }, client));
  await pause(settleMs);
  began = performance.now();
  const culprit = fault === 'nothing' ? undefined : call(url, fault, {}, agent);
  await pause(faultMs);
  isOver = true;
  await others;
  await culprit;
  agent.destroy();
  child.stdin.end();
  await once(child, 'exit');
  return times.sort((a, b) => a - b);
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] as number;
}

export const faultLatency: Workload = {
  name: 'faults',
  title: 'answers to 20 clients while a tool ends its thread: wall time',
  async run(options) {
    if (!isWanted('ours', options)) return;
    const folder = await published();
    const rounds = options.rounds ?? defaultRounds;
    const found = new Map<string, number[][]>(faults.map((fault) => [fault, []]));
    for (let round = 0; round < rounds; round++) {
      for (const fault of faults) found.get(fault)?.push(await latencies(folder, fault, options));
    }
    for (const [fault, each] of found) {
      const row = (what: string, share: number): void =>
        options.measured([
          {
            operation: `${fault}: ${what}`,
            contender: 'ours',
            unit: 'ms',
            values: each.map((times) => quantile(times, share)),
            ...(fault === 'loop' && what === 'max' && { aims: [loopAim] }),
          },
        ]);
      row('p50', 0.5);
      row('p99', 0.99);
      row('max', 1);
    }
  },
};
