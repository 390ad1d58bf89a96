import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2 from 'node:http2';
import { test } from 'node:test';
import { HTTP_LIMITS, TransportOptionError } from '../../../transports/http/index.ts';
import { HTTP2_LIMITS, type StreamableHttp2Options, streamableHttp2 } from '../../../transports/http2/index.ts';
import { authority, server } from '../../support/certificates.ts';
import { RawSocket, reasonOf, turns } from '../http/client.ts';
import { responseOf, Session, withHttp2 } from './client.ts';

const { NGHTTP2_CANCEL, NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_NO_ERROR } = http2.constants;
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const EMPTY_SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
const SETTINGS_ACK = Buffer.from([0, 0, 0, 4, 1, 0, 0, 0, 0]);

/** A HEADERS frame that is a whole GET request. */
function getFrame(stream: number): Buffer {
  const fields = { ':method': 'GET', ':scheme': 'http', ':authority': 'localhost', ':path': '/mcp' };
  // HPACK: literal fields without indexing, with new names (RFC 7541, section 6.2.2)
  const block = Buffer.concat(
    Object.entries(fields).map(([name, value]) =>
      Buffer.from(`\0${String.fromCharCode(name.length)}${name}${String.fromCharCode(value.length)}${value}`, 'latin1'),
    ),
  );
  return Buffer.concat([Buffer.from([0, 0, block.length, 1, 5, 0, 0, 0, stream]), block]);
}

const hour = 3_600_000;

test('the defaults', () => {
  assert.deepEqual(HTTP2_LIMITS, { ...HTTP_LIMITS, resetsMax: 500, controlFramesMax: 500, floodWindowMs: 10_000 });
});

test('wrong options are refused at once, by name', () => {
  const wrong: [option: string, options: StreamableHttp2Options][] = [
    ['port', { port: -1 }],
    ['host', { host: '' }],
    ['path', { path: 'mcp' }],
    ['resetsMax', { resetsMax: 0 }],
    ['floodWindowMs', { floodWindowMs: 0.5 }],
    ['headersMax', { headersMax: -1 }],
    ['tls', { tls: { cert: 'no', key: 'no' } }],
  ];
  for (const [option, options] of wrong) {
    assert.throws(() => streamableHttp2(options), { name: 'TransportOptionError', option }, option);
  }
  assert.equal(new TransportOptionError('a', 'b').code, 'ERR_TRANSPORT_OPTION');
});

test('a client is told how many streams it may have, and keeps to it', () =>
  withHttp2({ openExchangesMax: 2 }, async ({ address, observer, system }) => {
    using session = new Session(address.url);
    await session.call('echo');
    assert.equal(session.http2.remoteSettings.maxConcurrentStreams, 2);
    const answers = [1, 2, 3].map((n) => session.call(`hold-${n}`));
    const { connection, inbound } = await observer.inbound('hold-1');
    await observer.inbound('hold-2');
    await turns();
    assert.equal(
      observer.seen.some((seen) => seen.event === 'inbound' && seen.message?.method === 'hold-3'),
      false,
    );
    system.cast(connection, 'send', { exchange: inbound.exchange, message: { id: 1 }, end: true });
    await answers[0];
    await observer.inbound('hold-3');
    const ignored = (): void => {}; // two are left open
    for (const answer of answers) answer.catch(ignored);
  }));

test('a stream past the bound is refused; from a client that was told the bound, it costs the session', () =>
  withHttp2({ openExchangesMax: 1, drainTimeoutMs: 50 }, async ({ address, observer }) => {
    for (const acknowledged of [false, true]) {
      const raw = new RawSocket(address.port);
      raw.write(PREFACE);
      raw.write(EMPTY_SETTINGS);
      if (acknowledged) raw.write(SETTINGS_ACK);
      for (const stream of [1, 3]) raw.write(getFrame(stream));
      if (acknowledged) {
        // GOAWAY, the last stream is 1; its code, and whether words follow, depend on the line of Node.js.
        assert.ok((await raw.all()).includes('\x07\0\0\0\0\0\0\0\0\x01\0\0\0'));
        assert.equal((await observer.wait('close')).reason, 'normal');
      } else {
        await raw.until((text) => text.includes('\0\0\x04\x03\0\0\0\0\x03\0\0\0\x07')); // RST_STREAM: REFUSED_STREAM
        assert.equal(observer.seen.filter(({ event }) => event === 'inbound').length, 1);
        raw.socket.destroy();
      }
    }
  }));

