/** What users of other servers complain of: what many clients, requests and connections cost that are left alone. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { MCP_LIMITS, mcpServer, text, tool } from '../../../mcp/index.ts';
import { nodeNames } from '../../../mcp/server/node-names.ts';
import { envelope, HttpClient, HttpSession, request, STATELESS } from '../../support/mcp-http-client.ts';
import { nodesAt, startNode, startSimulatedNode, type TestNode } from '../../support/mcp-node.ts';

const names = nodeNames('mcp');
const sizes = ({ system }: TestNode): unknown[] =>
  [names.sessionTable, names.logTable, names.listenTable, names.taskTable].map((table) => system.table(table)?.size);
const processes = async (node: TestNode): Promise<number[]> =>
  Promise.all(
    ['session_sup/session', 'request_sup/request', 'task_sup/task'].map(
      async (path) => (await nodesAt(node, `server_sup/${path}`)).length,
    ),
  );

test('stateless requests leave nothing behind, however many there were', async (t) => {
  const node = await startNode(t);
  const client = new HttpClient(node.url);
  t.after(() => client.close());
  const before = sizes(node);
  for (let n = 0; n < 100; n++) {
    const { result } = await client.stateless('tools/call', { name: 'echo', arguments: { text: 'a' } }).answer();
    assert.equal(result.resultType, 'complete');
  }
  assert.deepEqual(sizes(node), before);
  assert.deepEqual(await processes(node), [0, 0, 0]);
});

test('sessions that nobody ends: as many as there may be, and their time ends them', async (t) => {
  assert.equal(MCP_LIMITS.sessionsMax, 10_000);
  const node = await startSimulatedNode(t, { limits: { sessionsMax: 500 } });
  const clientInfo = { name: 'c', version: '1' };
  const negotiated = { version: '2025-11-25', clientInfo, clientCapabilities: {} };
  const opening = { server: 'test', negotiated, stream: undefined, principal: undefined };
  for (let n = 0; n < 500; n++) assert.ok('ok' in (await node.system.call(names.sessionManager, 'open', opening)));
  await assert.rejects(HttpSession.open(node.url), /503.*too_many_sessions/);
  await node.clock.advance(MCP_LIMITS.sessionIdleMs);
  assert.deepEqual(sizes(node), [0, 0, 0, 0]);
  assert.deepEqual(await processes(node), [0, 0, 0]);
  const session = await HttpSession.open(node.url);
  session.client.close();
});

test('200 connections with calls in flight that close together cost nobody else anything', async (t) => {
  const node = await startNode(t);
  const { port } = node.address;
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: {} });
  const sockets: Socket[] = [];
  for (let n = 0; n < 200; n++) {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    await once(socket, 'connect');
    // Half of a request: what is cut is in the middle of something.
    socket.write(`POST /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: ${body.length}\r\n\r\n${body.slice(0, 20)}`);
  }
  for (const socket of sockets) socket.destroy();
  const path = 'transport_sup/http/connections/HttpConnection';
  await node.events.until(async () => (await nodesAt(node, path)).length === 0);
  const session = await HttpSession.open(node.url);
  assert.deepEqual((await session.request('ping').answer()).result, {});
  session.client.close();
  assert.deepEqual(node.events.crashes, []);
});

test('who does not read the stream of its call is disconnected, and the call of another is answered', async (t) => {
  const server = mcpServer('test', {
    info: { name: 'test', version: '1' },
    tools: {
      floods: tool({ description: 'Logs without end.', input: { type: 'object' } }, async (_args, ctx) => {
        const line = 'x'.repeat(60_000);
        while (!ctx.signal.aborted) {
          ctx.log('error', line);
          await new Promise((resolve) => setImmediate(resolve));
        }
        return text('aborted');
      }),
      echo: tool({ description: 'Echoes.', input: { type: 'object' } }, () => text('echo')),
    },
  });
  const node = await startNode(t, { servers: [server] });
  const cut = node.events.until(() =>
    node.events.exits.find(({ reason }) => JSON.stringify(reason)?.includes('slow_reader')),
  );
  const _meta = { ...envelope(), 'io.modelcontextprotocol/logLevel': 'info' };
  const params = { name: 'floods', arguments: {}, _meta };
  const unread = http.request(node.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': STATELESS,
      'mcp-method': 'tools/call',
      'mcp-name': 'floods',
    },
  });
  unread.on('error', () => {
    // It is cut, as it should be.
  });
  unread.end(JSON.stringify(request(1, 'tools/call', params)));
  await once(unread, 'response'); // and nobody takes what comes
  const other = new HttpClient(node.url);
  t.after(() => other.close());
  await cut;
  const { result } = await other.stateless('tools/call', { name: 'echo', arguments: {} }).answer();
  assert.equal(result.content[0].text, 'echo');
  await node.events.until(async () => (await processes(node))[1] === 0);
  unread.destroy();
});

test('arguments 100,000 deep are refused with the id of their request, and the next is served', async (t) => {
  const node = await startNode(t);
  const session = await HttpSession.open(node.url);
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  const call = `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","arguments":{"text":${deep}}}}`;
  const { error, id } = await session.client.post(call, session.headers).answer();
  assert.deepEqual([id, error.code], [7, -32600]);
  assert.match(error.message, /more than 128 arrays and objects inside each other/);
  assert.deepEqual((await session.request('ping').answer()).result, {});
  session.client.close();
});
