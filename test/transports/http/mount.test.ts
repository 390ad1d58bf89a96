import assert from 'node:assert/strict';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { type System, startSystem } from '../../../runtime/index.ts';
import { deepFreeze } from '../../../runtime/testing.ts';
import { type HttpOptions, mountHttp } from '../../../transports/http/index.ts';
import { Observer } from '../probe-endpoint.ts';
import { call, messagesOf, post, RawSocket, reasonOf, request, turns } from './client.ts';

interface Mounted {
  readonly system: System;
  readonly observer: Observer;
  readonly port: number;
}

/** A program's own server: `/mcp` goes to the transport, `/own` is the program's, `/slow` waits for ever. */
async function withMount(options: HttpOptions, body: (mounted: Mounted) => Promise<void>): Promise<void> {
  const observer = new Observer();
  const mount = mountHttp(options);
  const system = await startSystem({ children: [mount.childSpec(observer.spec)], onSend: deepFreeze });
  const handle = mount.handler(system);
  const server = http.createServer((request, response) => {
    if (request.url === '/own') response.end('own');
    else if (request.url !== '/slow') handle(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await body({ system, observer, port: (server.address() as AddressInfo).port });
  } finally {
    await system.stop();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

test('a mounted endpoint answers under the server of the program, a process per socket', () =>
  withMount({}, async ({ port, observer }) => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    assert.equal(JSON.parse((await call(port, 'echo', 'a', { agent })).text).result, 'a');
    assert.equal((await request(port, { path: '/own', method: 'GET', agent })).text, 'own');
    assert.equal(messagesOf(await call(port, 'stream', { count: 3 }, { agent })).length, 4);
    assert.equal((await request(port, { body: '{"method":"note"}', agent })).status, 202);
    assert.equal(observer.seen.filter(({ event }) => event === 'open').length, 1);
    await call(port, 'echo');
    assert.equal(observer.seen.filter(({ event }) => event === 'open').length, 2);
    agent.destroy();
  }));

test('the checks are the same', () =>
  withMount({ messageBytesMax: 100 }, async ({ port }) => {
    const refused = async (options: Parameters<typeof request>[1]): Promise<unknown[]> => {
      const { status, text } = await request(port, { body: '{}', ...options });
      return [status, reasonOf(text)];
    };
    const json = { 'content-type': 'application/json' };
    assert.deepEqual(await refused({ path: '/else' }), [404, 'not_found']);
    assert.deepEqual(await refused({ headers: { ...json, host: 'evil.example' } }), [403, 'host_not_allowed']);
    assert.deepEqual(await refused({ headers: {} }), [415, 'unsupported_media_type']);
    assert.deepEqual(await refused({ body: `"${'x'.repeat(200)}"` }), [413, 'body_too_large']);
  }));

test('a client that leaves aborts its exchanges', () =>
  withMount({}, async ({ port, observer }) => {
    const raw = new RawSocket(port);
    raw.write(post('{"id":1,"method":"hold"}'));
    const { inbound } = await observer.inbound('hold');
    raw.socket.destroy();
    assert.equal((await observer.wait('abort')).exchange, inbound.exchange);
    assert.equal((await observer.wait('close')).reason, 'normal');
  }));

test('a stop finishes what is open and leaves the socket to the server, where the endpoint is then 503', () =>
  withMount({}, async ({ port, observer, system }) => {
    const raw = new RawSocket(port);
    raw.write(post('{"id":1,"method":"echo","params":"first"}'));
    await raw.until((text) => text.includes('first'));
    const held = call(port, 'hold');
    const { connection, inbound } = await observer.inbound('hold');
    const stopped = system.stop();
    await turns();
    system.cast(connection, 'send', { exchange: inbound.exchange, message: { result: 'last' }, end: true });
    assert.match((await held).text, /last/);
    await stopped;
    raw.write('GET /own HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await raw.until((text) => text.includes('own'));
    raw.write(post('{"id":2,"method":"echo"}'));
    assert.match(await raw.all(), /HTTP\/1.1 503 .*"reason":"unavailable"/s);
  }));

test('a failed connection costs its open requests; the socket serves the program on, and the endpoint again', () =>
  withMount({}, async ({ port, observer, system }) => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    assert.equal((await call(port, 'echo', 1, { agent })).status, 200);
    const { connection } = await observer.wait('open');
    system.exitProcess(connection, 'kill');
    await turns();
    assert.equal((await request(port, { path: '/own', method: 'GET', agent })).text, 'own');
    assert.equal((await call(port, 'echo', 2, { agent })).status, 200);
    const fallen = await call(port, 'fall', undefined, { agent });
    assert.deepEqual([fallen.status, reasonOf(fallen.text)], [500, 'internal_error']);
    assert.equal((await call(port, 'echo', 3, { agent })).status, 200);
    agent.destroy();
  }));

test('before its system runs the transport, and past its connections, requests are 503', async () => {
  const system = await startSystem({ children: [] });
  const server = http.createServer(mountHttp().handler(system));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const refused = await call((server.address() as AddressInfo).port, 'echo');
  assert.deepEqual([refused.status, reasonOf(refused.text)], [503, 'unavailable']);
  await system.stop();
  server.close();
  await withMount({ connectionsMax: 1 }, async ({ port }) => {
    const raw = new RawSocket(port);
    raw.write(post('{"id":1,"method":"echo"}'));
    await raw.until((text) => text.includes('"id":1'));
    assert.equal(reasonOf((await call(port, 'echo')).text), 'too_many_connections');
    raw.socket.destroy();
  });
});

test('a killed listener is restarted; known sockets go on, new ones come', () =>
  withMount({}, async ({ port, system }) => {
    const raw = new RawSocket(port);
    raw.write(post('{"id":1,"method":"echo","params":"one"}'));
    await raw.until((text) => text.includes('"one"'));
    const listener = system.whereis('http_listener' as never);
    assert.ok(listener);
    system.exitProcess(listener, 'kill');
    raw.write(post('{"id":2,"method":"echo","params":"two"}'));
    await raw.until((text) => text.includes('"two"'));
    while (system.whereis('http_listener' as never) === undefined) await turns(1);
    assert.equal((await call(port, 'echo')).status, 200);
    raw.socket.destroy();
  }));
