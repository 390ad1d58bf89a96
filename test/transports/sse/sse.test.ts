import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SSE_LIMITS, type SseOptions, sse, sseListenerName } from '../../../transports/sse/index.ts';
import { transportContract } from '../../transport-contract.ts';
import { reasonOf, request, turns } from '../http/client.ts';
import { connect, postHeaders, withSse } from './client.ts';

transportContract({
  name: 'http+sse',
  many: true,
  create(limits) {
    return {
      transport: sse({ port: 0, ...limits }),
      connect: async (system) => connect(await system.call(sseListenerName(), 'address')),
    };
  },
});

const streamHeaders = { accept: 'text/event-stream' };

test('a stream begins with the address of its session; a post is 202, its answer an event', () =>
  withSse({ path: '/events', messagePath: '/in' }, async ({ address, observer, connect }) => {
    assert.equal(address.url, `http://127.0.0.1:${address.port}/events`);
    const client = await connect();
    assert.match(client.endpoint, /^\/in\?sessionId=[0-9a-f-]{36}$/);
    assert.equal(client.response.headers['content-type'], 'text/event-stream');
    const { status, text } = await client.post('{"id":1,"method":"echo","params":"grüße"}');
    assert.deepEqual([status, text], [202, 'Accepted']);
    assert.deepEqual(await client.other(), { jsonrpc: '2.0', id: 1, result: 'grüße' });
    const { info } = await observer.wait('open');
    assert.deepEqual(info, { transport: 'sse', kind: 'stream', remoteAddress: '127.0.0.1' });
  }));

test('what may not be asked is refused, with the reason', () =>
  withSse({ messageBytesMax: 100, openExchangesMax: 1 }, async ({ address: { port }, connect }) => {
    const client = await connect();
    const stream = { method: 'GET', path: '/sse', headers: streamHeaders };
    const post = { path: client.endpoint, headers: postHeaders, body: '{}' };
    const origin = 'https://evil.example';
    const refused = async (status: number, reason: string, options: Parameters<typeof request>[1]): Promise<void> => {
      const response = await request(port, options);
      assert.deepEqual([response.status, reasonOf(response.text)], [status, reason]);
    };
    await refused(404, 'not_found', { ...stream, path: '/mcp' });
    await refused(403, 'origin_not_allowed', { ...stream, headers: { ...streamHeaders, origin } });
    await refused(406, 'not_acceptable', { ...stream, headers: { accept: 'text/html' } });
    await refused(405, 'method_not_allowed', { ...stream, method: 'DELETE' });
    await refused(404, 'session_not_found', { ...post, path: '/messages?sessionId=x' });
    await refused(404, 'session_not_found', { ...post, path: '/messages' });
    await refused(403, 'origin_not_allowed', { ...post, headers: { ...postHeaders, origin } });
    await refused(415, 'unsupported_media_type', { ...post, headers: {} });
    await refused(413, 'body_too_large', { ...post, body: 'x'.repeat(101) });
    const chunked = { ...postHeaders, 'transfer-encoding': 'chunked' };
    await refused(413, 'body_too_large', { ...post, headers: chunked, body: 'x'.repeat(1_000) });
    await refused(400, 'invalid_utf8', { ...post, body: Buffer.from([0xff]) });
    await client.post('{"id":1,"method":"hold"}');
    await refused(503, 'too_many_exchanges', post);
  }));

test('past the connections of the listener or of an address a stream is refused', async () => {
  const stream = { method: 'GET', path: '/sse', headers: streamHeaders };
  await withSse({ connectionsMax: 1 }, async ({ address: { port }, connect }) => {
    await connect();
    const { status, text } = await request(port, stream);
    assert.deepEqual([status, reasonOf(text)], [503, 'too_many_connections']);
  });
  await withSse({ connectionsPerAddressMax: 1 }, async ({ address: { port }, connect }) => {
    await connect();
    const { status, text } = await request(port, stream);
    assert.deepEqual([status, reasonOf(text)], [503, 'too_many_connections_of_address']);
  });
});

test('a session ends with its stream', () =>
  withSse({}, async ({ system, observer, connect }) => {
    const client = await connect();
    const { connection } = await observer.wait('open');
    const other = await connect();
    client.leave();
    while (system.isAlive(connection)) await turns(1);
    const { status, text } = await other.post('{}', { path: client.endpoint });
    assert.deepEqual([status, reasonOf(text)], [404, 'session_not_found']);
  }));

test('sessions live on when the listener crashes: the next one takes their posts', () =>
  withSse({}, async ({ system, connect }) => {
    const client = await connect();
    const before = system.whereis(sseListenerName());
    assert.ok(before);
    system.exitProcess(before, 'kill');
    while ([before, undefined].includes(system.whereis(sseListenerName()))) await turns(1);
    await system.call(sseListenerName(), 'address');
    assert.equal((await client.request({ id: 1, method: 'echo', params: 'on' }))[0].result, 'on');
  }));

test('while a connection drains a post is 503, and the last answer arrives', () =>
  withSse({}, async ({ system, observer, connect }) => {
    const client = await connect();
    const answered = client.request({ id: 1, method: 'hold' });
    const { connection, inbound } = await observer.inbound('hold');
    system.cast(connection, 'close', { shutdown: 'over' });
    await turns();
    const { status, text } = await client.post('{"id":2,"method":"late"}');
    assert.deepEqual([status, reasonOf(text)], [503, 'unavailable']);
    const message = { id: 1, result: 'in time' };
    system.cast(connection, 'send', { exchange: inbound.exchange, message, end: true });
    assert.equal((await answered)[0].result, 'in time');
    await client.closed;
  }));

test('a page of a listed origin may ask before it opens a stream, and before it posts', () => {
  const origin = 'https://app.example';
  return withSse({ allowedOrigins: [origin] }, async ({ address, connect }) => {
    const { endpoint } = await connect();
    for (const [path, method] of [
      [new URL(address.url).pathname, 'GET'],
      [endpoint, 'POST'],
    ] as const) {
      const headers = { origin, 'access-control-request-method': method };
      const answer = await request(address.port, { path, method: 'OPTIONS', headers });
      assert.deepEqual([answer.status, answer.headers['access-control-allow-origin']], [204, origin], method);
    }
  });
});

test('a silent stream brings comments; an idle one is closed', () =>
  withSse({ sseKeepAliveMs: 20, idleTimeoutMs: 500 }, async ({ observer, connect }) => {
    const client = await connect();
    let text = '';
    client.response.on('data', (chunk: string) => {
      text += chunk;
    });
    while (!text.includes(': keep-alive\n\n')) await turns(1);
    await client.closed;
    assert.deepEqual((await observer.wait('close')).reason, { shutdown: { idle: { idleTimeoutMs: 500 } } });
  }));

test('options that cannot be are refused at once, by name', () => {
  const refused = (option: string, options: object): void =>
    assert.throws(() => sse(options as SseOptions), { code: 'ERR_TRANSPORT_OPTION', option });
  refused('port', {});
  refused('path', { port: 1, path: 'sse' });
  refused('messagePath', { port: 1, messagePath: '/sse' });
  refused('messagePath', { port: 1, messagePath: 'x' });
  refused('idleTimeoutMs', { port: 1, idleTimeoutMs: 0 });
  assert.equal(SSE_LIMITS.idleTimeoutMs, 1_800_000);
});