test('a body past the bound is 413, and the session goes on', () =>
  withHttp2({ messageBytesMax: 100_000 }, async ({ address }) => {
    using session = new Session(address.url);
    const fields = { ':method': 'POST', ':path': '/mcp', 'content-type': 'application/json' };
    const counted = session.http2.request({ ...fields, 'content-length': 100_001 });
    counted.on('error', () => {}); // closed before it is written
    const refused = await responseOf(counted);
    assert.deepEqual([refused.status, reasonOf(refused.text)], [413, 'body_too_large']);
    const stream = session.http2.request(fields);
    stream.on('error', () => {}); // closed while it is written
    stream.write(Buffer.alloc(100_001, 'x'));
    const streamed = await responseOf(stream);
    assert.deepEqual([streamed.status, reasonOf(streamed.text)], [413, 'body_too_large']);
    assert.equal((await session.call('echo', 'x'.repeat(90_000))).status, 200);
  }));

test('a body that is not UTF-8 is 400', () =>
  withHttp2({}, async ({ address }) => {
    using session = new Session(address.url);
    const bad = await session.request(Buffer.from([0x22, 0xff, 0x22]));
    assert.deepEqual([bad.status, reasonOf(bad.text)], [400, 'invalid_utf8']);
  }));

test('too many fields are 431; far too many, or too many bytes in them, reset the stream', () =>
  withHttp2({ headersMax: 20, headerBytesMax: 4_000 }, async ({ address }) => {
    using session = new Session(address.url);
    const fields = (count: number, bytes: number): Record<string, string> =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [`x-${n}`, 'y'.repeat(bytes)]));
    const refused = await session.call('echo', 1, fields(20, 1));
    assert.deepEqual([refused.status, reasonOf(refused.text)], [431, 'headers_too_large']);
    await assert.rejects(session.call('echo', 1, fields(100, 1)));
    await assert.rejects(session.call('echo', 1, fields(1, 20_000)));
    assert.equal((await session.call('echo')).status, 200);
  }));

test('requests that are taken back in masses end the session, with the reason', () =>
  withHttp2({ resetsMax: 20, floodWindowMs: hour }, async ({ address, observer }) => {
    using other = new Session(address.url);
    await other.call('echo');
    using session = new Session(address.url);
    await session.call('echo');
    for (let n = 0; n < 21; n++) {
      const stream = session.open('{"id":1,"method":"hold"}');
      stream.close(NGHTTP2_CANCEL);
    }
    await session.closed;
    assert.equal(session.goaway, NGHTTP2_ENHANCE_YOUR_CALM);
    const { reason } = await observer.wait('close');
    assert.deepEqual(reason, { shutdown: { enhance_your_calm: { resets: 20, windowMs: hour } } });
    assert.equal((await other.call('echo')).status, 200);
  }));

test('requests that are taken back now and then are no flood', () =>
  withHttp2({ resetsMax: 20, floodWindowMs: 1 }, async ({ address, observer }) => {
    using session = new Session(address.url);
    for (let n = 1; n <= 50; n++) {
      const stream = session.open(`{"id":1,"method":"hold-${n}"}`);
      await observer.inbound(`hold-${n}`);
      stream.close(NGHTTP2_CANCEL);
      await once(stream, 'close');
    }
    assert.equal((await session.call('echo')).status, 200);
  }));

for (const kind of ['PING', 'SETTINGS'] as const) {
  test(`a flood of ${kind} ends the session, with the reason`, () =>
    withHttp2({ controlFramesMax: 20, floodWindowMs: hour }, async ({ address, observer }) => {
      using session = new Session(address.url, { maxOutstandingPings: 100 });
      await session.call('echo');
      for (let n = 0; n < 21 && !session.http2.destroyed; n++) {
        if (kind === 'PING') session.http2.ping(() => {});
        else {
          // Node.js lets few be under way at one time.
          const taken = new Promise<void>((resolve) => {
            session.http2.settings({ initialWindowSize: 70_000 + n }, () => resolve());
          });
          await Promise.race([taken, session.closed]);
        }
      }
      await session.closed;
      assert.equal(session.goaway, NGHTTP2_ENHANCE_YOUR_CALM);
      const { reason } = await observer.wait('close');
      assert.deepEqual(reason, { shutdown: { enhance_your_calm: { control_frames: 20, windowMs: hour } } });
    }));
}

test('an idle session is ended with GOAWAY, and its process ends normal', () =>
  withHttp2({ keepAliveTimeoutMs: 30, timeoutCheckMs: 10 }, async ({ address, observer }) => {
    using session = new Session(address.url);
    await session.call('echo');
    await session.closed;
    assert.equal(session.goaway, NGHTTP2_NO_ERROR);
    assert.equal((await observer.wait('close')).reason, 'normal');
  }));

