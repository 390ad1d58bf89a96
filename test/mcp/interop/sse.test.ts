/** HTTP+SSE (2024-11-05) with the official SDK, version 1: its client at our server, our client at its server. */

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { type TestContext, test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import type { AuthorizationProtocol } from '../../../mcp/client/authorization.ts';
import { type ClientHandlers, clientOf, type McpClientSpec, mcpClient } from '../../../mcp/client/index.ts';
import { mcpNode } from '../../../mcp/index.ts';
import { type ChildSpec, child, type GenServer, genServer, reply, startSystem } from '../../../runtime/index.ts';
import { httpClient, sseClient } from '../../../transports/client/index.ts';
import type { ClientTransport } from '../../../transports/client-transport.ts';
import { sse, sseListenerName } from '../../../transports/sse/index.ts';
import { ClientEvents } from '../../support/mcp-client-events.ts';
import { Gate, testServer } from '../../support/mcp-tools.ts';
import { sdk1Server } from '../../support/sdk1-server.ts';
import { killSystem, systemName } from '../../support/test-system.ts';

/** A server of SDK v1 over HTTP+SSE, as its documentation says. `token`: the one that it wants. */
async function serveSdk1Sse(t: TestContext, token?: { good: string }): Promise<string> {
  const sessions = new Map<string, SSEServerTransport>();
  const http = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
    if (token !== undefined && request.headers.authorization !== `Bearer ${token.good}`) {
      response.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
    } else if (request.method === 'GET' && pathname === '/sse') {
      const transport = new SSEServerTransport('/messages', response);
      sessions.set(transport.sessionId, transport);
      await sdk1Server().connect(transport as never);
    } else {
      const transport = sessions.get(searchParams.get('sessionId') ?? '');
      if (transport === undefined) response.writeHead(404).end();
      else await transport.handlePostMessage(request, response);
    }
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    http.closeAllConnections();
    http.close();
  });
  return `http://127.0.0.1:${(http.address() as { port: number }).port}/sse`;
}

async function run(
  t: TestContext,
  transport: ClientTransport,
  more: Partial<McpClientSpec> = {},
  children: readonly ChildSpec[] = [],
) {
  const name = systemName();
  const events = new ClientEvents(t, name);
  const spec = { transport, limits: { backoffMinMs: 1, backoffMaxMs: 1 }, ...more };
  const handlers: ClientHandlers = {
    roots: () => [{ uri: 'file:///here' }],
    sampling: () => ({ role: 'assistant', content: { type: 'text', text: '3' }, model: 'm' }),
    elicitation: () => ({ action: 'accept', content: {} }),
  };
  const system = await startSystem({ name, children: [...children, mcpClient('c', { ...spec, handlers })] });
  t.after(() => killSystem(system));
  return { client: clientOf(system, 'c'), events, system };
}

const textOf = (reply: any): string => reply.ok.content[0].text;

for (const [how, transport] of [
  ['as it is told', sseClient],
  ['by itself, from the address alone', httpClient],
] as const) {
  test(`our client at a server of SDK v1, ${how}: calls, progress, cancellation, questions`, async (t) => {
    const { client, system } = await run(t, transport({ url: await serveSdk1Sse(t) }));
    const { agreed } = ((await client.ready()) as any).ok;
    assert.deepEqual([agreed.era, agreed.server.name], ['sessions', 'sdk1']);
    const said = Array.from({ length: 20 }, (_, n) => `text ${n} é`);
    assert.deepEqual((await Promise.all(said.map((text) => client.callTool('echo', { text })))).map(textOf), said);
    const steps: number[] = [];
    await client.callTool('count', { to: 3 }, { progress: ({ progress }) => void steps.push(progress) });
    assert.deepEqual(steps, [1, 2, 3]);
    const controller = new AbortController();
    const cancelled = client.callTool('waits', {}, { signal: controller.signal });
    await client.ping();
    controller.abort();
    assert.equal(((await cancelled) as any).error.code, 'ERR_MCP_CANCELLED');
    assert.equal(JSON.parse(textOf(await client.callTool('asks')))[1], '3');
    await system.stop();
  });
}

