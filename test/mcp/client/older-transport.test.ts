/** A server that refuses Streamable HTTP: the client falls back to HTTP+SSE, against servers that are the test. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { McpClientSpec } from '../../../mcp/client/index.ts';
import { startTestClient, type TestClient } from '../../support/mcp-client-system.ts';
import { ScriptedServer } from '../../support/scripted-server.ts';
import type { Cleanup } from '../../support/test-system.ts';

const done = { content: [{ type: 'text', text: 'done' }] };

interface Fallback extends TestClient {
  readonly older: ScriptedServer;
}

async function start(t: Cleanup, spec: Partial<McpClientSpec> = {}): Promise<Fallback> {
  const server = new ScriptedServer('http');
  const older = new ScriptedServer('stream');
  const transport = { ...server.transport, older: older.transport };
  return { ...(await startTestClient(t, { negotiation: 'legacy', ...spec, transport }, server)), older };
}

/** Answers the next message of that method with a status, and an error of JSON-RPC if there is one. */
async function refuse(server: ScriptedServer, method: string, status: number, error?: object): Promise<void> {
  const request = await server.next(method);
  if (error !== undefined) return request.connection.error(request, error, status);
  request.connection.head(request.exchange, status);
  request.connection.text('<html>Cannot POST</html>', request.exchange);
  request.connection.end(request.exchange);
}

async function works({ client, older }: Fallback): Promise<void> {
  const reply = client.callTool('a');
  const call = await older.next('tools/call');
  call.connection.result(call, done);
  assert.deepEqual(await reply, { ok: done });
}

for (const status of [400, 404, 405]) {
  for (const error of [undefined, { code: -32000, message: 'Method not allowed.' }]) {
    const how = error === undefined ? 'a page for people' : 'an error of JSON-RPC';
    test(`initialize answered with HTTP ${status} and ${how}: HTTP+SSE is tried`, async (t) => {
      const running = await start(t);
      const { server, older, events, client } = running;
      await refuse(server, 'initialize', status, error);
      const initialize = await older.initialize({ protocolVersion: '2024-11-05' });
      await events.state('ready');
      assert.equal(initialize.message.params.protocolVersion, '2025-11-25');
      assert.match(events.of('older_transport')[0]!.problem!, error ? /Method not allowed/ : new RegExp(`${status}`));
      assert.equal(((await client.status()) as any).ok.agreed.version, '2024-11-05');
      await works(running);
      await server.until(() => server.connections[0]!.closed);
      assert.deepEqual(server.unread, [], 'nothing more goes the other way');
    });
  }
}

test('a client that probes falls back too, and asks for a session at once', async (t) => {
  const running = await start(t, { negotiation: 'auto' });
  await refuse(running.server, 'server/discover', 404);
  await refuse(running.server, 'initialize', 404);
  await running.older.initialize();
  await works(running);
  assert.deepEqual(running.older.unread, []);
});

test('401, 403 and what passes are no reason to fall back, and a pinned client never does', async (t) => {
  const others = [401, 403, 429, 500, 503].map((status) => [status, 'legacy'] as const);
  for (const [status, negotiation] of [...others, [404, { pin: '2025-06-18' }] as const]) {
    const { server, older, events } = await start(t, { negotiation });
    await refuse(server, 'initialize', status);
    await events.state(status === 401 || status === 403 ? 'unauthorized' : 'waiting');
    assert.deepEqual([older.connections, events.of('older_transport')], [[], []]);
  }
});

test('who has neither is told of both; the next attempt begins with what is newer', async (t) => {
  const running = await start(t);
  const { server, older, events, clock } = running;
  older.refuses = true;
  await refuse(server, 'initialize', 404);
  const { reason } = await events.state('waiting');
  assert.match(JSON.stringify(reason), /"refused":\{"initialize":".*404.*","status":404\},"http_sse":"refused"/);
  await clock.advance(1_000);
  await server.initialize();
  await events.state('ready');
  assert.equal(older.refused, 1);
});

test('a lost connection over HTTP+SSE is made again so; if that fails, the server is asked anew', async (t) => {
  const running = await start(t);
  const { server, older, events, clock } = running;
  await refuse(server, 'initialize', 405);
  await older.initialize();
  await events.state('ready');
  older.connections[0]!.drop();
  await events.state('waiting');
  await clock.advance(1_000);
  await older.initialize();
  await works(running);
  assert.equal(server.connections.length, 1);
  older.refuses = true;
  older.connections[1]!.drop();
  for (const failures of [2, 3]) {
    const { delayMs } = await events.state('waiting', failures);
    await clock.advance(delayMs!);
  }
  await server.initialize();
  await events.state('ready', 3);
});
