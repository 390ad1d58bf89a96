import assert from 'node:assert/strict';
import diagnostics from 'node:diagnostics_channel';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import {
  HTTP_LIMITS,
  listenerName,
  mountHttp,
  type StreamableHttpOptions,
  streamableHttp,
} from '../../../transports/http/index.ts';
import { REFUSED_CONNECTIONS_MAX, STDIO_LIMITS, TRANSPORT_LIMITS } from '../../../transports/limits.ts';
import { call, jsonHeaders, post, RawSocket, reasonOf, request, turns, withHttp } from './client.ts';

const head = (fields: string, method = 'POST'): string => `${method} /mcp HTTP/1.1\r\nHost: localhost\r\n${fields}\r\n`;
const echoOf = (bytes: number): string => {
  const empty = JSON.stringify({ id: 1, method: 'echo', params: '' });
  return JSON.stringify({ id: 1, method: 'echo', params: 'x'.repeat(bytes - empty.length) });
};

/** Sends bytes and waits until the server has answered and closed; the client closes when it has the answer. */
async function answerTo(port: number, ...pieces: readonly string[]): Promise<string> {
  const raw = new RawSocket(port);
  for (const piece of pieces) {
    raw.write(piece);
    await turns();
  }
  const text = await raw.until((soFar) => /^HTTP\/1.1 \d+ .*\r\n\r\n./s.test(soFar));
  raw.socket.end();
  await raw.closed;
  return text;
}

function assertRefusal(text: string, status: number, reason: string): void {
  assert.match(text, new RegExp(`^HTTP/1.1 ${status} `));
  assert.match(text, /\r\nConnection: close\r\n/i);
  assert.match(text, /\r\nContent-Type: application\/json\r\n/i);
  const body = JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4));
  assert.deepEqual(Object.keys(body), ['jsonrpc', 'error']);
  assert.equal(body.error.data.reason, reason);
  assert.ok(body.error.message.length > 20);
}

test('the defaults', () => {
  assert.deepEqual(TRANSPORT_LIMITS, {
    messageBytesMax: 4_194_304,
    openExchangesMax: 256,
    queuedBytesMax: 4_194_304,
    connectionsMax: 10_000,
    drainTimeoutMs: 5_000,
  });
  assert.deepEqual(STDIO_LIMITS, { ...TRANSPORT_LIMITS, queuedBytesMax: 67_108_864 });
  assert.deepEqual(HTTP_LIMITS, {
    ...TRANSPORT_LIMITS,
    connectionsPerAddressMax: 10_000,
    headerBytesMax: 16_384,
    headersMax: 100,
    headersTimeoutMs: 10_000,
    requestTimeoutMs: 30_000,
    timeoutCheckMs: 1_000,
    keepAliveTimeoutMs: 65_000,
    sseKeepAliveMs: 15_000,
  });
  assert.equal(REFUSED_CONNECTIONS_MAX, 64);
});

test('wrong options are refused at once, by name', () => {
  const wrong: [option: string, options: StreamableHttpOptions][] = [
    ['port', { port: -1 }],
    ['port', { port: 65_536 }],
    ['port', { port: '80' as unknown as number }],
    ['host', { host: '' }],
    ['path', { path: 'mcp' }],
    ['path', { path: '/mcp?x' }],
    ['allowedOrigins', { allowedOrigins: ['app.example'] }],
    ['allowedOrigins', { allowedOrigins: ['https://app.example/'] }],
    ['allowedHosts', { allowedHosts: ['http://app.example'] }],
    ['headersTimeoutMs', { headersTimeoutMs: 0 }],
    ['sseKeepAliveMs', { sseKeepAliveMs: 1.5 }],
    ['connectionsMax', { connectionsMax: Number.POSITIVE_INFINITY }],
  ];
  for (const [option, options] of wrong) {
    assert.throws(() => streamableHttp(options), { code: 'ERR_TRANSPORT_OPTION', option }, option);
    if (option !== 'port' && option !== 'host')
      assert.throws(() => mountHttp(options), { code: 'ERR_TRANSPORT_OPTION' });
  }
});

