import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import { SOCKET_LIMITS } from '../../../transports/tcp/index.ts';
import { authority, client, server, stranger } from '../../support/certificates.ts';
import { turns } from '../http/client.ts';
import { connect, connectSecurely, withTcp } from './client.ts';

test('the defaults', () => {
  assert.deepEqual(SOCKET_LIMITS, {
    messageBytesMax: 4_194_304,
    openExchangesMax: 256,
    queuedBytesMax: 4_194_304,
    connectionsMax: 10_000,
    drainTimeoutMs: 5_000,
    connectionsPerAddressMax: 10_000,
    idleTimeoutMs: 1_800_000,
    handshakeTimeoutMs: 10_000,
  });
});

test('a line past messageBytesMax, or not in UTF-8, is a parse error, and the connection goes on', () =>
  withTcp({ messageBytesMax: 1_000 }, async ({ connect }) => {
    const client = await connect();
    client.sendText('x'.repeat(5_000));
    assert.equal((await client.other()).error.data.fault, 'message_too_long');
    client.socket.write(Buffer.from([0x22, 0xff, 0x22, 10]));
    assert.equal((await client.other()).error.data.fault, 'invalid_utf8');
    assert.equal((await client.request({ id: 1, method: 'echo', params: 'on' }))[0].result, 'on');
  }));

test('past openExchangesMax a client is not read on', () =>
  withTcp({ openExchangesMax: 2 }, async ({ system, observer, connect }) => {
    const client = await connect();
    for (let id = 1; id <= 4; id++) client.sendText(JSON.stringify({ id, method: `hold${id}` }));
    const { connection, inbound } = await observer.inbound('hold2');
    await turns();
    assert.equal(observer.seen.filter(({ event }) => event === 'inbound').length, 2);
    system.cast(connection, 'send', { exchange: inbound.exchange, message: { id: 2, result: 0 }, end: true });
    await observer.inbound('hold3');
    await turns();
    assert.equal(observer.seen.filter(({ event }) => event === 'inbound').length, 3);
  }));

test('a client that does not take its answers is not read on', () =>
  withTcp({ queuedBytesMax: 64 * 1_024 * 1_024 }, async ({ observer, connect }) => {
    const client = await connect();
    client.requestUnread({ id: 1, method: 'flood', params: { count: 500, bytes: 65_536 } });
    await observer.inbound('flood');
    await turns();
    client.sendText('{"id":2,"method":"note"}');
    await turns();
    assert.equal(observer.seen.filter(({ event }) => event === 'inbound').length, 1);
    client.socket.resume();
    await observer.inbound('note');
  }));

test('a connection past connectionsMax is told so in a line, and admitted when one has gone', () =>
  withTcp({ connectionsMax: 1 }, async ({ observer, system, connect }) => {
    const first = await connect();
    const { connection } = await observer.wait('open');
    const refused = await connect();
    const { id, error } = await refused.other();
    assert.deepEqual([id, error.code, error.data.reason], [undefined, -32_603, 'too_many_connections']);
    await refused.closed;
    first.leave();
    while (system.isAlive(connection)) await turns(1);
    assert.equal((await (await connect()).request({ id: 1, method: 'echo', params: 'in' }))[0].result, 'in');
  }));

test('past connectionsPerAddressMax an address is refused, others are served', () =>
  withTcp({ connectionsPerAddressMax: 1 }, async ({ address, observer }) => {
    await connect(address);
    await observer.wait('open');
    assert.equal((await (await connect(address)).other()).error.data.reason, 'too_many_connections_of_address');
    const other = await connect(address, { localAddress: '127.0.0.2' });
    assert.equal((await other.request({ id: 1, method: 'echo', params: 'in' }))[0].result, 'in');
  }));

test('an idle connection is closed in order; one with an exchange open is not', () =>
  withTcp({ idleTimeoutMs: 40 }, async ({ observer, connect }) => {
    const busy = await connect();
    busy.request({ id: 1, method: 'hold' }).catch(() => {
      // ended with the test
    });
    const { connection } = await observer.inbound('hold');
    const idle = await connect();
    await idle.closed;
    const { reason } = await observer.wait('close', (closed) => closed.connection !== connection);
    assert.deepEqual(reason, { shutdown: { idle: { idleTimeoutMs: 40 } } });
    assert.equal(busy.socket.destroyed, false);
  }));

test('a client that does not finish the TLS handshake is cut off, and others are served', () =>
  withTcp({ tls: server, handshakeTimeoutMs: 500 }, async ({ address, observer }) => {
    assert.ok('port' in address);
    const silent = net.connect(address.port, address.host).on('error', () => {});
    const garbage = net
      .connect(address.port, address.host, () => void garbage.write('{"id":1}\n'))
      .on('error', () => {});
    await Promise.all([silent, garbage].map((socket) => new Promise((resolve) => socket.once('close', resolve))));
    const client = await connectSecurely(address, { ca: authority.cert });
    assert.equal((await client.request({ id: 1, method: 'echo', params: 'secret' }))[0].result, 'secret');
    assert.equal(observer.seen.filter(({ event }) => event === 'open').length, 1);
    const { info } = await observer.wait('open');
    assert.equal(info.principal, undefined);
  }));

test('the default is TLS 1.3; less is refused unless it is asked for', async () => {
  const old = { ca: authority.cert, maxVersion: 'TLSv1.2' } as const;
  await withTcp({ tls: server }, async ({ address }) => {
    await assert.rejects(connectSecurely(address, old), /version|handshake|alert/i);
  });
  await withTcp({ tls: { ...server, minVersion: 'TLSv1.2' } }, async ({ address }) => {
    const client = await connectSecurely(address, old);
    assert.equal((await client.request({ id: 1, method: 'echo', params: 1 }))[0].result, 1);
  });
});

test('with mutual TLS the subject of the client is the principal; nobody else gets a connection', () =>
  withTcp({ tls: { ...server, clientCa: authority.cert } }, async ({ address, observer }) => {
    for (const wrong of [{}, stranger]) {
      // With TLS 1.3 the client is done before the server has looked at its certificate.
      const refused = await connectSecurely(address, { ca: authority.cert, ...wrong }).catch(() => {
        // refused before it could be told
      });
      await refused?.closed;
    }
    assert.equal(observer.seen.length, 0);
    await connectSecurely(address, { ca: authority.cert, ...client });
    assert.equal((await observer.wait('open')).info.principal, 'O=acme\\, inc,CN=ann');
  }));
