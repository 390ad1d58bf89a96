/** Sessions, streams and statuses over HTTP, against a server that is the test. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startReadyClient } from '../../support/mcp-client-system.ts';
import { ScriptedServer } from '../../support/scripted-server.ts';

const done = { content: [{ type: 'text', text: 'done' }] };
const http = (): ScriptedServer => new ScriptedServer('http');

test('a session is named in every message after initialize, and ended with the client', async (t) => {
  const { client, server, system } = await startReadyClient(t, 'sessions', {}, http());
  const reply = client.callTool('a');
  const call = await server.next('tools/call');
  assert.equal(call.http?.headers['mcp-session-id'], 's-1');
  assert.equal(call.http?.headers['mcp-protocol-version'], '2025-11-25');
  call.connection.result(call, done);
  await reply;
  const stopped = system.stop();
  const ended = await server.next('DELETE');
  assert.equal(ended.http?.headers['mcp-session-id'], 's-1');
  ended.connection.head(ended.exchange, 204);
  ended.connection.end(ended.exchange);
  await stopped;
});

test('404 opens another session, and the call goes to it: it was not carried out', async (t) => {
  const { client, server, events } = await startReadyClient(t, 'sessions', {}, http());
  const reply = client.callTool('a');
  const call = await server.next('tools/call');
  call.connection.head(call.exchange, 404);
  call.connection.end(call.exchange);
  await events.until('session_lost');
  const initialize = await server.initialize({}, { 'mcp-session-id': 's-2' });
  assert.equal(initialize.http?.headers['mcp-session-id'], undefined);
  const again = await server.next('tools/call');
  assert.equal(again.http?.headers['mcp-session-id'], 's-2');
  again.connection.result(again, done);
  assert.deepEqual(((await reply) as any).ok, done);
});

test('a server that answers 404 to every session it opens is an error in the end', async (t) => {
  const { client, server } = await startReadyClient(t, 'sessions', { limits: { retriesMax: 2 } }, http());
  const reply = client.callTool('a');
  for (let n = 2; n < 5; n++) {
    const call = await server.next('tools/call');
    call.connection.head(call.exchange, 404);
    call.connection.end(call.exchange);
    await server.initialize({}, { 'mcp-session-id': `s-${n}` });
  }
  assert.deepEqual(((await reply) as any).error.status, 404);
});

test('the listening stream brings notifications, and is opened again where it ended', async (t) => {
  const seen: string[] = [];
  const handlers = { notification: ({ method }: { method: string }) => void seen.push(method) };
  const { server, clock } = await startReadyClient(t, 'sessions', { handlers }, http());
  const stream = await server.next('GET');
  assert.equal(stream.http?.headers['mcp-session-id'], 's-1');
  stream.connection.head(stream.exchange, 200);
  stream.connection.say({ method: 'notifications/tools/list_changed' }, stream.exchange);
  stream.connection.end(stream.exchange, { lastEventId: 'e-9', retryMs: 500 });
  await clock.advance(499);
  assert.deepEqual(server.unread, []);
  await clock.advance(1);
  const next = await server.next('GET');
  assert.equal(next.http?.headers['last-event-id'], 'e-9');
  assert.deepEqual(seen, ['notifications/tools/list_changed']);
});

test('a server without a listening stream is not asked again', async (t) => {
  const { server, clock } = await startReadyClient(t, 'sessions', {}, http());
  const stream = await server.next('GET');
  stream.connection.head(stream.exchange, 405);
  stream.connection.end(stream.exchange);
  await clock.advance(120_000);
  assert.deepEqual(server.unread, []);
});

test('the stream of an answer that ends before it is resumed with its last event id', async (t) => {
  const { client, server, clock } = await startReadyClient(t, 'sessions', {}, http());
  await server.next('GET');
  const reply = client.callTool('a');
  const call = await server.next('tools/call');
  call.connection.head(call.exchange, 200);
  call.connection.end(call.exchange, { lastEventId: 'e-1', retryMs: 2_000 });
  await clock.advance(2_000);
  const resumed = await server.next('GET');
  assert.equal(resumed.http?.headers['last-event-id'], 'e-1');
  resumed.connection.head(resumed.exchange, 200);
  resumed.connection.say({ id: call.message.id, result: done }, resumed.exchange);
  resumed.connection.end(resumed.exchange);
  assert.deepEqual(((await reply) as any).ok, done);
});

test('stateless: the headers repeat the body; a cancelled call is a closed stream', async (t) => {
  const { client, server } = await startReadyClient(t, 'stateless', {}, http());
  const controller = new AbortController();
  const reply = client.callTool('größe', {}, { signal: controller.signal });
  const call = await server.next('tools/call');
  const { headers } = call.http!;
  assert.equal(headers['mcp-protocol-version'], '2026-07-28');
  assert.equal(headers['mcp-method'], 'tools/call');
  assert.equal(headers['mcp-name'], `=?base64?${Buffer.from('größe').toString('base64')}?=`);
  assert.equal(headers['mcp-session-id'], undefined);
  controller.abort();
  await reply;
  await client.status();
  assert.deepEqual([call.connection.aborted, server.unread], [[call.exchange], []]);
});

test('a session over HTTP: a cancelled call is told to the server, and its stream closed', async (t) => {
  const { client, server } = await startReadyClient(t, 'sessions', {}, http());
  const controller = new AbortController();
  const reply = client.callTool('a', {}, { signal: controller.signal });
  const call = await server.next('tools/call');
  controller.abort();
  await reply;
  assert.equal((await server.next('notifications/cancelled')).message.params.requestId, call.message.id);
  await client.status();
  assert.deepEqual(call.connection.aborted, [call.exchange]);
});

test('headers for arguments that do not agree are mended by the list of tools, once', async (t) => {
  const { client, server } = await startReadyClient(t, 'stateless', {}, http());
  const reply = client.callTool('a', { region: 'eu' });
  const call = await server.next('tools/call');
  assert.equal(call.http?.headers['mcp-param-region'], undefined);
  call.connection.error(call, { code: -32020, message: 'the header Mcp-Param-Region is missing' }, 400);
  const list = await server.next('tools/list');
  const properties = { region: { type: 'string', 'x-mcp-header': 'Region' } };
  list.connection.result(list, { tools: [{ name: 'a', inputSchema: { type: 'object', properties } }] });
  const again = await server.next('tools/call');
  assert.equal(again.http?.headers['mcp-param-region'], 'eu');
  again.connection.error(again, { code: -32020, message: 'still' }, 400);
  assert.equal(((await reply) as any).error.rpc.code, -32020);
});

test('a server that cannot be reached: the call waits for the next connection, it was not sent', async (t) => {
  const { client, server, clock, events } = await startReadyClient(t, 'sessions', {}, http());
  const reply = client.callTool('a');
  const call = await server.next('tools/call');
  const error = { code: 'ECONNREFUSED', message: 'connect ECONNREFUSED', sent: false };
  call.connection.end(call.exchange, { error });
  assert.match(JSON.stringify((await events.state('waiting')).reason), /ECONNREFUSED/);
  await clock.advance(1_000);
  await server.initialize({}, { 'mcp-session-id': 's-2' });
  const again = await server.next('tools/call');
  again.connection.result(again, done);
  assert.deepEqual(((await reply) as any).ok, done);
  assert.equal(server.connections.length, 1, 'the carrier stays');
});

test('a response that is cut off: a read is repeated at once, a tool call is lost', async (t) => {
  const { client, server } = await startReadyClient(t, 'sessions', {}, http());
  const error = { code: 'ECONNRESET', message: 'socket hang up', sent: true };
  const called = client.callTool('a');
  const call = await server.next('tools/call');
  call.connection.end(call.exchange, { error });
  assert.equal(((await called) as any).error.code, 'ERR_MCP_CONNECTION_LOST');
  const read = client.readResource('a:b');
  const first = await server.next('resources/read');
  first.connection.end(first.exchange, { error });
  const second = await server.next('resources/read');
  second.connection.result(second, { contents: [] });
  assert.ok('ok' in (await read));
});

test('statuses without a message: 503 is waited out for reads, 500 and 401 are errors', async (t) => {
  const { client, server } = await startReadyClient(t, 'sessions', {}, http());
  const answer = async (method: string, status: number): Promise<void> => {
    const request = await server.next(method);
    request.connection.head(request.exchange, status);
    request.connection.end(request.exchange);
  };
  const read = client.readResource('a:b');
  await answer('resources/read', 503);
  const again = await server.next('resources/read');
  again.connection.result(again, { contents: [] });
  assert.ok('ok' in (await read));
  const called = client.callTool('a');
  await answer('tools/call', 503);
  assert.deepEqual([((await called) as any).error.code, ((await called) as any).error.status], ['ERR_MCP_HTTP', 503]);
  const listed = client.listTools();
  await answer('tools/list', 401);
  assert.equal(((await listed) as any).error.code, 'ERR_MCP_AUTH');
});

test('a refusal without an id is the answer to the one request of its exchange', async (t) => {
  const { client, server } = await startReadyClient(t, 'sessions', {}, http());
  const reply = client.callTool('a');
  const call = await server.next('tools/call');
  call.connection.head(call.exchange, 400);
  call.connection.say({ error: { code: -32600, message: 'too long' } }, call.exchange);
  call.connection.end(call.exchange);
  assert.equal(((await reply) as any).error.rpc.message, 'too long');
});