test('a session is not idle while something is open', () =>
  withHttp2({ keepAliveTimeoutMs: 20, timeoutCheckMs: 10 }, async ({ address, observer, system }) => {
    using session = new Session(address.url);
    const answered = session.call('hold');
    const { connection, inbound } = await observer.inbound('hold');
    using idle = new Session(address.url);
    await idle.call('echo');
    await idle.closed; // longer than the bound
    system.cast(connection, 'send', { exchange: inbound.exchange, message: { id: 1, result: 'late' }, end: true });
    assert.match((await answered).text, /late/);
  }));

test('a body that comes too slowly is 408, other streams go on', () =>
  withHttp2({ requestTimeoutMs: 60, timeoutCheckMs: 10 }, async ({ address, observer, system }) => {
    using session = new Session(address.url);
    const slow = session.open(undefined, { ':method': 'POST' }); // no body at all: that is complete
    await responseOf(slow);
    const answered = session.call('hold');
    const { connection, inbound } = await observer.inbound('hold');
    const stream = session.http2.request({ ':method': 'POST', ':path': '/mcp', 'content-type': 'application/json' });
    stream.on('error', () => {}); // closed by the server
    stream.write('{');
    const refused = await responseOf(stream);
    assert.deepEqual([refused.status, reasonOf(refused.text)], [408, 'request_timeout']);
    system.cast(connection, 'send', { exchange: inbound.exchange, message: { id: 1, result: 'late' }, end: true });
    assert.match((await answered).text, /late/);
  }));

test('who says nothing, half a preface, or no settings is cut off', async () => {
  const hasty = { headersTimeoutMs: 40, requestTimeoutMs: 40, timeoutCheckMs: 10 };
  await withHttp2(hasty, async ({ address }) => {
    for (const said of ['', PREFACE.slice(0, 10), PREFACE]) {
      const raw = new RawSocket(address.port);
      raw.write(said);
      await raw.closed;
    }
  });
  await withHttp2({ ...hasty, tls: server }, async ({ address }) => {
    for (const said of ['', '\x16\x03\x01\x00']) {
      const raw = new RawSocket(address.port);
      raw.write(said);
      await raw.closed;
    }
    using session = new Session(address.url, { ca: authority.cert });
    assert.equal((await session.call('echo')).status, 200);
  });
});

test('answers that are not read: what is asked for next waits until they are', () =>
  withHttp2({ queuedBytesMax: 500_000 }, async ({ address, observer }) => {
    using session = new Session(address.url);
    await session.call('echo');
    session.http2.setLocalWindowSize(10_000_000); // so that one stream does not stop the other
    const big = JSON.stringify({ id: 1, method: 'echo', params: 'x'.repeat(400_000) });
    const unread = [session.open(big), session.open(big)];
    await Promise.all(unread.map((stream) => once(stream, 'response')));
    const waiting = session.call('echo-not');
    const waits = assert.rejects(waiting); // nobody answers it
    await turns(50);
    assert.equal(observer.seen.filter(({ event }) => event === 'inbound').length, 3);
    unread[0]!.resume();
    await observer.inbound('echo-not');
    session.http2.destroy();
    await waits;
  }));

test('answers that nobody reads do not hold a session for ever', () =>
  withHttp2({ keepAliveTimeoutMs: 40, timeoutCheckMs: 10 }, async ({ address, observer }) => {
    using session = new Session(address.url);
    const stream = session.open(JSON.stringify({ id: 1, method: 'echo', params: 'x'.repeat(400_000) }));
    await once(stream, 'response');
    await session.closed;
    assert.equal((await observer.wait('close')).reason, 'normal');
  }));

test('sessions beyond the bound are told so, and the next is admitted when one has gone', () =>
  withHttp2({ connectionsMax: 1 }, async ({ address, observer, system }) => {
    using held = new Session(address.url);
    await held.call('echo');
    using refused = new Session(address.url);
    const answer = await refused.call('echo');
    assert.deepEqual([answer.status, reasonOf(answer.text)], [503, 'too_many_connections']);
    assert.equal(answer.headers['retry-after'], '5');
    await refused.closed;
    const { connection } = await observer.wait('open');
    held.http2.destroy();
    await observer.wait('close');
    while (system.isAlive(connection)) await turns(1);
    await turns();
    using next = new Session(address.url);
    assert.equal((await next.call('echo')).status, 200);
  }));
