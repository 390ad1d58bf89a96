import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { test } from 'node:test';
import { listenerName, streamableHttp } from '../../../transports/http/index.ts';
import { transportContract } from '../../transport-contract.ts';
import { call, contractClient, jsonHeaders, post, RawSocket, reasonOf, request, turns, withHttp } from './client.ts';

transportContract({
  name: 'streamable http',
  many: true,
  create(limits) {
    return {
      transport: streamableHttp({ port: 0, ...limits }),
      connect: async (system) => contractClient((await system.call(listenerName('http'), 'address')).port),
    };
  },
});

test('one message is a JSON body, with its length', () =>
  withHttp({}, async ({ address }) => {
    const { status, headers, text } = await call(address.port, 'echo', 'grüße');
    assert.equal(status, 200);
    assert.equal(headers['content-type'], 'application/json');
    assert.equal(headers['content-length'], String(Buffer.byteLength(text)));
    assert.deepEqual(JSON.parse(text), { jsonrpc: '2.0', id: 1, result: 'grüße' });
  }));

test('a message before the last makes an event stream, which ends after the last', () =>
  withHttp({}, async ({ address }) => {
    const response = await call(address.port, 'stream', { count: 2 });
    assert.equal(response.headers['content-type'], 'text/event-stream');
    assert.equal(response.headers['cache-control'], 'no-store');
    assert.equal(response.headers['x-accel-buffering'], 'no');
    assert.equal(
      response.text,
      'event: message\ndata: {"method":"event","params":{"n":0,"of":1}}\n\n' +
        'event: message\ndata: {"method":"event","params":{"n":1,"of":1}}\n\n' +
        'event: message\ndata: {"jsonrpc":"2.0","id":1,"result":"done"}\n\n',
    );
  }));

test('a client that takes no event stream gets the last message only', () =>
  withHttp({}, async ({ address, observer }) => {
    const headers = { ...jsonHeaders, accept: 'application/json' };
    const response = await call(address.port, 'stream', { count: 2 }, { headers });
    assert.equal(response.headers['content-type'], 'application/json');
    assert.equal(JSON.parse(response.text).result, 'done');
    assert.equal((await observer.inbound('stream')).inbound.http?.acceptsStream, false);
  }));

test('a client that takes only an event stream gets its one message as one event', () =>
  withHttp({}, async ({ address }) => {
    const headers = { ...jsonHeaders, accept: 'text/event-stream' };
    const response = await call(address.port, 'echo', 'x', { headers });
    assert.equal(response.text, 'event: message\ndata: {"jsonrpc":"2.0","id":1,"result":"x"}\n\n');
  }));

test('no message is 202 without a body', () =>
  withHttp({}, async ({ address }) => {
    const { status, headers, text } = await request(address.port, { body: '{"method":"note"}' });
    assert.deepEqual([status, headers['content-length'], text], [202, '0', '']);
  }));

test('the endpoint says status and headers with its first message', () =>
  withHttp({}, async ({ address, observer, system }) => {
    const answered = call(address.port, 'hold', undefined, { headers: { ...jsonHeaders, 'x-own': 'a' } });
    const { connection, inbound } = await observer.inbound('hold');
    assert.equal(inbound.http?.headers['x-own'], 'a');
    const { exchange } = inbound;
    const head = { status: 404, headers: { 'Mcp-Session-Id': 's1' } };
    system.cast(connection, 'send', { exchange, message: { id: 1, error: {} }, end: true, http: head });
    const { status, headers } = await answered;
    assert.equal(status, 404);
    assert.equal(headers['mcp-session-id'], 's1');
    assert.equal((await call(address.port, 'echo')).headers['mcp-session-id'], undefined);
  }));

