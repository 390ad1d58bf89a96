/** The carrier over TCP against a server that is the test, on real sockets. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { clientOf, type McpClient, mcpClient } from '../../../mcp/client/index.ts';
import { startSystem } from '../../../runtime/index.ts';
import { type TcpClientOptions, tcpClient } from '../../../transports/client/index.ts';
import { authority, client as certificate, server as serverCertificate } from '../../support/certificates.ts';
import { ClientEvents } from '../../support/mcp-client-events.ts';
import { killSystem, systemName } from '../../support/test-system.ts';

const discovery = { resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities: {} };
const done = { resultType: 'complete', content: [{ type: 'text', text: 'é' }] };

interface Asked {
  readonly socket: net.Socket;
  readonly message: any;
}

/** A stateless server whose answers, beside that to server/discover, are the test's. */
class LineServer {
  readonly server: net.Server;
  readonly sockets: net.Socket[] = [];
  private readonly queue: Asked[] = [];
  private wake: () => void = () => {};

  constructor(make: (take: (socket: net.Socket) => void) => net.Server) {
    this.server = make((socket) => this.take(socket));
    this.server.on('connection', (socket) => this.sockets.push(socket));
  }

  async listen(port = 0): Promise<this> {
    this.server.listen(port, '127.0.0.1');
    await once(this.server, 'listening');
    return this;
  }

