import assert from 'node:assert/strict';
import { once } from 'node:events';
import type http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import { test } from 'node:test';
import { connect as tlsConnect } from 'node:tls';
import { startSystem } from '../../../runtime/index.ts';
import { http2ListenerName, streamableHttp2 } from '../../../transports/http2/index.ts';
import { authority, client, server } from '../../support/certificates.ts';
import { type ContractClient, transportContract } from '../../transport-contract.ts';
import { call, jsonHeaders, reasonOf } from '../http/client.ts';
import { Observer } from '../probe-endpoint.ts';
import { messagesOf, Session, withHttp2 } from './client.ts';

/** A client that keeps to one session. */
function contractClient(url: string): ContractClient {
  const session = new Session(url, { ca: authority.cert });
  return {
    request: async (message) => messagesOf(await session.request(JSON.stringify(message))),
    async notify(message) {
      assert.equal((await session.request(JSON.stringify(message))).status, 202);
    },
    requestUnread(message) {
      session.open(JSON.stringify(message)).on('response', () => {});
    },
    leave: () => session.http2.destroy(),
    closed: session.closed,
  };
}

for (const [name, tls] of [
  ['over TLS', server],
  ['without TLS', undefined],
] as const) {
  transportContract({
    name: `streamable http/2 ${name}`,
    many: true,
    create(limits) {
      return {
        transport: streamableHttp2({ port: 0, ...(tls && { tls }), ...limits }),
        connect: async (system) => contractClient((await system.call(http2ListenerName(), 'address')).url),
      };
    },
  });
}

const tls = server;

test('one port speaks HTTP/2 and HTTP/1.1, with TLS and without, under the same rules', async () => {
  await withHttp2({}, async ({ address }) => {
    using session = new Session(address.url);
    assert.deepEqual(JSON.parse((await session.call('echo', 'two')).text).result, 'two');
    assert.deepEqual(JSON.parse((await call(address.port, 'echo', 'one')).text).result, 'one');
    for (const [headers, status, reason] of [
      [{ ':path': '/other' }, 404, 'not_found'],
      [{ ':authority': 'evil.example' }, 403, 'host_not_allowed'],
      [{ origin: 'https://evil.example' }, 403, 'origin_not_allowed'],
      [{ ':method': 'PUT' }, 405, 'method_not_allowed'],
      [{ accept: 'text/html' }, 406, 'not_acceptable'],
      [{ 'content-type': 'text/plain' }, 415, 'unsupported_media_type'],
      [{ 'content-encoding': 'gzip' }, 415, 'unsupported_content_encoding'],
      [{ ':authority': 'localhost', host: 'evil.example' }, 400, 'malformed_request'],
    ] as const) {
      const refused = await session.request('{}', headers);
      assert.deepEqual([refused.status, reasonOf(refused.text)], [status, reason]);
    }
    assert.equal((await session.call('echo')).status, 200); // the session goes on
  });
  await withHttp2({ tls }, async ({ address }) => {
    assert.match(address.url, /^https:/);
    using session = new Session(address.url, { ca: authority.cert });
    assert.equal(session.http2.alpnProtocol ?? 'h2', 'h2');
    assert.deepEqual(JSON.parse((await session.call('echo', 'two')).text).result, 'two');
    const request = https.request(address.url, {
      method: 'POST',
      ca: authority.cert,
      headers: jsonHeaders,
      agent: false,
    });
    request.end(JSON.stringify({ id: 1, method: 'echo', params: 'one' }));
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    assert.equal(response.httpVersion, '1.1');
    let text = '';
    for await (const chunk of response) text += String(chunk);
    assert.equal(JSON.parse(text).result, 'one');
  });
});

test('without HTTP/1.1 its clients are cut off', async () => {
  await withHttp2({ allowHttp1: false }, async ({ address }) => {
    await assert.rejects(call(address.port, 'echo'), { code: 'ECONNRESET' });
    using session = new Session(address.url);
    assert.equal((await session.call('echo')).status, 200);
  });
  await withHttp2({ allowHttp1: false, tls }, async ({ address }) => {
    const socket = tlsConnect({
      port: address.port,
      host: '127.0.0.1',
      ca: authority.cert,
      ALPNProtocols: ['http/1.1'],
    });
    const [error] = await once(socket, 'error');
    assert.match(String(error), /no application protocol/i);
    using session = new Session(address.url, { ca: authority.cert });
    assert.equal((await session.call('echo')).status, 200);
  });
});

