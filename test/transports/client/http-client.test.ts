/** The carriers over HTTP/1.1 and HTTP/2 against real servers on real sockets. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import type { Server, Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { clientOf, type McpClient, mcpClient } from '../../../mcp/client/index.ts';
import { startSystem } from '../../../runtime/index.ts';
import { type HttpClientOptions, http2Client, httpClient } from '../../../transports/client/index.ts';
import type { CarrierLimits } from '../../../transports/limits.ts';
import { ClientEvents } from '../../support/mcp-client-events.ts';
import { killSystem, systemName } from '../../support/test-system.ts';

type Version = 'HTTP/1.1' | 'HTTP/2';

interface Asked {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly message: any;
}

/** A stateless server whose answers, beside that to server/discover, are the test's. */
class HttpServer {
  readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private readonly queue: Asked[] = [];
  private wake: () => void = () => {};

  readonly version: Version;

  constructor(version: Version) {
    this.version = version;
    const take = (request: unknown, response: unknown): void =>
      void this.take(request as IncomingMessage, response as ServerResponse);
    this.server = version === 'HTTP/2' ? createHttp2Server(take) : createServer(take);
    this.server.on('connection', (socket) => this.sockets.add(socket));
  }

  async listen(port = 0): Promise<this> {
    this.server.listen(port, '127.0.0.1');
    await once(this.server, 'listening');
    return this;
  }

  get port(): number {
    return (this.server.address() as { port: number }).port;
  }

  close(): Promise<unknown> {
    for (const socket of this.sockets) socket.destroy();
    return new Promise((resolve) => this.server.close(resolve));
  }

  async next(): Promise<Asked> {
    while (this.queue.length === 0) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    return this.queue.shift()!;
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const message = text === '' ? undefined : JSON.parse(text);
    if (message?.method === 'server/discover') {
      const result = { resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities: {} };
      answer({ request, response, message }, result);
      return;
    }
    this.queue.push({ request, response, message });
    this.wake();
  }
}

function answer({ response, message }: Asked, result: object): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ jsonrpc: '2.0', id: message.id, result }));
}

interface Running {
  readonly client: McpClient;
  readonly events: ClientEvents;
}

async function run(
  t: TestContext,
  server: { readonly port: number; readonly version: Version },
  options: Partial<CarrierLimits> & Pick<HttpClientOptions, 'headers'> = {},
): Promise<Running> {
  const name = systemName();
  const events = new ClientEvents(t, name);
  const { port, version } = server;
  const make = version === 'HTTP/2' ? http2Client : httpClient;
  const transport = make({ url: `http://127.0.0.1:${port}/mcp`, ...options });
  const limits = { backoffMinMs: 1, backoffMaxMs: 1 };
  const system = await startSystem({
    name,
    children: [mcpClient('c', { transport, limits, negotiation: { pin: '2026-07-28' } })],
  });
  t.after(() => killSystem(system));
  return { client: clientOf(system, 'c'), events };
}

async function serve(t: TestContext, version: Version): Promise<HttpServer> {
  const server = await new HttpServer(version).listen();
  t.after(() => server.close());
  return server;
}

const done = { resultType: 'complete', content: [{ type: 'text', text: 'é' }] };

