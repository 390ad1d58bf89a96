/**
 * CPU time of `beamish serve` from its start to the first answer of a tool, and while it idles; Linux only (/proc).
 *
 *     npm run bench:start -- [runs]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { post } from './load.ts';
import { machine, spread } from './machine.ts';

const [runs = 5] = process.argv.slice(2).map(Number);
const idleMs = 10_000;
/** What the start leaves to do: garbage collection, compilation. */
const settleMs = 5_000;
/** Clock ticks of Linux: 10 ms, so that single runs are coarse and the median of several is what counts. */
const tickMs = 10;

function cpuMs({ pid }: ChildProcess): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * tickMs;
}

async function startAndCall(): Promise<ChildProcess> {
  const files = ['../bin/beamish.js', '../examples/demo-server.js'].map((file) =>
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

console.log(machine());
const firstAnswer: number[] = [];
for (let run = 0; run < runs; run++) {
  const child = await startAndCall();
  firstAnswer.push(cpuMs(child));
  child.kill();
  await once(child, 'exit');
}
const { min, median, max } = spread(firstAnswer);
console.log(`CPU from start to first answer: ${min} / ${median} / ${max} ms (min / median / max of ${runs})`);
const idling = await startAndCall();
await new Promise((resolve) => setTimeout(resolve, settleMs));
const before = cpuMs(idling);
await new Promise((resolve) => setTimeout(resolve, idleMs));
console.log(`CPU in ${idleMs / 1_000} s of idling: ${cpuMs(idling) - before} ms`);
idling.kill();