test('status and headers of messages that were dropped are not', () =>
  withHttp({}, async ({ address, observer, system }) => {
    const answered = call(address.port, 'hold', undefined, { headers: { ...jsonHeaders, accept: 'application/json' } });
    const { connection, inbound } = await observer.inbound('hold');
    const { exchange } = inbound;
    const head = { headers: { 'Mcp-Session-Id': 's2' } };
    system.cast(connection, 'send', { exchange, message: { method: 'dropped' }, end: false, http: head });
    system.cast(connection, 'send', { exchange, message: { id: 1, result: 1 }, end: true });
    assert.equal((await answered).headers['mcp-session-id'], 's2');
  }));

test('GET opens a stream at once, DELETE is answered with its status', () =>
  withHttp({}, async ({ address, observer, system }) => {
    const got = http.get({
      port: address.port,
      host: '127.0.0.1',
      path: '/mcp',
      headers: { accept: 'text/event-stream' },
    });
    const [response] = (await once(got, 'response')) as [http.IncomingMessage];
    assert.equal(response.headers['content-type'], 'text/event-stream');
    const { connection, inbound } = await observer.wait('inbound');
    assert.deepEqual([inbound.text, inbound.http?.method], ['', 'GET']);
    system.cast(connection, 'send', { exchange: inbound.exchange, message: { method: 'news' }, end: false });
    const [chunk] = await once(response, 'data');
    assert.equal(String(chunk), 'event: message\ndata: {"method":"news"}\n\n');
    got.destroy();
    assert.equal((await observer.wait('abort')).exchange, inbound.exchange);
    const deleted = await request(address.port, { method: 'DELETE', headers: {} });
    assert.deepEqual([deleted.status, deleted.text], [200, '']);
  }));

test('a silent stream is kept alive with comments', () =>
  withHttp({ sseKeepAliveMs: 5 }, async ({ address, observer, system }) => {
    const raw = new RawSocket(address.port);
    raw.write('GET /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n');
    await raw.until((text) => text.split(': keep-alive\n\n').length > 2);
    const { connection, inbound } = await observer.wait('inbound');
    system.cast(connection, 'send', { exchange: inbound.exchange, end: true });
    await raw.until((text) => text.endsWith('0\r\n\r\n'));
    raw.socket.destroy();
  }));

test('pipelined requests are answered in their order, whatever the order of the answers', () =>
  withHttp({}, async ({ address, observer, system }) => {
    const raw = new RawSocket(address.port);
    raw.write(['a', 'b', 'c'].map((name) => post(`{"id":"${name}","method":"hold-${name}"}`)).join(''));
    for (const name of ['c', 'a', 'b']) {
      const { connection, inbound } = await observer.inbound(`hold-${name}`);
      const message = { id: name, result: `answer ${name}` };
      system.cast(connection, 'send', { exchange: inbound.exchange, message, end: true });
    }
    const text = await raw.until((soFar) => soFar.includes('answer c'));
    assert.deepEqual(text.match(/answer [abc]/g), ['answer a', 'answer b', 'answer c']);
    raw.socket.destroy();
  }));

test('pipelined requests beyond the open exchanges of a connection get 503, the others their answers', () =>
  withHttp({ openExchangesMax: 2 }, async ({ address, observer, system }) => {
    const raw = new RawSocket(address.port);
    raw.write([1, 2, 3].map((id) => post(`{"id":${id},"method":"hold-${id}"}`)).join(''));
    for (const id of [1, 2]) {
      const { connection, inbound } = await observer.inbound(`hold-${id}`);
      await turns(); // all three have been read
      system.cast(connection, 'send', { exchange: inbound.exchange, message: { id, result: 'ok' }, end: true });
    }
    const text = await raw.until((soFar) => soFar.includes('too_many_exchanges'));
    assert.deepEqual(text.match(/HTTP\/1.1 \d+/g), ['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 503']);
    raw.write(post('{"id":4,"method":"echo","params":"again"}'));
    await raw.until((soFar) => soFar.includes('again'));
    raw.socket.destroy();
  }));