test('a body of the bound passes, one byte more is 413', () =>
  withHttp({ messageBytesMax: 10_000 }, async ({ address }) => {
    assert.equal((await request(address.port, { body: echoOf(10_000) })).status, 200);
    const tooLarge = await request(address.port, { body: echoOf(10_001) });
    assert.equal(tooLarge.status, 413);
    assert.equal(reasonOf(tooLarge.text), 'body_too_large');
  }));

test('a length beyond the bound is answered before the body', () =>
  withHttp({}, async ({ address }) => {
    const fields = 'Content-Type: application/json\r\nContent-Length: 5000000\r\n';
    assertRefusal(await answerTo(address.port, head(fields)), 413, 'body_too_large');
  }));

test('after a refusal with unread bytes the server waits for the client to end: a reset would overtake it', () =>
  withHttp({ drainTimeoutMs: 3_600_000 }, async ({ address, observer }) => {
    const socket = net.connect({ port: address.port, host: '127.0.0.1', allowHalfOpen: true });
    socket.write(head('Content-Type: application/json\r\nContent-Length: 5000000\r\n'));
    socket.write(Buffer.alloc(50_000, 'x'));
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk) => {
      text += chunk;
    });
    await once(socket, 'end');
    assertRefusal(text, 413, 'body_too_large');
    await turns();
    assert.equal(
      observer.seen.some(({ event }) => event === 'close'),
      false,
    );
    socket.end();
    assert.equal((await observer.wait('close')).reason, 'normal');
  }));

