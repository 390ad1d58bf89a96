import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import {
  WEB_SOCKET_LIMITS,
  type WebSocketOptions,
  webSocket,
  webSocketListenerName,
} from '../../../transports/websocket/index.ts';
import { authority, client, server } from '../../support/certificates.ts';
import { transportContract } from '../../transport-contract.ts';
import { RawSocket, reasonOf, request, turns } from '../http/client.ts';
import { connect, refusedUpgrade, withWebSocket } from './client.ts';

transportContract({
  name: 'websocket',
  many: true,
  create(limits) {
    return {
      transport: webSocket({ port: 0, ...limits }),
      connect: async (system) => connect((await system.call(webSocketListenerName(), 'address')).url),
    };
  },
});

transportContract({
  name: 'websocket with mutual TLS',
  many: true,
  create(limits) {
    return {
      transport: webSocket({ port: 0, tls: { ...server, clientCa: authority.cert }, ...limits }),
      connect: async (system) => {
        const { url } = await system.call(webSocketListenerName(), 'address');
        return connect(url, { ...client, ca: authority.cert });
      },
    };
  },
});

test('the defaults', () => {
  assert.deepEqual(WEB_SOCKET_LIMITS, {
    messageBytesMax: 4_194_304,
    openExchangesMax: 256,
    queuedBytesMax: 4_194_304,
    connectionsMax: 10_000,
    drainTimeoutMs: 5_000,
    connectionsPerAddressMax: 10_000,
    idleTimeoutMs: 1_800_000,
    handshakeTimeoutMs: 10_000,
    headerBytesMax: 16_384,
    headersMax: 100,
    pingIntervalMs: 30_000,
  });
});

test('the subprotocol is mcp; the connection knows its client', () =>
  withWebSocket(
    { tls: { ...server, clientCa: authority.cert }, path: '/rpc' },
    async ({ address, observer, connect }) => {
      assert.equal(address.url, `wss://127.0.0.1:${address.port}/rpc`);
      const { socket } = await connect({ ...client, ca: authority.cert });
      assert.equal(socket.protocol, 'mcp');
      const { info } = await observer.wait('open');
      assert.deepEqual(info, {
        transport: 'websocket',
        kind: 'stream',
        remoteAddress: '127.0.0.1',
        principal: 'O=acme\\, inc,CN=ann',
      });
    },
  ));

test('an upgrade is refused for its path, origin, host, head or subprotocol, with the reason', () =>
  withWebSocket({ headersMax: 20 }, async ({ address: { url, port } }) => {
    const refused = async (...given: Parameters<typeof refusedUpgrade>): Promise<unknown[]> => {
      const { status, text } = await refusedUpgrade(...given);
      return [status, reasonOf(text)];
    };
    assert.deepEqual(await refused(url.replace('/mcp', '/other')), [404, 'not_found']);
    const origin = 'https://evil.example';
    assert.deepEqual(await refused(url, ['mcp'], { origin }), [403, 'origin_not_allowed']);
    const headers = { host: 'evil.example' };
    assert.deepEqual(await refused(url, ['mcp'], { headers }), [403, 'host_not_allowed']);
    assert.deepEqual(await refused(url, ['chat']), [400, 'subprotocol_required']);
    const many = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`x-${n}`, 'x']));
    assert.deepEqual(await refused(url, ['mcp'], { headers: many }), [431, 'headers_too_large']);
    assert.equal((await connect(url, { origin: `http://localhost:${port}` })).socket.readyState, 1);
    const plain = await request(port, { method: 'GET' });
    assert.deepEqual([plain.status, reasonOf(plain.text)], [426, 'upgrade_required']);
  }));

test('a page of a listed origin may connect', () =>
  withWebSocket({ allowedOrigins: ['https://app.example'] }, async ({ connect }) => {
    const client = await connect({ origin: 'https://app.example' });
    assert.equal((await client.request({ id: 1, method: 'echo', params: 1 }))[0].result, 1);
  }));

test('a message past messageBytesMax is 1009, a binary one 1003, one not in UTF-8 1007', () =>
  withWebSocket({ messageBytesMax: 1_000 }, async ({ observer, connect }) => {
    const [long, binary, garbled] = await Promise.all([connect(), connect(), connect()]);
    long.sendText('x'.repeat(1_001));
    assert.equal((await long.closed).code, 1_009);
    binary.socket.send(Buffer.from('{}'));
    assert.deepEqual(await binary.closed, { code: 1_003, reason: 'text messages only' });
    garbled.socket.send(Buffer.from([0x22, 0xff, 0x22]), { binary: false });
    assert.equal((await garbled.closed).code, 1_007);
    while (observer.seen.filter(({ event }) => event === 'close').length < 3) await turns(1);
  }));

