/**
 * CPU time per `tools/call` over HTTP, JSON answers: ours (both eras), the official SDK and the bare floor, each in a
 * process of its own, in alternating rounds. Prints minimum, median and maximum, and ratios to the floor.
 *
 *     npm run bench:mcp -- [rounds] [requests per round] [connections]
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { type Load, post, run } from './load.ts';
import { machine, spread } from './machine.ts';

const [rounds = 5, requests = 20_000, connections = 16] = process.argv.slice(2).map(Number);
const warmUp = 5_000;
const text = 'x'.repeat(64);
const json = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
const call = { name: 'echo', arguments: { text } };

interface Contender {
  readonly name: string;
  readonly child: ChildProcess;
  readonly load: Load;
  readonly cpuUs: number[];
}

async function start(name: string, module: string, era: 'sessions' | 'stateless'): Promise<Contender> {
  const child = fork(new URL(`./servers/${module}.js`, import.meta.url), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const [{ url }] = (await once(child, 'message')) as [{ url: string }];
  const { headers, params } = era === 'sessions' ? await session(url) : stateless();
  const body = JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/call', params });
  return { name, child, load: { url, connections: connections as number, headers, body, expected: text }, cpuUs: [] };
}

async function session(url: string): Promise<{ headers: Record<string, string>; params: object }> {
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'bench', version: '1' } };
  const opened = await post(url, json, JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params }));
  const id = opened.headers['mcp-session-id'];
  const ofSession = {
    ...json,
    'mcp-protocol-version': '2025-11-25',
    ...(typeof id === 'string' && { 'mcp-session-id': id }),
  };
  await post(url, ofSession, JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }));
  return { headers: ofSession, params: call };
}

function stateless(): { headers: Record<string, string>; params: object } {
  const headers = { ...json, 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'echo' };
  const prefix = 'io.modelcontextprotocol/';
  const _meta = { [`${prefix}protocolVersion`]: '2026-07-28', [`${prefix}clientCapabilities`]: {} };
  return { headers, params: { ...call, _meta } };
}

async function cpuUs({ child }: Contender): Promise<number> {
  const answer = once(child, 'message');
  child.send('cpu');
  const [{ cpuUs }] = (await answer) as [{ cpuUs: number }];
  return cpuUs;
}

console.log(machine());
const contenders = [
  await start('bare node:http', 'bare', 'stateless'),
  await start('beamish 2025-11-25', 'beamish', 'sessions'),
  await start('beamish 2026-07-28', 'beamish', 'stateless'),
  await start('official SDK v1', 'sdk-v1', 'sessions'),
];
for (const { load } of contenders) await run(load, warmUp);
for (let round = 0; round < (rounds as number); round++) {
  for (const contender of contenders) {
    const before = await cpuUs(contender);
    await run(contender.load, requests as number);
    contender.cpuUs.push(((await cpuUs(contender)) - before) / (requests as number));
  }
}
const floor = spread((contenders[0] as Contender).cpuUs).median;
console.log(`CPU per request in us: min / median / max, ratio of medians to the floor`);
console.log(`${connections} connections, ${rounds} rounds of ${requests} requests`);
for (const { name, cpuUs: measured, child } of contenders) {
  const { min, median, max } = spread(measured);
  const [low, middle, high] = [min, median, max].map((us) => us.toFixed(1).padStart(7));
  console.log(`${name.padEnd(20)} ${low} / ${middle} / ${high}   ${(median / floor).toFixed(2)}x`);
  child.kill();
}