test('pipelined requests are all answered on a stop, and the connection is closed after the last', () =>
  withHttp({}, async ({ address, observer, system }) => {
    const raw = new RawSocket(address.port);
    raw.write([1, 2, 3].map((id) => post(`{"id":${id},"method":"hold-${id}"}`)).join(''));
    const held = [];
    for (const id of [1, 2, 3]) held.push(await observer.inbound(`hold-${id}`));
    const stopped = system.stop();
    await turns();
    for (const at of [1, 2, 0]) {
      const { connection, inbound } = held[at]!;
      system.cast(connection, 'send', { exchange: inbound.exchange, message: { result: `r${at}` }, end: true });
    }
    assert.deepEqual((await raw.all()).match(/"r\d"/g), ['"r0"', '"r1"', '"r2"']);
    await stopped;
  }));

test('on a stop the last answer says that the connection closes', () =>
  withHttp({}, async ({ address, observer, system }) => {
    const agent = new http.Agent({ keepAlive: true });
    const answered = call(address.port, 'hold', undefined, { agent });
    const { connection, inbound } = await observer.inbound('hold');
    const stopped = system.stop();
    while (system.whereis(listenerName('http')) !== undefined) await new Promise((r) => setImmediate(r));
    await assert.rejects(call(address.port, 'echo'), { code: 'ECONNREFUSED' });
    await turns();
    system.cast(connection, 'send', { exchange: inbound.exchange, message: { id: 1, result: 1 }, end: true });
    assert.equal((await answered).headers.connection, 'close');
    await stopped;
  }));

test('on a stop a request that has not come whole is refused: it was not begun', () =>
  withHttp({}, async ({ address, observer, system }) => {
    const raw = new RawSocket(address.port);
    raw.write(post('{"id":1,"method":"echo"}').slice(0, -5));
    await observer.wait('open');
    await turns();
    await Promise.all([system.stop(), raw.closed]);
    assert.match(raw.text, /^HTTP\/1.1 503 .*"reason":"unavailable"/s);
    assert.equal(
      observer.seen.some(({ event }) => event === 'inbound'),
      false,
    );
  }));

test('an endpoint that fails answers its open requests 500 and closes', () =>
  withHttp({}, async ({ address }) => {
    const response = await call(address.port, 'fall');
    assert.equal(response.status, 500);
    assert.equal(response.headers.connection, 'close');
    assert.equal(reasonOf(response.text), 'internal_error');
    assert.equal((await call(address.port, 'echo', 'next')).status, 200);
  }));

test('a killed connection cuts its streams off', () =>
  withHttp({}, async ({ address, observer, system }) => {
    const raw = new RawSocket(address.port);
    raw.write('GET /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await raw.until((text) => text.includes('text/event-stream'));
    system.exitProcess((await observer.wait('open')).connection, 'kill');
    assert.doesNotMatch(await raw.all(), /0\r\n\r\n$/); // no regular end of the chunked body
  }));

test('what is sent to a socket that has been lost, but before the process knows, is dropped', () =>
  withHttp({}, async ({ address, observer, system }) => {
    const raw = new RawSocket(address.port);
    raw.write(post('{"id":1,"method":"hold"}'));
    const { connection, inbound } = await observer.inbound('hold');
    const send = (end: boolean): void =>
      system.cast(connection, 'send', { exchange: inbound.exchange, message: { id: 1, result: 0 }, end });
    send(false);
    await raw.until((text) => text.includes('event: message'));
    raw.write(post('{"id":2,"method":"gate"}'));
    await observer.inbound('gate'); // the process waits in this callback: what follows stays in its mailbox
    send(false);
    send(true);
    raw.socket.destroy();
    await turns();
    observer.openGate();
    assert.equal((await observer.wait('close')).reason, 'normal');
  }));

test('a GET with a body is a GET: its client is seen to leave', () =>
  withHttp({ requestTimeoutMs: 3_600_000, sseKeepAliveMs: 3_600_000 }, async ({ address, observer }) => {
    const raw = new RawSocket(address.port);
    raw.write('GET /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n');
    await raw.until((text) => text.includes('text/event-stream'));
    raw.write(Buffer.alloc(900_000, 'x'));
    await turns();
    raw.socket.destroy();
    await observer.wait('abort');
  }));