test('a stop is 1001 after the last answer, a failure 1011', () =>
  withWebSocket({}, async ({ system, observer, connect }) => {
    const failed = await connect();
    failed.request({ id: 1, method: 'fall' }).catch(() => {
      // it costs the connection
    });
    assert.deepEqual(await failed.closed, { code: 1_011, reason: 'internal_error' });
    const client = await connect();
    const answered = client.request({ id: 2, method: 'hold' });
    const { connection, inbound } = await observer.inbound('hold');
    const stopped = system.stop();
    client.sendText('{"id":3,"method":"late"}');
    const message = { id: 2, result: 'in time' };
    system.cast(connection, 'send', { exchange: inbound.exchange, message, end: true });
    assert.equal((await answered)[0].result, 'in time');
    assert.equal((await client.closed).code, 1_001);
    await stopped;
  }));

test('connections past the bounds are told so: 1013 for all, 1008 for one address', async () => {
  await withWebSocket({ connectionsMax: 1 }, async ({ observer, connect }) => {
    await connect();
    await observer.wait('open');
    const refused = await connect();
    assert.deepEqual(await refused.closed, { code: 1_013, reason: 'too_many_connections' });
  });
  await withWebSocket({ connectionsPerAddressMax: 1 }, async ({ observer, connect }) => {
    await connect();
    await observer.wait('open');
    const refused = await connect();
    assert.deepEqual(await refused.closed, { code: 1_008, reason: 'too_many_connections_of_address' });
    const other = await connect({ localAddress: '127.0.0.2' });
    assert.equal((await other.request({ id: 1, method: 'echo', params: 'in' }))[0].result, 'in');
  });
});

test('past openExchangesMax messages wait, and none is lost', () =>
  withWebSocket({ openExchangesMax: 2 }, async ({ system, observer, connect }) => {
    const client = await connect();
    const answers = Array.from({ length: 50 }, (_, id) => client.request({ id: id + 1, method: `hold${id + 1}` }));
    for (let id = 1; id <= 50; id++) {
      const { connection, inbound } = await observer.inbound(`hold${id}`);
      const open = observer.seen.filter(({ event }) => event === 'inbound').length - (id - 1);
      assert.ok(open <= 2, `${open} exchanges are open`);
      system.cast(connection, 'send', { exchange: inbound.exchange, message: { id, result: id }, end: true });
      await answers[id - 1];
    }
  }));

test('a client that does not answer a ping is taken for gone; one that does stays', () =>
  withWebSocket({ pingIntervalMs: 60 }, async ({ observer, connect }) => {
    const [there, dead] = [await connect(), await connect({ autoPong: false } as object)];
    assert.equal((await dead.closed).code, 1_006);
    assert.equal((await observer.wait('close')).reason, 'normal');
    assert.equal((await there.request({ id: 1, method: 'echo', params: 'here' }))[0].result, 'here');
  }));

test('an idle connection is closed with 1000', () =>
  withWebSocket({ idleTimeoutMs: 40 }, async ({ observer, connect }) => {
    const client = await connect();
    assert.equal((await client.closed).code, 1_000);
    assert.deepEqual((await observer.wait('close')).reason, { shutdown: { idle: { idleTimeoutMs: 40 } } });
  }));

test('a client that does not ask for the upgrade in time is cut off, with or without TLS', async () => {
  await withWebSocket({ handshakeTimeoutMs: 100 }, async ({ address, observer }) => {
    const [silent, slow] = [new RawSocket(address.port), new RawSocket(address.port)];
    slow.write('GET /mcp HTTP/1.1\r\nHost: localhost\r\n');
    await Promise.all([silent.all(), slow.all()]);
    assert.equal(observer.seen.length, 0);
  });
  await withWebSocket({ handshakeTimeoutMs: 100, tls: server }, async ({ address }) => {
    const silent = net.connect(address.port, address.host).on('error', () => {});
    await new Promise((resolve) => silent.once('close', resolve));
  });
});

test('options that cannot be are refused at once, by name', () => {
  const refused = (option: string, options: object): void =>
    assert.throws(() => webSocket(options as WebSocketOptions), { code: 'ERR_TRANSPORT_OPTION', option });
  refused('port', {});
  refused('host', { port: 1, host: '' });
  refused('path', { port: 1, path: 'mcp' });
  refused('allowedOrigins', { port: 1, allowedOrigins: ['app.example'] });
  refused('pingIntervalMs', { port: 1, pingIntervalMs: 0 });
  refused('tls', { port: 1, tls: { cert: 'x', key: 'y' } });
});
