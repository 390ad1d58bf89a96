import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bench, measured } from './support/bench-command.ts';

const ofActor = [
  'call',
  'call, async handler',
  'cast',
  'ping-pong',
  'ping-pong, async handlers',
  'spawn + exit',
  'spawn_monitor + DOWN',
  'start_child',
  'supervisor restart',
  'restart storm',
  'bytes per idle process, 100,000',
  'bytes per idle process, 1,000,000',
  'bytes per idle server, 100,000',
  'bytes per idle server, 1,000,000',
];

test('the workload actor measures each operation', () => {
  const rows = measured('actor');
  for (const operation of ofActor) {
    const values = rows.get(`${operation}: ours`) ?? [];
    assert.equal(values.length, 1, operation);
    assert.ok(values.every((value) => value > 0, operation));
  }
  for (const wait of ['timer late, p99', 'timer late, worst', 'socket echo, p50', 'socket echo, p99']) {
    // A timer may be a little early, as those of the host are; a wait that was not measured is null.
    assert.equal(typeof rows.get(`flood: ${wait}: ours`)?.[0], 'number', wait);
  }
  assert.equal(rows.size, ofActor.length + 4);
});

test('the workload channel measures each operation, in wall and CPU time', () => {
  const rows = [...measured('channel')];
  assert.equal(rows.length, 15);
  for (const [operation, values] of rows) assert.ok(values.length === 1 && (values[0] as number) > 0, operation);
});

test('the workload threads measures each operation, in wall and CPU time', () => {
  const rows = [...measured('threads')];
  assert.equal(rows.length, 30);
  for (const [operation, values] of rows) assert.ok(values.length === 1 && (values[0] as number) > 0, operation);
});

/** From 24 on a thread may pass its limit of memory without being ended. */
const skip = Number.parseInt(process.versions.node, 10) >= 24 && 'Node.js does not keep to resourceLimits, from 24 on';

test('the workload recovery measures each fault', { skip }, () => {
  const rows = [...measured('recovery', 'ours-cold')];
  assert.equal(rows.length, 8);
  for (const [operation, values] of rows) assert.ok(values.length === 1 && (values[0] as number) > 0, operation);
});

test('the workload faults measures what the others feel of each', { skip }, () => {
  const rows = [...measured('faults')];
  assert.equal(rows.length, 12);
  for (const [operation, values] of rows) assert.ok(values.length === 1 && (values[0] as number) > 0, operation);
});

test('the workload mcp-http measures both revisions, with few tools and many', () => {
  const rows = measured('mcp-http');
  const operations = ['tools/call, 1 tool', 'tools/list, 1 tool', 'tools/call, 30 tools', 'tools/list, 30 tools'];
  const expected = operations.flatMap((each) => [`${each}: ours-2025-11-25`, `${each}: ours-2026-07-28`]);
  assert.deepEqual([...rows.keys()], expected);
  for (const values of rows.values()) assert.ok(values.length === 1 && (values[0] as number) > 0);
});

test('the workload mcp-sessions measures time and memory of sessions', () => {
  const rows = measured('mcp-sessions');
  assert.deepEqual([...rows.keys()], ['open + close: ours', 'bytes per idle session, 10,000: ours']);
  assert.ok((rows.get('open + close: ours')?.[0] ?? 0) > 0);
});

test('the workload mcp-stdio measures both ways to call', {
  skip: process.platform !== 'linux' && 'needs /proc',
}, () => {
  const rows = measured('mcp-stdio');
  const operations = ['tools/call, sequential', 'tools/call, 32 in flight'];
  const expected = operations.flatMap((operation) => [`${operation}: ours`, `${operation}, wall: ours`]);
  assert.deepEqual([...rows.keys()], expected);
  for (const values of rows.values()) assert.ok(values.length === 1 && (values[0] as number) > 0);
});

test('the workload start-up measures a start', { skip: process.platform !== 'linux' && 'needs /proc' }, () => {
  const values = measured('start-up', 'ours,node');
  for (const contender of ['ours', 'ours-compiled', 'node', 'node-worker']) {
    assert.ok((values.get(`start to first answer: ${contender}`)?.[0] ?? 0) > 0, contender);
  }
  assert.equal(values.get('idling, a second: ours')?.length, 30);
});

test('a workload that does not exist is named, with those that do', () => {
  const { status, text } = bench('actors');
  assert.equal(status, 2);
  const names = 'actor | channel | faults | mcp-http | mcp-sessions | mcp-stdio | recovery | soak | start-up';
  const further = 'tcp-sustained | threads | transports | transports-idle';
  assert.ok(text.startsWith(`there is no workload 'actors'\nnpm run bench -- <${names} | ${further} …>`), text);
});

test('a contender that does not exist is an error, not an empty table', () => {
  const { status, text } = bench('mcp-http', '--contenders', 'theirs');
  assert.equal(status, 1);
  assert.match(text, /no contender named theirs/);
});
