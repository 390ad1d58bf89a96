/** What becomes of a request, against a server that is the test. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientOf } from '../../../mcp/client/index.ts';
import { settle } from '../../../runtime/testing.ts';
import { startReadyClient } from '../../support/mcp-client-system.ts';
import { mailboxOf, openProcess } from '../../support/test-system.ts';

const done = { content: [{ type: 'text', text: 'done' }] };

test('answers find their requests by id, in whatever order they come', async (t) => {
  const { client, server } = await startReadyClient(t, 'sessions');
  const replies = ['a', 'b', 'c'].map((name) => client.callTool(name));
  const calls = [await server.next('tools/call'), await server.next('tools/call'), await server.next('tools/call')];
  assert.equal(new Set(calls.map(({ message }) => message.id)).size, 3);
  for (const call of calls.reverse()) {
    call.connection.result(call, { content: [{ type: 'text', text: call.message.params.name }] });
  }
  const texts = (await Promise.all(replies)).map((reply: any) => reply.ok.content[0].text);
  assert.deepEqual(texts, ['a', 'b', 'c']);
});

test('an error of the server is data, and leaves the connection as it is', async (t) => {
  const { client, server } = await startReadyClient(t, 'sessions');
  const reply = client.callTool('a');
  const call = await server.next('tools/call');
  call.connection.error(call, { code: -32602, message: 'unknown tool', data: { a: 1 } });
  const { error } = (await reply) as any;
  assert.deepEqual([error.code, error.rpc], ['ERR_MCP_RPC', { code: -32602, message: 'unknown tool', data: { a: 1 } }]);
  assert.match(error.message, /tools\/call with error -32602: unknown tool/);
});

test('past its time a request fails, the server is told, and a late answer is dropped and reported', async (t) => {
  const { client, server, clock, events } = await startReadyClient(t, 'sessions');
  const reply = client.callTool('slow', {}, { timeoutMs: 2_000 });
  const call = await server.next('tools/call');
  await clock.advance(2_000);
  assert.equal(((await reply) as any).error.code, 'ERR_MCP_TIMEOUT');
  const cancelled = await server.next('notifications/cancelled');
  assert.equal(cancelled.message.params.requestId, call.message.id);
  call.connection.result(call, done);
  assert.equal((await events.until('late_response')).id, call.message.id);
});

test('an answer to no request is reported', async (t) => {
  const { server, events } = await startReadyClient(t, 'sessions');
  server.connections[0]!.say({ id: 4_711, result: {} });
  assert.equal((await events.until('unknown_response')).id, 4_711);
  server.connections[0]!.say({ id: 'constructor', result: {} });
  await events.until('unknown_response', ({ id }) => id === 'constructor');
});

test('a malformed line is reported, and a request whose answer it was fails at once', async (t) => {
  const { client, server, events } = await startReadyClient(t, 'sessions');
  const [connection] = server.connections;
  connection!.text('listening on port 3000');
  const event = await events.until('malformed');
  assert.deepEqual([event.problem, event.text], ['the message is not valid JSON', 'listening on port 3000']);
  connection!.fault('message_too_long');
  await events.until('malformed', ({ problem }) => problem === 'message_too_long');
  const reply = client.callTool('a');
  const call = await server.next('tools/call');
  connection!.text(JSON.stringify({ jsonrpc: '2.0', id: call.message.id, result: {}, error: {} }));
  assert.match(((await reply) as any).error.message, /is no message: a response has a result or an error, not both/);
});

test('a result that is not what the specification says is an error, not a crash', async (t) => {
  const { client, server, events } = await startReadyClient(t, 'sessions');
  for (const [method, ask] of [
    ['tools/list', () => client.listTools()],
    ['tools/call', () => client.callTool('a')],
    ['resources/read', () => client.readResource('a:b')],
  ] as const) {
    const reply = ask();
    const request = await server.next(method);
    request.connection.result(request, { tools: 1, content: 'x', contents: {} });
    assert.match(((await reply) as any).error.message, new RegExp(`the result of ${method} is malformed: .* an array`));
  }
  assert.deepEqual(events.of('handler_failed'), []);
});

test('progress comes in order and before the answer', async (t) => {
  const { client, server } = await startReadyClient(t, 'sessions');
  const seen: unknown[] = [];
  const reply = client.callTool('a', {}, { progress: (progress) => seen.push(progress) }).then((value) => {
    seen.push('answer');
    return value;
  });
  const call = await server.next('tools/call');
  const { progressToken } = call.message.params._meta;
  for (const progress of [1, 2]) {
    call.connection.say({ method: 'notifications/progress', params: { progressToken, progress, total: 2 } });
  }
  call.connection.result(call, done);
  assert.deepEqual(((await reply) as any).ok, done);
  assert.deepEqual(seen, [{ progress: 1, total: 2 }, { progress: 2, total: 2 }, 'answer']);
});

test('a progress function that throws costs the progress, not the request', async (t) => {
  const { client, server, events } = await startReadyClient(t, 'sessions');
  const reply = client.callTool(
    'a',
    {},
    {
      progress: () => {
        throw new Error('in the progress function');
      },
    },
  );
  const call = await server.next('tools/call');
  const { progressToken } = call.message.params._meta;
  call.connection.say({ method: 'notifications/progress', params: { progressToken, progress: 1 } });
  call.connection.result(call, done);
  assert.deepEqual(((await reply) as any).ok, done);
  await events.until('handler_failed');
});

test('a process hears of progress as a message; what comes after the answer is reported', async (t) => {
  const test = await startReadyClient(t, 'sessions');
  const { client, server, events } = test;
  const listener = await openProcess(test);
  const reply = client.callTool('a', {}, { progress: listener.pid });
  const call = await server.next('tools/call');
  const params = { progressToken: call.message.params._meta.progressToken, progress: 1, message: 'half' };
  call.connection.say({ method: 'notifications/progress', params });
  call.connection.result(call, done);
  await reply;
  const [message] = await mailboxOf(listener);
  assert.equal(message?.tag, 'mcp_progress');
  const { progress, message: text } = message!.payload as any;
  assert.deepEqual([progress, text], [1, 'half']);
  call.connection.say({ method: 'notifications/progress', params });
  await events.until('unknown_progress');
});

test('resetOnProgress starts the time anew, without a progress function too, but not past the maximum', async (t) => {
  const limits = { requestTimeoutMs: 1_000, requestTimeoutMaxMs: 2_500 };
  const { client, server, clock } = await startReadyClient(t, 'sessions', { limits });
  const reply = client.callTool('a', {}, { resetOnProgress: true });
  const call = await server.next('tools/call');
  const { progressToken } = call.message.params._meta;
  let over = false;
  void reply.then(() => {
    over = true;
  });
  for (const progress of [1, 2, 3]) {
    await clock.advance(800);
    assert.equal(over, false, `after ${progress * 800} ms`);
    call.connection.say({ method: 'notifications/progress', params: { progressToken, progress } });
    await settle();
  }
  await clock.advance(100);
  assert.match(((await reply) as any).error.message, /not answered within 2500 ms/);
});

test('an aborted signal cancels here and there; one aborted before sends nothing', async (t) => {
  const { client, server } = await startReadyClient(t, 'sessions');
  const before = await client.callTool('a', {}, { signal: AbortSignal.abort() });
  assert.equal((before as any).error.code, 'ERR_MCP_CANCELLED');
  const controller = new AbortController();
  const reply = client.callTool('a', {}, { signal: controller.signal });
  const call = await server.next('tools/call');
  controller.abort(new Error('enough'));
  assert.match(((await reply) as any).error.message, /cancelled: enough/);
  const { params } = (await server.next('notifications/cancelled')).message;
  assert.deepEqual(params, { requestId: call.message.id, reason: 'enough' });
  assert.deepEqual(server.unread, []);
});

test('the end of the caller cancels its requests', async (t) => {
  const test = await startReadyClient(t, 'sessions');
  const caller = await openProcess(test);
  void clientOf(caller.ctx, 'c').callTool('a');
  const call = await test.server.next('tools/call');
  caller.finish();
  const { params } = (await test.server.next('notifications/cancelled')).message;
  assert.equal(params.requestId, call.message.id);
});

test('a list is followed to its last page, with one deadline over all', async (t) => {
  const { client, server } = await startReadyClient(t, 'sessions');
  const reply = client.listTools();
  for (const page of [0, 1, 2]) {
    const request = await server.next('tools/list');
    assert.equal(request.message.params?.cursor, page === 0 ? undefined : `p${page}`);
    const tools = [{ name: `t${page}`, inputSchema: { type: 'object' } }];
    request.connection.result(request, page < 2 ? { tools, nextCursor: `p${page + 1}` } : { tools });
  }
  assert.deepEqual(
    ((await reply) as any).ok.map(({ name }: any) => name),
    ['t0', 't1', 't2'],
  );
});

test('a list whose cursors go in a circle, or that has too many pages, is an error', async (t) => {
  const { client, server } = await startReadyClient(t, 'sessions', { limits: { pagesMax: 3 } });
  const circle = client.listResources();
  for (let page = 0; page < 2; page++) {
    const request = await server.next('resources/list');
    request.connection.result(request, { resources: [], nextCursor: 'again' });
  }
  assert.match(((await circle) as any).error.message, /cursors go in a circle/);
  const endless = client.listPrompts();
  for (let page = 0; page < 3; page++) {
    const request = await server.next('prompts/list');
    request.connection.result(request, { prompts: [], nextCursor: `${page}` });
  }
  assert.match(((await endless) as any).error.message, /more than 3 pages/);
});

test('more requests than requestsMax are refused, and an ended one makes room', async (t) => {
  const { client, server } = await startReadyClient(t, 'sessions', { limits: { requestsMax: 1 } });
  const first = client.callTool('a');
  const call = await server.next('tools/call');
  assert.equal(((await client.callTool('b')) as any).error.code, 'ERR_MCP_BUSY');
  call.connection.result(call, done);
  await first;
  const third = client.callTool('c');
  const next = await server.next('tools/call');
  next.connection.result(next, done);
  assert.deepEqual(((await third) as any).ok, done);
});

test('a request that the agreed revision does not have is not sent', async (t) => {
  const { client, server } = await startReadyClient(t, 'stateless');
  const reply = await client.request('resources/subscribe', { uri: 'a:b' });
  assert.equal((reply as any).error.code, 'ERR_MCP_UNSUPPORTED');
  assert.deepEqual(
    server.unread.filter((method) => method === 'resources/subscribe'),
    [],
  );
});

test('a stateless request says in _meta what its client is, and a ping asks server/discover', async (t) => {
  const { client, server } = await startReadyClient(t, 'stateless', { info: { name: 'me', version: '9' } });
  const ping = client.ping();
  const request = await server.discover();
  const { _meta: meta } = request.message.params;
  assert.equal(meta['io.modelcontextprotocol/protocolVersion'], '2026-07-28');
  assert.deepEqual(meta['io.modelcontextprotocol/clientInfo'], { name: 'me', version: '9' });
  const capabilities = { extensions: { 'io.modelcontextprotocol/tasks': {} } };
  assert.deepEqual(meta['io.modelcontextprotocol/clientCapabilities'], capabilities);
  assert.ok('ok' in (await ping));
});

test('a client that does not run is an error, not a rejection', async (t) => {
  const { system } = await startReadyClient(t, 'sessions');
  assert.equal(((await clientOf(system, 'nobody').listTools()) as any).error.code, 'ERR_MCP_UNAVAILABLE');
});

test('a batch of the server is its messages, one by one', async (t) => {
  const { client, server, events } = await startReadyClient(t, 'sessions');
  const replies = [client.callTool('a'), client.callTool('b')];
  const calls = [await server.next('tools/call'), await server.next('tools/call')];
  const results = calls.map(({ message }) => ({ jsonrpc: '2.0', id: message.id, result: done }));
  server.connections[0]!.text(JSON.stringify([...results, 42]));
  for (const reply of await Promise.all(replies)) assert.deepEqual((reply as any).ok, done);
  assert.equal((await events.until('malformed')).problem, 'a message must be a JSON object');
});