/** Keeps tokens: whenever one is challenged it says the next. */
const Keeper: GenServer<AuthorizationProtocol, readonly string[]> = genServer(import.meta, 'Keeper', {
  init: (tokens) => [...tokens],
  handleCall: {
    current: (tokens: string[]) => reply(undefined, tokens),
    challenged: ([next = '', ...rest]: string[]) => reply({ ok: next }, rest),
  },
});

test('our client brings its token to a server of HTTP+SSE, and another when that is good no more', async (t) => {
  const token = { good: 'first' };
  const keeper = child(Keeper, ['first', 'second'], { id: 'keeper', name: 'keeper' });
  const transport = httpClient({ url: await serveSdk1Sse(t, token) });
  const { client, events } = await run(t, transport, { authorization: 'keeper' as never }, [keeper]);
  assert.equal(textOf(await client.callTool('echo', { text: 'x' })), 'x');
  token.good = 'second';
  assert.equal(((await client.callTool('echo', { text: 'x' })) as any).error.code, 'ERR_MCP_CONNECTION_LOST');
  await events.state('ready', 2);
  assert.equal(textOf(await client.callTool('echo', { text: 'y' })), 'y');
});

test('our client goes nowhere but where it was sent: an endpoint of another origin is refused', async (t) => {
  const name = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('event: endpoint\ndata: http://elsewhere.example/messages\n\n');
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => name.once('listening', resolve));
  t.after(() => {
    name.closeAllConnections();
    name.close();
  });
  const { events } = await run(
    t,
    sseClient({ url: `http://127.0.0.1:${(name.address() as { port: number }).port}/sse` }),
  );
  assert.match(JSON.stringify((await events.state('waiting')).reason), /"connect":\{"code":"ERR_SSE_ENDPOINT"/);
});

test('our client at an address that has no event stream: the state says so', async (t) => {
  const url = (await serveSdk1Sse(t)).replace('/sse', '/nothing');
  const { events } = await run(t, sseClient({ url }));
  assert.match(JSON.stringify((await events.state('waiting')).reason), /"connect":\{"code":"HTTP_404"/);
});

async function serveOurs(t: TestContext) {
  const gate = new Gate();
  const children = [mcpNode('mcp', { servers: [testServer(gate)], transports: [sse({ port: 0 })] })];
  const system = await startSystem({ children });
  t.after(() => killSystem(system));
  return { system, gate, url: (await system.call(sseListenerName(), 'address')).url };
}

test('the client of SDK v1 at our server: tools, many calls at a time, cancellation, a stop', async (t) => {
  const { system, url, gate } = await serveOurs(t);
  const client = new Client({ name: 'interop', version: '1.0.0' });
  await client.connect(new SSEClientTransport(new URL(url)) as never);
  t.after(() => client.close());
  assert.equal(client.getServerVersion()?.name, 'test-server');
  assert.ok((await client.listTools()).tools.length > 3);
  const calls = Array.from({ length: 20 }, (_, n) =>
    client.callTool({ name: 'echo', arguments: { text: `text ${n}` } }),
  );
  const answers = (await Promise.all(calls)) as any[];
  for (const [n, { content }] of answers.entries()) assert.match(content[0].text, new RegExp(`^text ${n}, said`));
  const held = client.callTool({ name: 'hold', arguments: { key: 'a' } }) as Promise<any>;
  const call = await gate.held('a');
  const stopped = system.stop();
  call.release('in time');
  assert.equal((await held).content[0].text, 'in time');
  await stopped;
});

test('our client at our server, in both eras', async (t) => {
  for (const negotiation of ['auto', 'legacy'] as const) {
    const { url } = await serveOurs(t);
    const system = await startSystem({ children: [mcpClient('c', { transport: sseClient({ url }), negotiation })] });
    t.after(() => killSystem(system));
    const client = clientOf(system, 'c');
    const { agreed } = ((await client.ready()) as any).ok;
    assert.equal(agreed.version, negotiation === 'auto' ? '2026-07-28' : '2025-11-25');
    assert.match(textOf(await client.callTool('echo', { text: 'x' })), /^x, said/);
    await system.stop();
  }
});

test('our client at our server, from its address alone', async (t) => {
  const { url } = await serveOurs(t);
  const { client, events } = await run(t, httpClient({ url }));
  assert.match(textOf(await client.callTool('echo', { text: 'x' })), /^x, said/);
  assert.equal(events.of('older_transport').length, 1);
});