for (const version of ['HTTP/1.1', 'HTTP/2'] as const) {
  describe(version, () => {
    test('given headers are in every request', async (t) => {
      const server = await serve(t, version);
      const { client } = await run(t, server, { headers: { Authorization: 'Bearer x' } });
      const reply = client.callTool('a');
      const asked = await server.next();
      assert.equal(asked.request.headers.authorization, 'Bearer x');
      answer(asked, done);
      assert.ok('ok' in (await reply));
    });

    test('an event stream, cut in the middle of a character, brings progress and the answer', async (t) => {
      const server = await serve(t, version);
      const { client } = await run(t, server);
      const steps: unknown[] = [];
      const reply = client.callTool('a', {}, { progress: ({ message }) => void steps.push(message) });
      const { response, message } = await server.next();
      response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
      const params = { progressToken: message.params._meta.progressToken, progress: 1, message: 'größe' };
      const events = [
        { method: 'notifications/progress', params },
        { id: message.id, result: done },
      ].map((each) => `event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', ...each })}\n\n`);
      for (const byte of Buffer.from(events.join(''))) response.write(Buffer.from([byte]));
      response.end();
      assert.equal(((await reply) as any).ok.content[0].text, 'é');
      assert.deepEqual(steps, ['größe']);
    });

    test('a cancelled call closes its stream: the server sees it, and other calls go on', async (t) => {
      const server = await serve(t, version);
      const { client } = await run(t, server);
      const controller = new AbortController();
      const reply = client.callTool('a', {}, { signal: controller.signal });
      const other = client.callTool('b');
      const [first, second] = [await server.next(), await server.next()];
      const [a, b] = first.message.params.name === 'a' ? [first, second] : [second, first];
      const left = once(a.response, 'close');
      controller.abort();
      await left;
      assert.equal(((await reply) as any).error.code, 'ERR_MCP_CANCELLED');
      answer(b, done);
      assert.ok('ok' in (await other));
    });

    test('a server that hangs up: a read is repeated, a tool call is lost', async (t) => {
      const server = await serve(t, version);
      const { client } = await run(t, server);
      const read = client.readResource('a:b');
      (await server.next()).response.destroy();
      answer(await server.next(), { resultType: 'complete', contents: [] });
      assert.ok('ok' in (await read));
      const called = client.callTool('a');
      (await server.next()).response.destroy();
      assert.equal(((await called) as any).error.code, 'ERR_MCP_CONNECTION_LOST');
    });

    test('a response that is cut off in its middle is no answer', async (t) => {
      const server = await serve(t, version);
      const { client } = await run(t, server);
      const called = client.callTool('a');
      const { response } = await server.next();
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
      response.write('{"jsonrpc":', () => response.destroy());
      assert.equal(((await called) as any).error.code, 'ERR_MCP_CONNECTION_LOST');
    });

    test('a server that is not there yet: calls wait, and go out when it is', async (t) => {
      const server = await serve(t, version);
      const { port } = server;
      await server.close();
      const { client, events } = await run(t, { port, version });
      const reason = JSON.stringify((await events.state('waiting')).reason);
      assert.match(reason, /ECONNREFUSED/);
      const later = await new HttpServer(version).listen(port);
      t.after(() => later.close());
      client.reconnect();
      const reply = client.callTool('a');
      answer(await later.next(), done);
      assert.ok('ok' in (await reply));
    });

    test('a message past the bound is an error, and not kept', async (t) => {
      const server = await serve(t, version);
      const { client, events } = await run(t, server, { messageBytesMax: 1_000 });
      for (const type of ['application/json', 'text/event-stream']) {
        const reply = client.callTool('a');
        const { response, message } = await server.next();
        const text = JSON.stringify({
          jsonrpc: '2.0',
          id: message.id,
          result: { ...done, _meta: { x: 'x'.repeat(2_000) } },
        });
        response.writeHead(200, { 'content-type': type });
        response.end(type === 'application/json' ? text : `data: ${text}\n\n`);
        assert.equal(((await reply) as any).error.code, 'ERR_MCP_RESULT', type);
      }
      assert.equal(events.of('malformed').length, 2);
    });

    test('a flood of notifications is read as fast as it is handled, and none is lost', async (t) => {
      const server = await serve(t, version);
      const { client } = await run(t, server, { waitingTextsMax: 4 });
      let steps = 0;
      const reply = client.callTool('a', {}, { progress: () => void steps++ });
      const { response, message } = await server.next();
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const { progressToken } = message.params._meta;
      for (let progress = 1; progress <= 5_000; progress++) {
        const params = { progressToken, progress };
        response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/progress', params })}\n\n`);
      }
      response.end(`data: ${JSON.stringify({ jsonrpc: '2.0', id: message.id, result: done })}\n\n`);
      assert.ok('ok' in (await reply));
      assert.equal(steps, 5_000);
    });

    test('a header value that HTTP does not allow fails its request, nothing else', async (t) => {
      const server = await serve(t, version);
      const { client } = await run(t, server);
      const bad = await client.request('bad\nmethod');
      assert.match((bad as any).error.message, /[Ii]nvalid/);
      const reply = client.callTool('a');
      answer(await server.next(), done);
      assert.ok('ok' in (await reply));
    });
  });
}

test('options that cannot be are refused', () => {
  const refused = (options: object, message: RegExp): void =>
    assert.throws(() => httpClient(options as HttpClientOptions), { code: 'ERR_TRANSPORT_OPTION', message });
  refused({ url: 'localhost:3000' }, /'url' must be/);
  refused({ url: 'ftp://a' }, /'url' must be/);
  refused({ url: 'http://a', headers: { a: 1 } }, /'headers' must be/);
  assert.throws(() => http2Client({ url: 'ftp://a' }), { code: 'ERR_TRANSPORT_OPTION', message: /'url' must be/ });
  assert.throws(() => http2Client({ url: 'https://a', tls: { ca: 'no', cert: 'no' } }), { option: 'tls' });
  assert.throws(() => http2Client({ url: 'https://a', connectTimeoutMs: 0 }), { option: 'connectTimeoutMs' });
  refused({ url: 'http://a', socketsMax: -1 }, /'socketsMax' must be/);
});
