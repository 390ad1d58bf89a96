/** The carrier over WebSocket against a server that is the test, on real sockets. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { type TestContext, test } from 'node:test';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import { clientOf, type McpClient, mcpClient } from '../../../mcp/client/index.ts';
import { startSystem } from '../../../runtime/index.ts';
import { type WebSocketClientOptions, webSocketClient } from '../../../transports/client/index.ts';
import { ClientEvents } from '../../support/mcp-client-events.ts';
import { killSystem, systemName } from '../../support/test-system.ts';

const discovery = { resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities: {} };
const done = { resultType: 'complete', content: [{ type: 'text', text: 'é' }] };

interface Asked {
  readonly socket: WebSocket;
  readonly message: any;
  readonly headers: Record<string, unknown>;
}

/** A stateless server whose answers, beside that to server/discover, are the test's. */
class ScriptedWebSocketServer {
  readonly server: WebSocketServer;
  readonly url: string;
  private readonly queue: Asked[] = [];
  private wake: () => void = () => {};

  private constructor(server: WebSocketServer) {
    this.server = server;
    this.url = `ws://127.0.0.1:${(server.address() as net.AddressInfo).port}/mcp`;
    server.on('connection', (socket, { headers }) => {
      socket.on('error', () => {});
      socket.on('message', (data: Buffer) => {
        const message = JSON.parse(data.toString());
        if (message.method === 'server/discover') {
          answer({ socket, message }, discovery);
          return;
        }
        this.queue.push({ socket, message, headers });
        this.wake();
      });
    });
  }

  static async listen(t: TestContext, options: ServerOptions = {}): Promise<ScriptedWebSocketServer> {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', ...options });
    await once(server, 'listening');
    t.after(() => {
      for (const socket of server.clients) socket.terminate();
      server.close();
    });
    return new ScriptedWebSocketServer(server);
  }

  async next(): Promise<Asked> {
    while (this.queue.length === 0) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    return this.queue.shift()!;
  }
}

function answer({ socket, message }: Pick<Asked, 'socket' | 'message'>, result: object): void {
  socket.send(JSON.stringify({ jsonrpc: '2.0', id: message.id, result }));
}

async function run(
  t: TestContext,
  options: WebSocketClientOptions,
): Promise<{ readonly client: McpClient; readonly events: ClientEvents }> {
  const name = systemName();
  const events = new ClientEvents(t, name);
  const limits = { backoffMinMs: 1, backoffMaxMs: 1 };
  const transport = webSocketClient(options);
  const children = [mcpClient('c', { transport, limits, negotiation: { pin: '2026-07-28' } })];
  const system = await startSystem({ name, children });
  t.after(() => killSystem(system));
  return { client: clientOf(system, 'c'), events };
}

test('the subprotocol mcp and given headers are in the upgrade', async (t) => {
  const server = await ScriptedWebSocketServer.listen(t);
  const { client } = await run(t, { url: server.url, headers: { Authorization: 'Bearer x' } });
  const reply = client.callTool('a');
  const asked = await server.next();
  assert.equal(asked.headers['authorization'], 'Bearer x');
  assert.equal(asked.headers['sec-websocket-protocol'], 'mcp');
  answer(asked, done);
  assert.equal(((await reply) as any).ok.content[0].text, 'é');
});

test('a server that goes away: a read is repeated, a tool call is lost, the state says why', async (t) => {
  const server = await ScriptedWebSocketServer.listen(t);
  const { client, events } = await run(t, { url: server.url });
  const read = client.readResource('a:b');
  (await server.next()).socket.close(1_001, 'restart');
  assert.deepEqual((await events.state('waiting')).reason, {
    shutdown: { connection_closed: { code: 'WS_1001', message: 'restart' } },
  });
  answer(await server.next(), { resultType: 'complete', contents: [] });
  assert.ok('ok' in (await read));
  const called = client.callTool('a');
  (await server.next()).socket.terminate();
  assert.equal(((await called) as any).error.code, 'ERR_MCP_CONNECTION_LOST');
});

test('a server that refuses the upgrade, or is not there, or does not answer: the state says so', async (t) => {
  const server = await ScriptedWebSocketServer.listen(t, { path: '/other' });
  const refused = await run(t, { url: server.url });
  assert.match(JSON.stringify((await refused.events.state('waiting')).reason), /"connect":.*400/);
  const absent = await run(t, { url: 'ws://127.0.0.1:1/mcp' });
  assert.match(JSON.stringify((await absent.events.state('waiting')).reason), /"connect":\{"code":"ECONNREFUSED"/);
  const silent = net.createServer((socket) => void t.after(() => socket.destroy())).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.after(() => silent.close());
  const url = `ws://127.0.0.1:${(silent.address() as net.AddressInfo).port}`;
  const waiting = await run(t, { url, connectTimeoutMs: 30 });
  assert.match(JSON.stringify((await waiting.events.state('waiting')).reason), /"connect":\{"code":"ETIMEDOUT"/);
});

test('a server that answers no ping is taken for gone', async (t) => {
  const server = await ScriptedWebSocketServer.listen(t, { autoPong: false });
  const { events } = await run(t, { url: server.url, pingIntervalMs: 50 });
  assert.match(
    JSON.stringify((await events.state('waiting')).reason),
    /"code":"ETIMEDOUT","message":"no answer to a ping/,
  );
});

test('a message past the bound ends the connection, with the reason', async (t) => {
  const server = await ScriptedWebSocketServer.listen(t);
  const { client, events } = await run(t, { url: server.url, messageBytesMax: 1_000 });
  const called = client.callTool('a');
  (await server.next()).socket.send('x'.repeat(2_000));
  assert.equal(((await called) as any).error.code, 'ERR_MCP_CONNECTION_LOST');
  assert.match(JSON.stringify((await events.state('waiting')).reason), /WS_ERR_UNSUPPORTED_MESSAGE_LENGTH/);
});

test('a flood of notifications is read as fast as it is handled, and none is lost', async (t) => {
  const server = await ScriptedWebSocketServer.listen(t);
  const { client } = await run(t, { url: server.url, waitingTextsMax: 4 });
  let steps = 0;
  const reply = client.callTool('a', {}, { progress: () => void steps++ });
  const asked = await server.next();
  const { progressToken } = asked.message.params._meta;
  for (let progress = 1; progress <= 5_000; progress++) {
    const params = { progressToken, progress };
    asked.socket.send(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/progress', params }));
  }
  answer(asked, done);
  assert.ok('ok' in (await reply));
  assert.equal(steps, 5_000);
});

test('options that cannot be are refused', () => {
  const refused = (option: string, options: object): void =>
    assert.throws(() => webSocketClient(options as WebSocketClientOptions), { code: 'ERR_TRANSPORT_OPTION', option });
  refused('url', { url: 'http://a' });
  refused('headers', { url: 'ws://a', headers: { a: 1 } });
  refused('pingIntervalMs', { url: 'ws://a', pingIntervalMs: -1 });
  refused('tls', { url: 'wss://a', tls: { key: 'x' } });
});
