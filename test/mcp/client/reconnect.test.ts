/** How a connection is lost and made again, on a clock that the test moves. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { name, sys, type TreeNode } from '../../../runtime/index.ts';
import { startReadyClient, startTestClient } from '../../support/mcp-client-system.ts';
import { mailboxOf, openProcess } from '../../support/test-system.ts';

const done = { content: [{ type: 'text', text: 'done' }] };

test('requests made before the connection is ready wait for it', async (t) => {
  const { client, server } = await startTestClient(t, { negotiation: 'legacy' });
  const reply = client.callTool('a');
  await server.initialize();
  const call = await server.next('tools/call');
  call.connection.result(call, done);
  assert.deepEqual(((await reply) as any).ok, done);
});

test('a lost connection is made again after 1 s; reads in flight are repeated, tool calls are not', async (t) => {
  const { client, server, clock, events } = await startReadyClient(t, 'sessions');
  const read = client.readResource('a:b');
  const called = client.callTool('a');
  await server.next('resources/read');
  const call = await server.next('tools/call');
  call.connection.drop();
  assert.equal(((await called) as any).error.code, 'ERR_MCP_CONNECTION_LOST');
  assert.equal((await events.state('waiting')).delayMs, 1_000);
  await clock.advance(999);
  assert.equal(server.connections.length, 1);
  await clock.advance(1);
  await server.initialize();
  const again = await server.next('resources/read');
  again.connection.result(again, { contents: [{ uri: 'a:b', text: 'x' }] });
  assert.deepEqual(((await read) as any).ok, [{ uri: 'a:b', text: 'x' }]);
  assert.deepEqual(server.unread, []);
});

test('a tool call is repeated if the tool says that it may be, and the caller allows it', async (t) => {
  const { client, server, clock } = await startReadyClient(t, 'sessions');
  const list = client.listTools();
  const listed = await server.next('tools/list');
  const annotations = { idempotentHint: true };
  const tools = [{ name: 'safe', annotations }, { name: 'other' }, { name: 'silent', annotations }];
  listed.connection.result(listed, { tools: tools.map((tool) => ({ ...tool, inputSchema: { type: 'object' } })) });
  await list;
  const replies = [
    client.callTool('safe', {}, { retryIdempotent: true }),
    client.callTool('other', {}, { retryIdempotent: true }),
    client.callTool('silent'),
  ];
  for (let n = 0; n < 3; n++) await server.next('tools/call');
  server.connections[0]!.drop();
  assert.equal(((await replies[1]) as any).error.code, 'ERR_MCP_CONNECTION_LOST');
  assert.equal(((await replies[2]) as any).error.code, 'ERR_MCP_CONNECTION_LOST');
  await clock.advance(1_000);
  await server.initialize();
  const again = await server.next('tools/call');
  assert.equal(again.message.params.name, 'safe');
  again.connection.result(again, done);
  assert.deepEqual(((await replies[0]) as any).ok, done);
});

test('a read is repeated retriesMax times, then it fails', async (t) => {
  const limits = { retriesMax: 2, crashLoopAfter: 100 };
  const { client, server, clock } = await startReadyClient(t, 'sessions', { limits });
  const reply = client.listResources();
  for (let n = 0; n < 3; n++) {
    if (n > 0) {
      await clock.advance(n * 1_000);
      await server.initialize();
    }
    (await server.next('resources/list')).connection.drop();
  }
  assert.equal(((await reply) as any).error.code, 'ERR_MCP_CONNECTION_LOST');
});

test('a server that keeps failing is a crash loop: requests fail at once, attempts go on, and it heals', async (t) => {
  const { client, server, clock, events } = await startTestClient(t, { negotiation: 'legacy' });
  server.refuses = true;
  const waiting = client.listTools();
  const ready = client.ready();
  (await server.next('initialize')).connection.drop();
  for (const delay of [1_000, 2_000, 4_000, 8_000]) await clock.advance(delay);
  assert.equal((await events.state('crash_loop')).delayMs, 16_000);
  assert.equal(server.refused, 4);
  assert.match(((await waiting) as any).error.message, /tools\/list was not sent: 5 attempts in a row have failed/);
  assert.equal(((await ready) as any).error.code, 'ERR_MCP_UNAVAILABLE');
  assert.equal(((await client.listTools()) as any).error.code, 'ERR_MCP_UNAVAILABLE');
  assert.equal(((await client.status()) as any).ok.state, 'crash_loop');
  server.refuses = false;
  await clock.advance(16_000);
  await server.initialize();
  await events.state('ready');
  assert.equal(((await client.status()) as any).ok.agreed.version, '2025-11-25');
});

test('failures are forgotten after a connection that has lasted, and only then', async (t) => {
  const { server, clock, events } = await startReadyClient(t, 'sessions');
  server.connections.at(-1)!.drop();
  assert.equal((await events.state('waiting', 1)).delayMs, 1_000);
  await clock.advance(1_000);
  await server.initialize();
  await clock.advance(59_000);
  server.connections.at(-1)!.drop();
  assert.equal((await events.state('waiting', 2)).delayMs, 2_000);
  await clock.advance(2_000);
  await server.initialize();
  await clock.advance(60_000);
  server.connections.at(-1)!.drop();
  assert.equal((await events.state('waiting', 3)).delayMs, 1_000);
});

test('reconnect does not wait', async (t) => {
  const { client, server, events } = await startReadyClient(t, 'sessions');
  server.connections[0]!.drop();
  await events.state('waiting');
  client.reconnect();
  await server.initialize();
  assert.equal(((await client.ready()) as any).ok.state, 'ready');
});

test('subscriptions and the log level are restored on the next connection', async (t) => {
  const { client, server, clock } = await startReadyClient(t, 'sessions');
  const subscribed = client.subscribe('a:b');
  const request = await server.next('resources/subscribe');
  request.connection.result(request, {});
  assert.deepEqual(await subscribed, { ok: {} });
  const level = client.setLevel('error');
  const set = await server.next('logging/setLevel');
  set.connection.result(set, {});
  await level;
  server.connections[0]!.drop();
  await clock.advance(1_000);
  await server.initialize();
  assert.equal((await server.next('resources/subscribe')).message.params.uri, 'a:b');
  assert.equal((await server.next('logging/setLevel')).message.params.level, 'error');
});

test('a subscription that the server refuses is not kept, and one that was ended is not restored', async (t) => {
  const { client, server, clock } = await startReadyClient(t, 'sessions');
  const refused = client.subscribe('a:b');
  const request = await server.next('resources/subscribe');
  request.connection.error(request, { code: -32002, message: 'no such resource' });
  assert.equal(((await refused) as any).error.code, 'ERR_MCP_RPC');
  const subscribed = client.subscribe('c:d');
  const second = await server.next('resources/subscribe');
  second.connection.result(second, {});
  await subscribed;
  const ended = client.unsubscribe('c:d');
  const third = await server.next('resources/unsubscribe');
  third.connection.result(third, {});
  await ended;
  server.connections[0]!.drop();
  await clock.advance(1_000);
  await server.initialize();
  const list = client.listTools();
  const listed = await server.next('tools/list');
  listed.connection.result(listed, { tools: [] });
  await list;
  assert.deepEqual(server.unread, []);
});

test('stateless: what is listened to is one stream, opened anew when it changes, ends or is lost', async (t) => {
  const { client, server, clock, events } = await startReadyClient(t, 'stateless', {
    handlers: { notification: () => {} },
  });
  const first = await server.next('subscriptions/listen');
  assert.deepEqual(first.message.params.notifications, { toolsListChanged: true });
  await client.subscribe('a:b');
  assert.equal((await server.next('notifications/cancelled')).message.params.requestId, first.message.id);
  const second = await server.next('subscriptions/listen');
  const notifications = { toolsListChanged: true, resourceSubscriptions: ['a:b'] };
  assert.deepEqual(second.message.params.notifications, notifications);
  second.connection.say({ method: 'notifications/subscriptions/acknowledged', params: { notifications: {} } });
  assert.equal((await events.until('subscription_failed')).text, 'a:b');
  second.connection.result(second, { resultType: 'complete' });
  await clock.advance(1_000);
  assert.deepEqual((await server.next('subscriptions/listen')).message.params.notifications, notifications);
  server.connections[0]!.drop();
  await clock.advance(1_000);
  await server.discover();
  assert.deepEqual((await server.next('subscriptions/listen')).message.params.notifications, notifications);
});

test('a server that ends when it is asked with server/discover is asked for a session next', async (t) => {
  const { server, clock, events } = await startTestClient(t);
  (await server.next('server/discover')).connection.drop();
  await events.state('waiting');
  await clock.advance(1_000);
  await server.initialize();
  await events.state('ready');
});

test('a server that does not answer server/discover is of sessions', async (t) => {
  const { server, clock, client } = await startTestClient(t);
  await server.next('server/discover');
  await clock.advance(5_000);
  await server.initialize();
  assert.equal(((await client.ready()) as any).ok.agreed.era, 'sessions');
});

test('a server that does not answer initialize costs the connection, not the client', async (t) => {
  const limits = { connectTimeoutMs: 3_000 };
  const { server, clock, events } = await startTestClient(t, { negotiation: 'legacy', limits });
  await server.next('initialize');
  await clock.advance(3_000);
  assert.ok((await events.state('waiting')).reason);
  await server.until(() => server.connections[0]!.closed);
  await clock.advance(1_000);
  await server.initialize();
  await events.state('ready');
});

test('no common revision is a failure that says which', async (t) => {
  const { server, events } = await startTestClient(t, { negotiation: { pin: '2025-06-18' } });
  const request = await server.next('initialize');
  assert.equal(request.message.params.protocolVersion, '2025-06-18');
  request.connection.result(request, { protocolVersion: '2024-11-05', capabilities: {} });
  const { reason } = await events.state('waiting');
  assert.match(JSON.stringify(reason), /speaks 2024-11-05, this client is pinned to 2025-06-18/);
});

test('a killed connection process is restarted, and its carrier goes with it', async (t) => {
  const { system, server, client } = await startReadyClient(t, 'sessions');
  const pid = system.whereis('c');
  assert.ok(pid !== undefined);
  const reply = client.callTool('a');
  await server.next('tools/call');
  system.exitProcess(pid, 'kill');
  assert.equal(((await reply) as any).error.code, 'ERR_MCP_CONNECTION_LOST');
  await server.until(() => server.connections[0]!.closed);
  await server.initialize();
  assert.equal(((await client.ready()) as any).ok.state, 'ready');
});

test('a process that wants to know is told of states and notifications', async (t) => {
  const test = await startTestClient(t, { negotiation: 'legacy', notify: 'watcher' });
  const watcher = await openProcess(test, { name: 'watcher' });
  await test.server.initialize();
  await test.events.state('ready');
  const [connection] = test.server.connections;
  connection!.say({ method: 'notifications/message', params: { level: 'info', data: 'x' } });
  connection!.say({ method: 'notifications/tools/list_changed' });
  await test.client.status();
  const list = test.client.listTools();
  const listed = await test.server.next('tools/list');
  listed.connection.result(listed, { tools: [] });
  await list;
  const messages = await mailboxOf(watcher);
  const told = messages.map(({ tag, payload }) => [tag, (payload as any).state ?? (payload as any).method]);
  assert.deepEqual(told, [
    ['mcp_state', 'ready'],
    ['mcp_notification', 'notifications/message'],
    ['mcp_notification', 'notifications/tools/list_changed'],
  ]);
});

test('a hundred connections that are lost leave nothing behind', async (t) => {
  const limits = { backoffMinMs: 1, backoffMaxMs: 1, crashLoopAfter: 1_000 };
  // Its state is looked at, and must not be frozen for that.
  const options = { onSend: () => {} };
  const running = await startTestClient(t, { negotiation: 'legacy', limits }, undefined, options);
  const { client, server, clock, events, system } = running;
  await server.initialize();
  await events.state('ready');
  const kept = async (): Promise<unknown> => {
    // The ids that are remembered are bounded in number.
    const { answered, ...state } = await sys.getState(system, name('c'));
    const sizes = Object.entries(state).map(([key, value]: [string, any]) => [key, value?.size ?? value?.length]);
    return [sizes, processes(await system.tree())];
  };
  const before = await kept();
  for (let n = 0; n < 100; n++) {
    const lost = client.callTool('a');
    const call = await server.next('tools/call');
    call.connection.drop();
    assert.equal(((await lost) as any).error.code, 'ERR_MCP_CONNECTION_LOST');
    await events.state('waiting', n + 1);
    await clock.advance(1);
    await server.initialize();
    await events.state('ready', n + 2);
  }
  assert.deepEqual(await kept(), before);
});

function processes({ children }: TreeNode): number {
  return children.reduce((sum, below) => sum + processes(below), 1);
}
