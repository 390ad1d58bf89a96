/** What users of other servers complain of: one replica, owner, upstream or transport of several, and the others. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request as forward } from 'node:http';
import { type TestContext, test } from 'node:test';
import { clientOf, mcpClient } from '../../../mcp/client/index.ts';
import {
  changeServer,
  elicit,
  type McpServer,
  mcpNode,
  mcpServer,
  structured,
  text,
  tool,
} from '../../../mcp/index.ts';
import { type ChildSpec, name, type System, startSystem } from '../../../runtime/index.ts';
import { httpClient, sseClient, tcpClient } from '../../../transports/client/index.ts';
import type { ClientTransport } from '../../../transports/client-transport.ts';
import { listenerName, streamableHttp } from '../../../transports/http/index.ts';
import { sse, sseListenerName } from '../../../transports/sse/index.ts';
import { tcp, tcpListenerName } from '../../../transports/tcp/index.ts';
import { connect } from '../../support/connected-client.ts';
import { listenWays } from '../../support/mcp-listeners.ts';
import { kill, killAt, startNode, wholeAgain } from '../../support/mcp-node.ts';
import { Gate, testServer } from '../../support/mcp-tools.ts';
import { ways } from '../../support/mcp-ways.ts';
import { serveSdk1 } from '../../support/sdk1-server.ts';
import { killSystem, systemName } from '../../support/test-system.ts';

const nothing = { type: 'object' } as const;
const textOf = (reply: any): string => reply.ok?.content[0].text ?? JSON.stringify(reply);

/** Sends each request to the next of the addresses, whoever asks. */
async function balance(t: TestContext, urls: readonly string[]): Promise<{ url: string; statuses: number[][] }> {
  const statuses = urls.map((): number[] => []);
  let requests = 0;
  const http = createServer((incoming, outgoing) => {
    const at = requests++ % urls.length;
    const headers = { ...incoming.headers, host: new URL(urls[at]!).host };
    const request = forward(urls[at]!, { method: incoming.method, headers }, (response) => {
      statuses[at]!.push(response.statusCode!);
      outgoing.writeHead(response.statusCode!, response.headers);
      response.pipe(outgoing);
    });
    outgoing.on('close', () => request.destroy());
    request.on('error', () => outgoing.destroy());
    incoming.pipe(request);
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  t.after(() => {
    http.closeAllConnections();
    http.close();
  });
  return { url: `http://127.0.0.1:${(http.address() as { port: number }).port}/mcp`, statuses };
}

test('replicas behind a balancer: clients without sessions get no 404, and what one asks another takes', async (t) => {
  const asksTwice = (replica: string): McpServer =>
    mcpServer('s', {
      info: { name: 's', version: '1' },
      tools: {
        who: tool({ description: 'Which replica.', input: nothing }, () => text(replica)),
        asks: tool({ description: 'Asks twice.', input: nothing }, async (_args, ctx) => {
          const schema = { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] } as const;
          const { first } = await ctx.input({ first: elicit({ message: 'first?', schema }) });
          const { second } = await ctx.input({ second: elicit({ message: 'second?', schema }) });
          return structured({ first, second });
        }),
      },
    });
  const stateKeys = [Buffer.alloc(32, 7).toString('base64')];
  const replicas = await Promise.all(
    ['a', 'b', 'c'].map((replica) => startNode(t, { servers: [asksTwice(replica)], stateKeys })),
  );
  const { url, statuses } = await balance(
    t,
    replicas.map((replica) => replica.url),
  );
  let n = 0;
  const handlers = { elicitation: () => ({ action: 'accept', content: { n: ++n } }) as const };
  const { client } = await connect(t, httpClient({ url }), { handlers });
  const calls = await Promise.all(Array.from({ length: 30 }, () => client.callTool('who')));
  assert.deepEqual([...new Set(calls.map(textOf))].sort(), ['a', 'b', 'c']);
  const { ok } = (await client.callTool('asks')) as any;
  const answer = (value: number) => ({ action: 'accept', content: { n: value } });
  assert.deepEqual(ok?.structuredContent, { first: answer(1), second: answer(2) });
  for (const each of statuses) assert.ok(each.length >= 10 && each.every((status) => status === 200), String(each));
});

for (const way of listenWays.filter(({ era }) => era === 'sessions')) {
  test(`the owner of a session dies with calls in flight: all are answered, it listens on: ${way.name}`, async (t) => {
    const node = await startNode(t);
    const listener = await way.open(node, { toolsListChanged: true });
    const caller = await ways.find((each) => each.name === way.name)!.open(node);
    const held = ['a', 'b'].map((key) => caller.call('hold', { key }, { id: key }));
    const works = await Promise.all(['a', 'b'].map((key) => node.gate.held(key)));
    const sessions = [...(node.system.table<string, unknown>('mcp_sessions')?.entries() ?? [])];
    assert.equal(sessions.length, 2);
    for (const [id] of sessions) await kill(node, node.system.whereis(name(`mcp_session:${id}`))!);
    // Who passes on what changes dies too, and is back before the next change.
    await killAt(node, 'infrastructure_sup/subscription_hub');
    await wholeAgain(node);
    for (const work of works) work.release();
    for (const [n, { answer }] of held.entries()) {
      assert.equal((await answer).result.content[0].text, `released ${'ab'[n]}`);
    }
    assert.match((await caller.call('echo', { text: 'x' }).answer).result.content[0].text, /^x, said/);
    const added = tool({ description: 'New.', input: nothing }, () => text('new'));
    await changeServer(node.system, { node: 'mcp', name: 'test' }, { tools: { added } });
    await listener.hear('notifications/tools/list_changed');
    listener.leave();
    caller.leave();
  });
}

test('an upstream that forgets its session, or is away, costs its own tools alone: all are listed', async (t) => {
  const forgetful = await serveSdk1(t);
  const healthy = await serveSdk1(t);
  const upstreams = { forgetful: forgetful.url, healthy: healthy.url, away: 'http://127.0.0.1:9/mcp' };
  const tools = Object.fromEntries(Object.keys(upstreams).map((upstream) => [upstream, relay(upstream)]));
  const gateway = mcpServer('gateway', { info: { name: 'gateway', version: '1' }, tools });
  const children = Object.entries(upstreams).map(([upstream, url]) =>
    mcpClient(upstream, { transport: httpClient({ url }) }),
  );
  const { system, transport } = await serve(t, gateway, children);
  const { client } = await connect(t, transport);
  const before = ((await clientOf(system, 'forgetful').ready()) as any).ok.sessionId;
  assert.equal(textOf(await client.callTool('forgetful')), 'forgetful');
  forgetful.forget();
  const calls = ['forgetful', 'healthy', 'away', 'forgetful', 'healthy'];
  const replies = (await Promise.all(calls.map((each) => client.callTool(each)))) as any[];
  assert.deepEqual(
    replies.map((reply, n) => (reply.ok?.isError === true ? 'error' : textOf(reply) === calls[n])),
    [true, true, 'error', true, true],
  );
  assert.match(textOf(replies[2]), /ERR_MCP_|within 500 ms/);
  assert.notEqual(((await clientOf(system, 'forgetful').status()) as any).ok.sessionId, before);
  const { ok: listed } = (await client.listTools()) as any;
  assert.deepEqual(
    listed.map((each: { name: string }) => each.name),
    ['forgetful', 'healthy', 'away'],
  );
});

/** A tool that passes on what its upstream says, and its failures as errors. */
function relay(upstream: string): ReturnType<typeof tool> {
  return tool({ description: `echo of ${upstream}`, input: nothing }, async (_args, ctx) => {
    const reply = await clientOf(ctx, upstream).callTool('echo', { text: upstream }, { timeoutMs: 500 });
    if ('error' in reply) throw new Error(`${reply.error.code}: ${reply.error.message}`);
    return reply.ok;
  });
}

async function serve(
  t: TestContext,
  server: McpServer,
  children: readonly ChildSpec[],
): Promise<{ system: System; transport: ClientTransport }> {
  const transports = [streamableHttp({ port: 0 })];
  const node = mcpNode('mcp', { servers: [server], transports });
  const system = await startSystem({ name: systemName(), children: [...children, node] });
  t.after(() => killSystem(system));
  return { system, transport: httpClient({ url: (await system.call(listenerName('http'), 'address')).url }) };
}

test('one server on three transports: the same id on each gets its own answer, in any order', async (t) => {
  const gate = new Gate();
  const transports = [streamableHttp({ port: 0 }), sse({ port: 0 }), tcp({ port: 0 })];
  const node = mcpNode('mcp', { servers: [testServer(gate)], transports });
  const system = await startSystem({ name: systemName(), children: [node] });
  t.after(() => killSystem(system));
  const { port } = (await system.call(tcpListenerName(), 'address')) as { readonly port: number };
  const reach: Record<string, ClientTransport> = {
    http: httpClient({ url: (await system.call(listenerName('http'), 'address')).url }),
    sse: sseClient({ url: (await system.call(sseListenerName(), 'address')).url }),
    tcp: tcpClient({ port }),
  };
  const clients = await Promise.all(Object.values(reach).map(async (transport) => connect(t, transport, pinned)));
  // Each counts its requests from 1: the ids are the same.
  const keys = Object.keys(reach);
  const calls = clients.map(({ client }, n) => client.callTool('hold', { key: keys[n]! }));
  const held = await Promise.all(keys.map((key) => gate.held(key)));
  assert.equal(new Set(held.map(({ ctx }) => ctx.requestId)).size, 1);
  const [session] = new Set(held.map(({ ctx }) => ctx.session));
  assert.equal(session, undefined);
  for (const call of held.reverse()) call.release();
  assert.deepEqual(
    (await Promise.all(calls)).map(textOf),
    keys.map((key) => `released ${key}`),
  );
});

const pinned = { negotiation: { pin: '2026-07-28' } } as const;

for (const way of ways) {
  test(`tools called constructor or __proto__ do not exist unless they are defined: ${way.name}`, async (t) => {
    const node = await startNode(t);
    const caller = await way.open(node);
    for (const called of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
      const { error } = await caller.call(called).answer;
      assert.deepEqual([error.code, error.message], [-32602, `unknown tool "${called}"`]);
    }
    const defined = tool({ description: 'It is one.', input: nothing }, () => text('defined'));
    await changeServer(node.system, { node: 'mcp', name: 'test' }, { tools: { constructor: defined } });
    assert.equal((await caller.call('constructor').answer).result.content[0].text, 'defined');
    caller.leave();
  });
}
