/** What the faults of a mounted server cost: its own session's requests, and nobody else's. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MountSpec, mcpNode, mcpServer, mountedServer, text, tool } from '../../../mcp/index.ts';
import { startSystem, type WorkersOptions } from '../../../runtime/index.ts';
import { listenerName, streamableHttp } from '../../../transports/http/index.ts';
import { memory } from '../../../transports/memory.ts';
import { HttpSession } from '../../support/mcp-http-client.ts';
import { killAt, nodesAt, startNode, startSimulatedNode, withoutRunner } from '../../support/mcp-node.ts';
import { type Caller, ways } from '../../support/mcp-ways.ts';
import { aborted, begun, createSdk1, createSdk2 } from '../../support/mounted-servers.ts';
import { builtPath } from '../../support/repository.ts';
import { type Cleanup, systemName } from '../../support/test-system.ts';

const module = new URL(`file://${builtPath('test/support/mounted-servers.ts')}`).href;
const sdks: { readonly [name: string]: MountSpec } = { sdk1: { create: createSdk1 }, sdk2: { create: createSdk2 } };
const sessionWays = ways.filter(({ era }) => era === 'sessions');
const statelessWays = ways.filter(({ era }) => era === 'stateless');

const said = async (caller: Caller, name: string): Promise<string> => {
  const { result, error } = await caller.call(name).answer;
  assert.equal(error, undefined, JSON.stringify(error));
  return result.content[0].text;
};

for (const [sdk, spec] of Object.entries(sdks)) {
  for (const way of sessionWays) {
    for (const fault of ['timer', 'floats']) {
      test(`${sdk}, ${way.name}: a tool that ${fault} costs the requests of its session alone`, async (t) => {
        withoutRunner(t);
        const node = await startNode(t, { servers: [mountedServer('m', spec)] });
        const [caller, other] = [await way.open(node), await way.open(node)];
        assert.deepEqual([await said(caller, 'count'), await said(other, 'count')], ['1', '1']);
        const waiting = caller.call('never');
        const { error } = await caller.call(fault).answer;
        assert.equal(error.code, -32603);
        assert.match(error.message, /mounted server "m" has failed: .*(?:thrown late|floating)/);
        assert.match((await waiting.answer).error.message, /mounted server "m" has failed/);
        assert.equal(await said(other, 'count'), '2', 'other sessions keep their servers');
        assert.equal(await said(caller, 'count'), '1', 'the next request has a new one');
      });
    }

    test(`${sdk}, ${way.name}: a tool that never settles has a deadline, and its server goes on`, async (t) => {
      const servers = [mountedServer('m', { ...spec, timeoutMs: 2_000 })];
      const node = await startSimulatedNode(t, { servers });
      const caller = await way.open(node);
      assert.equal(await said(caller, 'count'), '1');
      const waiting = caller.call('never');
      await node.events.until(async () => (await nodesAt(node, 'server_sup/forward_sup/forward')).length === 1);
      await node.clock.advance(2_000);
      const { error } = await waiting.answer;
      assert.deepEqual(error.data, { reason: 'timeout', timeoutMs: 2_000 });
      assert.equal(await said(caller, 'count'), '2');
    });

    test(`${sdk}, ${way.name}: the server of a session ends with it`, async (t) => {
      const node = await startNode(t, { servers: [mountedServer('m', spec)] });
      const caller = await way.open(node);
      const [begunBefore, abortedBefore] = [begun.size, aborted.size];
      const waiting = caller.call('waits');
      await begun.until(begunBefore + 1);
      const [session] = await nodesAt(node, 'server_sup/session_sup/session');
      node.system.exitProcess(session!.pid as never, 'shutdown');
      assert.match((await waiting.answer).error.message, /the session has ended/);
      await aborted.until(abortedBefore + 1);
      await node.events.until(async () => (await nodesAt(node, 'server_sup/mount_sup/mount')).length === 0);
    });
  }

  for (const way of statelessWays) {
    test(`${sdk}, ${way.name}: requests without a session are translated for the server`, async (t) => {
      const node = await startNode(t, { servers: [mountedServer('m', spec)] });
      const caller = await way.open(node);
      const { result } = await caller.request('server/discover').answer;
      assert.equal(result.resultType, 'complete');
      assert.deepEqual(Object.keys(result.capabilities).toSorted(), ['resources', 'tools']);
      assert.equal(result._meta['io.modelcontextprotocol/serverInfo'].name, sdk);
      const listed = (await caller.request('tools/list').answer).result;
      assert.deepEqual([listed.ttlMs, listed.cacheScope, listed.resultType], [0, 'private', 'complete']);
      assert.ok(listed.tools.some(({ name }: any) => name === 'echo'));
      const echoed = (await caller.call('echo', { text: 'hi' }).answer).result;
      assert.deepEqual([echoed.content[0].text, echoed.resultType], ['hi', 'complete']);
      const counts = [await said(caller, 'count'), await said(caller, 'count')];
      // A stream has one server, over HTTP each request has its own.
      assert.deepEqual(counts, way.carrier === 'stream' ? ['1', '2'] : ['1', '1']);
      const stepped = caller.call('steps', {}, { progressToken: 'p' });
      await stepped.answer;
      const steps = stepped.messages.filter(({ method }) => method === 'notifications/progress');
      assert.deepEqual(
        steps.map(({ params }) => [params.progressToken, params.progress]),
        [1, 2, 3].map((n) => ['p', n]),
      );
      assert.equal((await caller.call('asks').answer).result.isError, true, 'such a client cannot be asked');
      assert.equal((await caller.request('tasks/get', { taskId: 'a' }).answer).error.code, -32601);
      assert.equal((await caller.request('tools/call', { arguments: {} }).answer).error.code, -32602);
    });

    test(`${sdk}, ${way.name}: a fault costs the requests of its server alone`, async (t) => {
      withoutRunner(t);
      const node = await startNode(t, { servers: [mountedServer('m', spec)] });
      const [caller, other] = [await way.open(node), await way.open(node)];
      await said(other, 'count');
      const { error } = await caller.call('timer').answer;
      assert.match(error.message, /mounted server "m" has failed: .*thrown late/);
      assert.equal(await said(caller, 'count'), '1');
      await said(other, 'count');
    });
  }
}

async function threaded(t: Cleanup, spec: MountSpec, workers: WorkersOptions): Promise<any> {
  const system = await startSystem({
    name: systemName(),
    threads: { cpu: { count: 1 } },
    workers,
    children: [
      mcpNode('mcp', {
        servers: [mountedServer('m', { module, timeoutMs: 30_000, ...spec })],
        transports: [streamableHttp({ port: 0 }), memory()],
      }),
    ],
  });
  t.after(() => system.stop());
  return { system, url: (await system.call(listenerName('http'), 'address')).url };
}

for (const exportName of ['createSdk1', 'createSdk2']) {
  test(`${exportName}: an endless loop on a worker thread costs that thread, and is answered`, async (t) => {
    const node = await threaded(t, { exportName }, { stallMs: 2_000 });
    const [way] = sessionWays;
    const caller = await way!.open(node);
    assert.equal(await said(caller, 'count'), '1');
    const { error } = await caller.call('loops').answer;
    assert.match(error.message, /mounted server "m" has failed/);
    assert.equal(await said(caller, 'count'), '1', 'a new server, on another thread');
  });

  test(`${exportName}: isolated, a loop of one session leaves the others their servers`, async (t) => {
    const node = await threaded(t, { exportName, run: 'isolated' }, { stallMs: 2_000 });
    const [way] = sessionWays;
    const [caller, other] = [await way!.open(node), await way!.open(node)];
    assert.equal(await said(other, 'count'), '1');
    const looping = caller.call('loops');
    assert.equal(await said(other, 'count'), '2');
    assert.match((await looping.answer).error.message, /mounted server "m" has failed/);
    assert.equal(await said(other, 'count'), '3');
  });
}

test('a new server of a session hears who its client is, its log level and its subscriptions', async (t) => {
  const node = await startNode(t, { servers: [mountedServer('m', { create: createSdk1 })] });
  const session = await HttpSession.open(node.url);
  await session.request('logging/setLevel', { level: 'warning' }).ended;
  const level = async (): Promise<string> => (await session.tool('level').answer()).result.content[0].text;
  assert.equal(await level(), 'warning');
  await killAt(node, 'server_sup/mount_sup/mount');
  assert.equal(await level(), 'warning');
  await killAt(node, 'server_sup/session_sup/session');
  assert.equal(await level(), 'warning');
});

test('a server that cannot be made is an answer to initialize, and leaves nothing behind', async (t) => {
  const broken: { readonly [name: string]: [MountSpec, RegExp] } = {
    throws: [
      {
        create: () => {
          throw new Error('cannot be made');
        },
      },
      /cannot be made/,
    ],
    nothing: [{ create: () => ({}) as never }, /must return a server/],
    missing: [{ module: 'file:///nowhere.js' }, /nowhere/],
    unnamed: [{ module, exportName: 'none' }, /must export ..?"none/],
    never: [{ create: () => new Promise(() => {}) }, /mount_start_timeout|timeout/],
  };
  for (const [name, [spec, reason]] of Object.entries(broken)) {
    const node = await startNode(t, { servers: [mountedServer('m', spec)], limits: { mountStartMs: 300 } });
    await assert.rejects(HttpSession.open(node.url), reason, name);
    assert.equal((await nodesAt(node, 'server_sup/session_sup/session')).length, 0, name);
    await node.events.until(async () => (await nodesAt(node, 'server_sup/mount_sup/mount')).length === 0);
  }
});

test('a node may serve servers of its own and mounted ones', async (t) => {
  const own = mcpServer('own', {
    info: { name: 'own', version: '1' },
    tools: { hello: tool({ description: 'Hello.', input: { type: 'object' } }, () => text('hello')) },
  });
  const system = await startSystem({
    name: systemName(),
    children: [
      mcpNode('mcp', {
        servers: [own, mountedServer('m', { create: createSdk2 })],
        transports: [
          { transport: memory(), server: 'own' },
          { transport: streamableHttp({ port: 0 }), server: 'm' },
        ],
      }),
    ],
  });
  t.after(() => system.stop());
  const { url } = await system.call(listenerName('http'), 'address');
  const session = await HttpSession.open(url);
  assert.equal((await session.tool('count').answer()).result.content[0].text, '1');
  session.client.close();
  const caller = await sessionWays[0]!.open({ system, url });
  assert.equal(await said(caller, 'hello'), 'hello');
});