  get port(): number {
    return (this.server.address() as net.AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    if (this.server.listening) await new Promise((resolve) => this.server.close(resolve));
  }

  async next(): Promise<Asked> {
    while (this.queue.length === 0) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    return this.queue.shift()!;
  }

  private take(socket: net.Socket): void {
    socket.on('error', () => {});
    const lines = createInterface({ input: socket }).on('error', () => {});
    lines.on('line', (line) => {
      const message = JSON.parse(line);
      if (message.method === 'server/discover') {
        answer({ socket, message }, discovery);
        return;
      }
      this.queue.push({ socket, message });
      this.wake();
    });
  }
}

function answer({ socket, message }: Asked, result: object): void {
  socket.write(`${JSON.stringify({ jsonrpc: '2.0', id: message.id, result })}\n`);
}

async function serve(t: TestContext, make = (take: (socket: net.Socket) => void) => net.createServer(take)) {
  const server = await new LineServer(make).listen();
  t.after(() => server.close());
  return server;
}

interface Running {
  readonly client: McpClient;
  readonly events: ClientEvents;
}

async function run(t: TestContext, options: TcpClientOptions): Promise<Running> {
  const name = systemName();
  const events = new ClientEvents(t, name);
  const limits = { backoffMinMs: 1, backoffMaxMs: 1 };
  const transport = tcpClient(options);
  const children = [mcpClient('c', { transport, limits, negotiation: { pin: '2026-07-28' } })];
  const system = await startSystem({ name, children });
  t.after(() => killSystem(system));
  return { client: clientOf(system, 'c'), events };
}

test('an answer in many pieces, cut in the middle of a character', async (t) => {
  const server = await serve(t);
  const { client } = await run(t, { port: server.port });
  const reply = client.callTool('a');
  const { socket, message } = await server.next();
  const text = `${JSON.stringify({ jsonrpc: '2.0', id: message.id, result: done })}\r\n`;
  for (const byte of Buffer.from(text)) socket.write(Buffer.from([byte]));
  assert.equal(((await reply) as any).ok.content[0].text, 'é');
});

test('a server that is not there yet: calls wait, and go out when it is', async (t) => {
  const server = await serve(t);
  const { port } = server;
  await server.close();
  const { client, events } = await run(t, { port });
  assert.match(JSON.stringify((await events.state('waiting')).reason), /"connect":\{"code":"ECONNREFUSED"/);
  const later = await new LineServer((take) => net.createServer(take)).listen(port);
  t.after(() => later.close());
  client.reconnect();
  const reply = client.callTool('a');
  answer(await later.next(), done);
  assert.ok('ok' in (await reply));
});

test('a server that closes, or ends its half: a read is repeated, a tool call is lost', async (t) => {
  const server = await serve(t);
  const { client } = await run(t, { port: server.port });
  const read = client.readResource('a:b');
  (await server.next()).socket.destroy();
  answer(await server.next(), { resultType: 'complete', contents: [] });
  assert.ok('ok' in (await read));
  const called = client.callTool('a');
  (await server.next()).socket.end();
  assert.equal(((await called) as any).error.code, 'ERR_MCP_CONNECTION_LOST');
});

test('a message past the bound is not kept, and the connection goes on', async (t) => {
  const server = await serve(t);
  const { client, events } = await run(t, { port: server.port, messageBytesMax: 1_000 });
  const reply = client.callTool('a');
  const asked = await server.next();
  asked.socket.write(`${'x'.repeat(5_000)}\n`);
  answer(asked, done);
  assert.ok('ok' in (await reply));
  assert.equal(events.of('malformed').length, 1);
});

test('a server that does not read is let go when too much waits for it', async (t) => {
  const server = await serve(t);
  const { client, events } = await run(t, { port: server.port, queuedBytesMax: 100_000 });
  await client.ready();
  for (const socket of server.sockets) socket.pause();
  const text = 'x'.repeat(1_000_000);
  const calls = Array.from({ length: 20 }, () => client.callTool('a', { text }));
  const { reason } = await events.state('waiting');
  assert.deepEqual(reason, { shutdown: { slow_reader: { limitBytes: 100_000 } } });
  const lost = ['ERR_MCP_CONNECTION_LOST'];
  const codes = new Set((await Promise.all(calls.slice(0, 1))).map((reply: any) => reply.error.code));
  assert.deepEqual([...codes], lost);
});

test('a flood of notifications is read as fast as it is handled, and none is lost', async (t) => {
  const server = await serve(t);
  const { client } = await run(t, { port: server.port, waitingTextsMax: 4 });
  let steps = 0;
  const reply = client.callTool('a', {}, { progress: () => void steps++ });
  const asked = await server.next();
  const { progressToken } = asked.message.params._meta;
  for (let progress = 1; progress <= 5_000; progress++) {
    const params = { progressToken, progress };
    asked.socket.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/progress', params })}\n`);
  }
  answer(asked, done);
  assert.ok('ok' in (await reply));
  assert.equal(steps, 5_000);
});

test('mutual TLS: the server is known by its authority, and sees who the client is', async (t) => {
  const options = { ...serverCertificate, ca: authority.cert, requestCert: true, rejectUnauthorized: true };
  const server = await serve(t, (take) => createTlsServer(options, take));
  const tls = { ca: authority.cert, ...certificate };
  const { client } = await run(t, { port: server.port, tls });
  const reply = client.callTool('a');
  answer(await server.next(), done);
  assert.ok('ok' in (await reply));
  const stranger = await run(t, { port: server.port, tls: {} });
  const { reason } = await stranger.events.state('waiting');
  assert.match(JSON.stringify(reason), /"connect":\{"code":"SELF_SIGNED_CERT_IN_CHAIN"/);
});

test('a server that never finishes the TLS handshake is given up after connectTimeoutMs', async (t) => {
  const server = await serve(t, () => net.createServer());
  const { events } = await run(t, { port: server.port, tls: {}, connectTimeoutMs: 20 });
  assert.match(JSON.stringify((await events.state('waiting')).reason), /"connect":\{"code":"ETIMEDOUT"/);
});

test('options that cannot be are refused', () => {
  const refused = (option: string, options: object): void =>
    assert.throws(() => tcpClient(options), { code: 'ERR_TRANSPORT_OPTION', option });
  refused('port', {});
  refused('path', { path: 'relative' });
  refused('tls', { port: 1, tls: { key: certificate.key, cert: authority.cert } });
  refused('connectTimeoutMs', { port: 1, connectTimeoutMs: 0 });
});