test('a chunked body is counted, and answered when it exceeds the bound', () =>
  withHttp({ messageBytesMax: 1_000 }, async ({ address }) => {
    const fields = 'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n';
    const chunk = `100\r\n${'x'.repeat(256)}\r\n`;
    assertRefusal(await answerTo(address.port, head(fields), chunk, chunk, chunk, chunk), 413, 'body_too_large');
    const small = JSON.stringify({ id: 1, method: 'echo', params: 'chunked' });
    const pieces = [small.slice(0, 10), small.slice(10)].map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`);
    assert.match(await answerTo(address.port, head(fields), ...pieces, '0\r\n\r\n'), /"result":"chunked"/);
  }));

test('of a body of 100 MB little is read, and the client gets its 413', () =>
  withHttp({ drainTimeoutMs: 50 }, async ({ address, observer }) => {
    const accepted: net.Socket[] = [];
    const accept = (message: unknown): void => void accepted.push((message as { socket: net.Socket }).socket);
    diagnostics.subscribe('net.server.socket', accept);
    for (const fields of ['Content-Length: 104857600\r\n', 'Transfer-Encoding: chunked\r\n']) {
      const raw = new RawSocket(address.port);
      raw.write(head(`Content-Type: application/json\r\n${fields}`));
      if (fields.startsWith('T')) raw.write('6400000\r\n');
      raw.write(Buffer.alloc(104_857_600, 'x'));
      assertRefusal(await raw.until((text) => text.includes('}}')), 413, 'body_too_large');
      await raw.closed;
    }
    diagnostics.unsubscribe('net.server.socket', accept);
    const [counted = 0, chunked = 0] = accepted.map(({ bytesRead }) => bytesRead);
    assert.ok(counted > 0 && counted < 500_000, `${counted} bytes were read`);
    assert.ok(chunked > 4_194_304 && chunked < 4_194_304 + 500_000, `${chunked} bytes were read`);
    await observer.wait('close', ({ reason }) => reason === 'normal');
  }));

test('a body that is not UTF-8 is 400, and the connection goes on', () =>
  withHttp({}, async ({ address }) => {
    const bad = await request(address.port, { body: Buffer.from([0x22, 0xff, 0x22]) });
    assert.equal(bad.status, 400);
    assert.equal(JSON.parse(bad.text).error.code, -32_700);
    assert.equal(reasonOf(bad.text), 'invalid_utf8');
    assert.equal(bad.headers.connection, 'close' /* agent: false */);
  }));

test('a body in many pieces, cut inside a character, is put together', () =>
  withHttp({}, async ({ address }) => {
    const raw = new RawSocket(address.port);
    const bytes = Buffer.from(post('{"id":1,"method":"echo","params":"żółć"}'), 'utf8');
    for (const byte of bytes) {
      raw.write(Buffer.from([byte]));
      await turns(1);
    }
    const text = await raw.until((soFar) => soFar.includes('result'));
    assert.match(Buffer.from(text, 'latin1').toString('utf8'), /"result":"żółć"/);
    raw.socket.destroy();
  }));

test('too many fields, or too many bytes in them, are 431', () =>
  withHttp({ headersMax: 20, headerBytesMax: 4_000 }, async ({ address }) => {
    const fields = Array.from({ length: 21 }, (_, n) => `X-${n}: y\r\n`).join('');
    assertRefusal(await answerTo(address.port, post('{}', fields)), 431, 'headers_too_large');
    assertRefusal(await answerTo(address.port, head(`X: ${'y'.repeat(50_000)}\r\n`)), 431, 'headers_too_large');
    assert.equal((await call(address.port, 'echo')).status, 200);
  }));

test('what is no HTTP is 400', () =>
  withHttp({}, async ({ address }) => {
    assertRefusal(await answerTo(address.port, 'HELLO\r\n\r\n'), 400, 'malformed_request');
    assertRefusal(
      await answerTo(address.port, head('Content-Length: 1\r\nContent-Length: 2\r\n')),
      400,
      'malformed_request',
    );
  }));

/** `patient`: a request in one piece comes in time on a busy machine too. */
const patient = { headersTimeoutMs: 400, requestTimeoutMs: 400, timeoutCheckMs: 20, drainTimeoutMs: 50 };
const hasty = { headersTimeoutMs: 30, requestTimeoutMs: 60, timeoutCheckMs: 10, drainTimeoutMs: 50 };

test('a head that comes too slowly is 408', () =>
  withHttp(hasty, async ({ address }) => {
    assertRefusal(await answerTo(address.port, 'POST /mcp HTTP/1.1\r\nHost: loc'), 408, 'request_timeout');
  }));

test('a body that comes too slowly is 408', () =>
  withHttp(hasty, async ({ address }) => {
    const fields = 'Content-Type: application/json\r\nContent-Length: 100\r\n';
    assertRefusal(await answerTo(address.port, `${head(fields)}{`), 408, 'request_timeout');
  }));

test('a client that sends nothing at all is disconnected', () =>
  withHttp(hasty, async ({ address }) => {
    const raw = new RawSocket(address.port);
    assertRefusal(await raw.all(), 408, 'request_timeout');
  }));

test('the time that an answer takes is not bounded by the transport', () =>
  withHttp(patient, async ({ address, observer, system }) => {
    const answered = call(address.port, 'hold');
    const { connection, inbound } = await observer.inbound('hold');
    const slow = new RawSocket(address.port);
    await slow.all(); // longer than all timeouts
    system.cast(connection, 'send', { exchange: inbound.exchange, message: { id: 1, result: 'late' }, end: true });
    assert.match((await answered).text, /late/);
  }));

test('an idle connection is closed, and its process ends normal', () =>
  withHttp({ keepAliveTimeoutMs: 20 }, async ({ address, observer }) => {
    const raw = new RawSocket(address.port);
    raw.write(post('{"id":1,"method":"echo","params":"x"}'));
    assert.match(await raw.all(), /"result":"x"/);
    assert.equal((await observer.wait('close')).reason, 'normal');
  }));

test('a client that asks first (100-continue) is refused before it sends its body', () =>
  withHttp({}, async ({ address }) => {
    const fields = 'Content-Type: application/json\r\nExpect: 100-continue\r\n';
    const refused = await answerTo(address.port, head(`${fields}Content-Length: 9999999\r\n`));
    assertRefusal(refused, 413, 'body_too_large');
    const raw = new RawSocket(address.port);
    const body = '{"id":1,"method":"echo","params":"asked"}';
    raw.write(head(`${fields}Content-Length: ${body.length}\r\n`));
    await raw.until((text) => text.startsWith('HTTP/1.1 100 Continue\r\n'));
    raw.write(body);
    await raw.until((text) => text.includes('"result":"asked"'));
    raw.socket.destroy();
  }));

test('connections beyond the bound are told so, and the next is admitted when one has gone', () =>
  withHttp({ connectionsMax: 2 }, async ({ address, observer, system }) => {
    const held = [new RawSocket(address.port), new RawSocket(address.port)];
    for (const raw of held) raw.write(post('{"id":1,"method":"echo"}'));
    for (const raw of held) await raw.until((text) => text.includes('"id":1'));
    const refused = await call(address.port, 'echo');
    assert.equal(refused.status, 503);
    assert.equal(reasonOf(refused.text), 'too_many_connections');
    assert.equal(refused.headers['retry-after'], '5');
    const { connection } = await observer.wait('open');
    held[0]?.socket.destroy();
    held[1]?.socket.destroy();
    await observer.wait('close');
    while (system.isAlive(connection)) await turns(1);
    await turns();
    assert.equal((await call(address.port, 'echo')).status, 200);
  }));

test('a request that is refused for what it is leaves its connection usable', () =>
  withHttp({}, async ({ address }) => {
    const raw = new RawSocket(address.port);
    raw.write(post('{}').replace('/mcp', '/other'));
    raw.write(post('{}').replace('application/json', 'text/plain'));
    raw.write(post('{}', 'Origin: https://evil.example\r\n'));
    raw.write(post('{}', 'Accept: text/html\r\n'));
    raw.write(post('{"id":1,"method":"echo","params":"fine"}'));
    const text = await raw.until((soFar) => soFar.includes('fine'));
    assert.deepEqual(
      text.match(/HTTP\/1.1 \d+/g)?.map((line) => line.slice(9)),
      ['404', '415', '403', '406', '200'],
    );
    raw.socket.destroy();
  }));

test('methods that the endpoint does not have are 405, with those it has', () =>
  withHttp({}, async ({ address }) => {
    for (const method of ['HEAD', 'OPTIONS', 'PUT']) {
      const { status, headers, text } = await request(address.port, { method });
      assert.deepEqual([status, headers.allow], [405, 'POST, GET, DELETE'], method);
      assert.equal(reasonOf(text), method === 'HEAD' ? undefined : 'method_not_allowed');
    }
  }));

test('pages of a listed origin may read answers, refusals too', () =>
  withHttp({ allowedOrigins: ['https://app.example'] }, async ({ address }) => {
    const headers = { ...jsonHeaders, origin: 'https://app.example' };
    for (const [path, status] of [
      ['/mcp', 200],
      ['/other', 404],
    ] as const) {
      const answer = await call(address.port, 'echo', 1, { headers, path });
      assert.equal(answer.status, status);
      assert.equal(answer.headers['access-control-allow-origin'], 'https://app.example');
      assert.equal(answer.headers.vary, 'Origin');
    }
    const preflight = await request(address.port, {
      method: 'OPTIONS',
      headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' },
    });
    assert.deepEqual([preflight.status, preflight.text], [204, '']);
    assert.equal(preflight.headers['access-control-allow-origin'], 'https://app.example'); // once
    assert.equal((await call(address.port, 'echo')).headers['access-control-allow-origin'], undefined);
  }));

test('a refused connection that sends nothing is closed too', () =>
  withHttp({ ...patient, connectionsMax: 1 }, async ({ address, observer, system }) => {
    const held = call(address.port, 'hold');
    const { connection, inbound } = await observer.inbound('hold');
    const refused = new RawSocket(address.port);
    assert.match(await refused.all(), /^HTTP\/1.1 408 /);
    system.cast(connection, 'send', { exchange: inbound.exchange, message: { id: 1 }, end: true });
    await held;
  }));

test('past connectionsPerAddressMax an address is refused, others are served, also after a crash of the listener', () =>
  withHttp({ connectionsPerAddressMax: 1 }, async ({ system, observer, address }) => {
    const first = new RawSocket(address.port);
    const { connection } = await observer.wait('open');
    const fromElsewhere = { localAddress: '127.0.0.2' };
    for (let listener = 0; listener < 2; listener++) {
      const refused = await call(address.port, 'echo');
      assert.deepEqual([refused.status, reasonOf(refused.text)], [503, 'too_many_connections_of_address']);
      assert.equal((await call(address.port, 'echo', 1, fromElsewhere)).status, 200);
      const before = system.whereis(listenerName('http'));
      assert.ok(before);
      system.exitProcess(before, 'kill');
      while ([before, undefined].includes(system.whereis(listenerName('http')))) await turns(1);
    }
    first.socket.destroy();
    while (system.isAlive(connection)) await turns(1);
    assert.equal((await call(address.port, 'echo')).status, 200);
  }));
