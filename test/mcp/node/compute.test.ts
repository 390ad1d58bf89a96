/** Tools with `run: 'compute'`: what they do on a thread of the pool, and what ends them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { threadId } from 'node:worker_threads';
import { mcpNode } from '../../../mcp/index.ts';
import { type ComputePoolOptions, computePool } from '../../../runtime/compute/index.ts';
import { name, type System, startSystem, sys } from '../../../runtime/index.ts';
import { settle } from '../../../runtime/testing.ts';
import { listenerName, streamableHttp } from '../../../transports/http/index.ts';
import { memory } from '../../../transports/memory.ts';
import computing from '../../support/computing-server.ts';
import { HttpSession } from '../../support/mcp-http-client.ts';
import { type Caller, ways } from '../../support/mcp-ways.ts';
import { type Cleanup, systemName } from '../../support/test-system.ts';

const pool = name('pool');

interface Node {
  readonly system: System;
  readonly url: string;
}

async function startComputingNode(t: Cleanup, options?: ComputePoolOptions, named = true): Promise<Node> {
  const transports = [streamableHttp({ port: 0 }), memory()];
  const node = mcpNode('mcp', { servers: [computing], transports, ...(named && { computePool: pool }) });
  const pools = options === undefined ? [] : [computePool(pool, options)];
  const system = await startSystem({ name: systemName(), children: [...pools, node] });
  t.after(() => system.stop());
  const { url } = await system.call(listenerName('http'), 'address');
  return { system, url };
}

async function said(caller: Caller, tool: string, args = {}): Promise<string> {
  const { result, error } = await caller.call(tool, args).answer;
  assert.equal(error, undefined);
  return result.content[0].text;
}

for (const way of ways) {
  test(`${way.name}: a tool computes on a thread of the pool`, async (t) => {
    const node = await startComputingNode(t, { threads: 1 });
    const caller = await way.open(node as never);
    t.after(() => caller.leave());
    assert.equal(await said(caller, 'echo', { text: 'abc' }), 'abc');
    const [once, again] = [await said(caller, 'where'), await said(caller, 'where')];
    assert.equal(once, again);
    assert.notEqual(once, String(threadId));
    const told = await caller.call('tells', {}, { id: 'one' }).answer;
    assert.deepEqual(JSON.parse(told.result.content[0].text), [
      way.era === 'sessions',
      way.era,
      'computing',
      'one',
      true,
    ]);
  });

  test(`${way.name}: its errors come as from any tool; what a job has not, it says`, async (t) => {
    const node = await startComputingNode(t, { threads: 1 });
    const caller = await way.open(node as never);
    t.after(() => caller.leave());
    const results = [
      ['throws', /^thrown by the tool$/],
      ['reports', /ctx\.progress is not there for a tool with run: 'compute'/],
      ['returnsCode', /the result of job 'toolOnThread' cannot cross/],
    ] as const;
    for (const [tool, message] of results) {
      const { result } = await caller.call(tool).answer;
      assert.equal(result.isError, true);
      assert.match(result.content[0].text, message);
    }
    const { error } = await caller.call('refuses').answer;
    assert.deepEqual([error.code, error.message, error.data], [-32_602, 'not now', { retry: true }]);
    const exited = await caller.call('exits').answer;
    assert.match(exited.error.message, /tool "exits" failed: \{"worker_exit":\{"exit_code":7\}\}/);
    assert.equal(await said(caller, 'echo', { text: 'still there' }), 'still there');
  });
}

test('an endless loop ends at the deadline of its request, with its thread; the next call has another', async (t) => {
  const node = await startComputingNode(t, { threads: 1 });
  const session = await HttpSession.open(node.url);
  t.after(() => session.client.close());
  const { error } = await session.tool('loops').answer();
  assert.match(error.message, /tool "loops" did not finish within 300 ms/);
  const { result } = await session.tool('echo', { text: 'next' }).answer();
  assert.equal(result.content[0].text, 'next');
});

test('a call that is cancelled ends its job, in an endless loop too', async (t) => {
  const node = await startComputingNode(t, { threads: 1 });
  const session = await HttpSession.open(node.url);
  t.after(() => session.client.close());
  const running = started(node.system);
  const call = session.tool('spins', {}, { id: 'slow' });
  await running;
  await session.notify('notifications/cancelled', { requestId: 'slow' });
  assert.match((await call.answer()).error.message, /cancelled/);
  const { result } = await session.tool('echo', { text: 'next' }).answer();
  assert.equal(result.content[0].text, 'next');
});

test('no place in the queue, no pool, no name of a pool: an error that says so', async (t) => {
  const full = await startComputingNode(t, { threads: 1, queueMax: 0 });
  const [first, second] = [await HttpSession.open(full.url), await HttpSession.open(full.url)];
  t.after(() => first.client.close());
  t.after(() => second.client.close());
  const running = started(full.system);
  const spinning = first.tool('spins', {}, { id: 1 });
  await running;
  const refused = await second.tool('echo', { text: 'a' }).answer();
  assert.match(refused.error.message, /tool "echo" failed: overload/);
  await first.notify('notifications/cancelled', { requestId: 1 });
  await spinning.answer();

  const absent = await HttpSession.open((await startComputingNode(t)).url);
  t.after(() => absent.client.close());
  assert.match((await absent.tool('where').answer()).error.message, /failed: \{"no_compute_pool":"pool"\}/);
  const unnamed = await HttpSession.open((await startComputingNode(t, { threads: 1 }, false)).url);
  t.after(() => unnamed.client.close());
  assert.match((await unnamed.tool('where').answer()).error.message, /the node names no pool/);
});

/** Settles when a job of the pool has a thread. */
async function started(system: System): Promise<void> {
  for (;;) {
    const { state } = await sys.getStatus(system, pool);
    if ((state as { readonly running: number }).running > 0) return;
    await settle();
  }
}
