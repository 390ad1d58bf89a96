/** What the carrier over HTTP/2 does with its session, against our own server and others. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2, { type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import https from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import net from 'node:net';
import { type TestContext, test } from 'node:test';
import { clientOf, type McpClient, mcpClient } from '../../../mcp/client/index.ts';
import { mcpNode } from '../../../mcp/index.ts';
import { startSystem } from '../../../runtime/index.ts';
import { type Http2ClientOptions, http2Client } from '../../../transports/client/index.ts';
import { http2ListenerName, streamableHttp2 } from '../../../transports/http2/index.ts';
import { authority, client as clientCertificate, server as serverCertificate } from '../../support/certificates.ts';
import { ClientEvents } from '../../support/mcp-client-events.ts';
import { Gate, testServer } from '../../support/mcp-tools.ts';
import { killSystem, systemName } from '../../support/test-system.ts';

async function connect(
  t: TestContext,
  options: Http2ClientOptions,
): Promise<{ readonly client: McpClient; readonly events: ClientEvents }> {
  const name = systemName();
  const events = new ClientEvents(t, name);
  const limits = { backoffMinMs: 1, backoffMaxMs: 1 };
  const transport = http2Client(options);
  const system = await startSystem({ name, children: [mcpClient('c', { transport, limits })] });
  t.after(() => killSystem(system));
  return { client: clientOf(system, 'c'), events };
}

/** Answers server/discover; other requests are the test's. */
class Http2Server {
  readonly sessions: ServerHttp2Session[] = [];
  readonly calls: { readonly stream: ServerHttp2Stream; readonly id: number }[] = [];
  private wake: () => void = () => {};
  private readonly server = http2.createServer();

  constructor() {
    this.server.on('session', (session) => {
      this.sessions.push(session);
      session.on('stream', (stream) => void this.take(stream));
    });
  }

  async listen(t: TestContext): Promise<string> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    t.after(() => {
      for (const session of this.sessions) session.destroy();
      this.server.close();
    });
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/mcp`;
  }

  async next(): Promise<{ readonly stream: ServerHttp2Stream; readonly id: number }> {
    while (this.calls.length === 0) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    return this.calls.shift()!;
  }

  answer({ stream, id }: { readonly stream: ServerHttp2Stream; readonly id: number }, result: object): void {
    stream.respond({ ':status': 200, 'content-type': 'application/json' });
    stream.end(JSON.stringify({ jsonrpc: '2.0', id, result: { resultType: 'complete', ...result } }));
  }

  private async take(stream: ServerHttp2Stream): Promise<void> {
    stream.on('error', () => {}); // closes after it
    let text = '';
    for await (const piece of stream) text += String(piece);
    const { id, method } = JSON.parse(text);
    if (method === 'server/discover') {
      this.answer({ stream, id }, { supportedVersions: ['2026-07-28'], capabilities: {} });
      return;
    }
    this.calls.push({ stream, id });
    this.wake();
  }
}

const done = { content: [] };

test('all calls are streams of one session, with TLS and a certificate on both sides', async (t) => {
  const gate = new Gate();
  const name = systemName();
  const transport = streamableHttp2({ port: 0, tls: { ...serverCertificate, clientCa: authority.cert } });
  const system = await startSystem({
    name,
    children: [mcpNode('mcp', { servers: [testServer(gate)], transports: [transport] })],
  });
  t.after(() => killSystem(system));
  const { url } = await system.call(http2ListenerName(), 'address');
  const { client } = await connect(t, { url, tls: { ca: authority.cert, ...clientCertificate } });
  const replies = await Promise.all(Array.from({ length: 50 }, (_, n) => client.callTool('echo', { text: `${n}` })));
  assert.deepEqual(
    replies.map((reply: any) => reply.ok.content[0].text.split(',')[0]),
    Array.from({ length: 50 }, (_, n) => `${n}`),
  );
  const { children } = await system.tree();
  const at = (id: string, nodes: any[]): any[] =>
    nodes.flatMap((node) => (node.id === id ? [node] : at(id, node.children)));
  assert.equal(at('connections', [...children])[0].children.length, 1);
});

test('after GOAWAY what is open is finished, and what comes next goes to a new session', async (t) => {
  const server = new Http2Server();
  const { client } = await connect(t, { url: await server.listen(t) });
  const first = client.callTool('a');
  const held = await server.next();
  const [session] = server.sessions;
  const gone = new Promise((resolve) => session!.once('close', resolve));
  session!.goaway();
  await new Promise<void>((resolve) => session!.ping(() => resolve())); // by then the client has read it
  const second = client.callTool('b');
  server.answer(await server.next(), done);
  assert.ok('ok' in (await second));
  assert.equal(server.sessions.length, 2);
  server.answer(held, done);
  assert.ok('ok' in (await first));
  await gone;
});

test('a session that is cut off costs what was open on it; the next call has a new one', async (t) => {
  const server = new Http2Server();
  const { client } = await connect(t, { url: await server.listen(t) });
  const lost = client.callTool('a');
  await server.next();
  server.sessions[0]!.destroy();
  assert.equal(((await lost) as any).error.code, 'ERR_MCP_CONNECTION_LOST');
  const next = client.callTool('b');
  server.answer(await server.next(), done);
  assert.ok('ok' in (await next));
  assert.equal(server.sessions.length, 2);
});

test('a stream that the server refuses was not seen: the call is repeated', async (t) => {
  const server = new Http2Server();
  const { client } = await connect(t, { url: await server.listen(t) });
  const called = client.callTool('a');
  (await server.next()).stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
  server.answer(await server.next(), done);
  assert.ok('ok' in (await called));
});

test('an event stream that is reset has not come to its end', async (t) => {
  const server = new Http2Server();
  const { client } = await connect(t, { url: await server.listen(t) });
  const called = client.callTool('a');
  const { stream } = await server.next();
  stream.respond({ ':status': 200, 'content-type': 'application/json' });
  stream.write('{"jsonrpc":"2.0"', () => stream.destroy(new Error('fails')));
  assert.equal(((await called) as any).error.code, 'ERR_MCP_CONNECTION_LOST');
});

test('a server that speaks no HTTP/2, or nothing at all, is named as the reason', async (t) => {
  const silent = net.createServer();
  const sockets: Socket[] = [];
  const http1 = https.createServer({ ...serverCertificate });
  for (const each of [silent, http1] as Server[]) {
    each.on('connection', (socket) => sockets.push(socket)).listen(0, '127.0.0.1');
    await once(each, 'listening');
    t.after(() => each.close());
  }
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  const portOf = (server: Server): number => (server.address() as AddressInfo).port;
  const { events } = await connect(t, {
    url: `https://127.0.0.1:${portOf(http1)}/mcp`,
    tls: { ca: authority.cert },
  });
  assert.match(JSON.stringify((await events.state('waiting')).reason), /does not speak HTTP\/2/);
  const stalled = await connect(t, {
    url: `https://127.0.0.1:${portOf(silent)}/mcp`,
    tls: { ca: authority.cert },
    connectTimeoutMs: 20,
  });
  assert.match(JSON.stringify((await stalled.events.state('waiting')).reason), /no connection within 20 ms/);
});
