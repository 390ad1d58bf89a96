/**
 * Runs workloads and prints a table of each:
 *
 *     npm run bench -- <workload …> [--rounds n] [--contenders a,b] [--scale f] [--json file] [--minutes m] [--seed n]
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { machine } from './machine.ts';
import { header, line, type Result, results } from './report.ts';
import type { Workload } from './workload.ts';
import { actor } from './workloads/actor.ts';
import { channel } from './workloads/channel.ts';
import { faultLatency } from './workloads/faults.ts';
import { mcpHttp } from './workloads/mcp-http.ts';
import { mcpSessions } from './workloads/mcp-sessions.ts';
import { mcpStdio } from './workloads/mcp-stdio.ts';
import { recovery } from './workloads/recovery.ts';
import { soak } from './workloads/soak.ts';
import { startUp } from './workloads/start-up.ts';
import { tcpSustained } from './workloads/tcp-sustained.ts';
import { threads } from './workloads/threads.ts';
import { transports } from './workloads/transports.ts';
import { transportsIdle } from './workloads/transports-idle.ts';

const all = [
  actor,
  channel,
  faultLatency,
  mcpHttp,
  mcpSessions,
  mcpStdio,
  recovery,
  soak,
  startUp,
  tcpSustained,
  threads,
  transports,
  transportsIdle,
];
const workloads = new Map<string, Workload>(all.map((workload) => [workload.name, workload]));

const names = [...workloads.keys()].join(' | ');
const options = '[--rounds n] [--contenders a,b] [--scale f] [--json file] [--minutes m] [--seed n]';
const usage = `npm run bench -- <${names} …> ${options}`;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string' },
    contenders: { type: 'string' },
    scale: { type: 'string', default: '1' },
    json: { type: 'string' },
    minutes: { type: 'string' },
    seed: { type: 'string' },
  },
});

function positive(option: string, text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new RangeError(`--${option} must be a positive number, not '${text}'`);
}

function given(option: 'rounds' | 'minutes' | 'seed'): number | undefined {
  const text = values[option];
  return text === undefined ? undefined : positive(option, text);
}

async function measure(workload: Workload): Promise<object> {
  const notes: string[] = [];
  const measured: Result[] = [];
  console.log(`\n${workload.name}: ${workload.title}\n${header(workload.reference)}`);
  await workload.run({
    rounds: given('rounds'),
    minutes: given('minutes'),
    seed: given('seed'),
    scale: positive('scale', values.scale),
    contenders: values.contenders?.split(','),
    measured: (rows) => {
      const complete = results(rows, workload);
      measured.push(...complete);
      for (const result of complete) console.log(line(result));
    },
    note: (text) => {
      notes.push(text);
      console.log(`- ${text}`);
    },
  });
  if (measured.length === 0) throw new Error(`${workload.name} has no contender named ${values.contenders}`);
  return { workload: workload.name, title: workload.title, reference: workload.reference, notes, results: measured };
}

const unknown = positionals.filter((name) => !workloads.has(name));
if (positionals.length === 0 || unknown.length > 0) {
  console.error(`${unknown.map((name) => `there is no workload '${name}'\n`).join('')}${usage}`);
  process.exit(2);
}
const started = machine();
console.log(started);
const measuredWorkloads: object[] = [];
for (const name of positionals) measuredWorkloads.push(await measure(workloads.get(name) as Workload));
const ended = machine();
console.log(`\n${ended}`);
if (values.json !== undefined) {
  const report = { command: process.argv.slice(2), machine: { started, ended }, workloads: measuredWorkloads };
  writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
}