test('a client with a certificate is named, one without is refused', () =>
  withHttp2({ tls: { ...tls, clientCa: authority.cert } }, async ({ address, observer }) => {
    using session = new Session(address.url, { ca: authority.cert, ...client });
    assert.equal((await session.call('echo')).status, 200);
    const { info } = await observer.wait('open');
    assert.equal(info.principal, 'O=acme\\, inc,CN=ann');
    using stranger = new Session(address.url, { ca: authority.cert });
    await assert.rejects(stranger.call('echo'));
  }));

test('streams of one session are exchanges of one process, answered in any order', () =>
  withHttp2({}, async ({ address, observer, system }) => {
    using session = new Session(address.url);
    const answers = ['a', 'b', 'c'].map((name) => session.call(`hold-${name}`));
    for (const name of ['c', 'a', 'b']) {
      const { connection, inbound } = await observer.inbound(`hold-${name}`);
      const { exchange } = inbound;
      system.cast(connection, 'send', { exchange, message: { id: 1, result: name }, end: true });
    }
    assert.deepEqual(
      (await Promise.all(answers)).map(({ text }) => JSON.parse(text).result),
      ['a', 'b', 'c'],
    );
    assert.equal(observer.seen.filter(({ event }) => event === 'open').length, 1);
  }));

test('a stream that its client resets is aborted, the others go on', () =>
  withHttp2({}, async ({ address, observer, system }) => {
    using session = new Session(address.url);
    const left = session.open('{"id":1,"method":"hold-left"}');
    const answered = session.call('hold-stays');
    const { inbound } = await observer.inbound('hold-left');
    const stays = await observer.inbound('hold-stays');
    left.close(http2.constants.NGHTTP2_CANCEL);
    assert.equal((await observer.wait('abort')).exchange, inbound.exchange);
    const send = (exchange: number): void =>
      system.cast(stays.connection, 'send', { exchange, message: { id: 1, result: 'ok' }, end: true });
    send(inbound.exchange); // dropped
    send(stays.inbound.exchange);
    assert.equal(JSON.parse((await answered).text).result, 'ok');
  }));

test('status, headers, 202, DELETE, GET and comments are those of HTTP/1.1', () =>
  withHttp2({ sseKeepAliveMs: 5, allowedOrigins: ['https://app.example'] }, async ({ address, observer, system }) => {
    using session = new Session(address.url);
    const noted = await session.request('{"method":"note"}');
    assert.deepEqual([noted.status, noted.text], [202, '']);
    const deleted = await session.request(undefined, { ':method': 'DELETE' });
    assert.deepEqual([deleted.status, deleted.text], [200, '']);
    const head = await session.request(undefined, { ':method': 'HEAD' });
    assert.deepEqual([head.status, head.headers['allow'], head.text], [405, 'POST, GET, DELETE', '']);
    const answered = session.call('hold', undefined, { 'x-own': 'a', origin: 'https://app.example' });
    const held = await observer.inbound('hold');
    assert.equal(held.inbound.http?.headers['x-own'], 'a');
    assert.equal(held.inbound.http?.headers['host'], new URL(address.url).host);
    system.cast(held.connection, 'send', {
      exchange: held.inbound.exchange,
      message: { id: 1, error: {} },
      end: true,
      http: { status: 404, headers: { 'Mcp-Session-Id': 's1' } },
    });
    const answer = await answered;
    assert.deepEqual([answer.status, answer.headers['mcp-session-id']], [404, 's1']);
    assert.equal(answer.headers['access-control-allow-origin'], 'https://app.example');
    const got = session.open(undefined, { ':method': 'GET' });
    let text = '';
    got.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
    });
    while (text.split(': keep-alive\n\n').length < 3) await once(got, 'data');
    const { connection, inbound } = await observer.wait('inbound', (seen) => seen.inbound.http?.method === 'GET');
    system.cast(connection, 'send', { exchange: inbound.exchange, message: { method: 'news' }, end: true });
    await once(got, 'end');
    assert.match(text, /event: message\ndata: \{"method":"news"\}\n\n$/);
  }));

test('credentials do not lie open, and what everybody may read is answered without the endpoint', async () => {
  const observer = new Observer();
  const spec = { ...observer.spec, documents: { '/.well-known/thing': { a: 1 } } };
  const transport = streamableHttp2({ port: 0 });
  const system = await startSystem({ children: [transport.childSpec(spec)] });
  const { url } = await system.call(http2ListenerName(), 'address');
  using session = new Session(url);
  await session.call('echo', 1, { authorization: 'Bearer secret' });
  const { inbound } = await observer.inbound('echo');
  assert.equal(inbound.http?.headers['authorization'], undefined);
  assert.equal(inbound.http?.authorization?.reveal(), 'Bearer secret');
  const read = await session.request(undefined, { ':method': 'GET', ':path': '/.well-known/thing' });
  assert.deepEqual([read.status, JSON.parse(read.text)], [200, { a: 1 }]);
  await system.stop();
});
