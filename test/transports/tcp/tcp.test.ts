import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startSystem } from '../../../runtime/index.ts';
import { type TcpOptions, tcp, tcpListenerName } from '../../../transports/tcp/index.ts';
import { authority, client, server } from '../../support/certificates.ts';
import { transportContract } from '../../transport-contract.ts';
import { turns } from '../http/client.ts';
import { Observer } from '../probe-endpoint.ts';
import { connect, connectSecurely, withTcp } from './client.ts';

const folder = mkdtempSync(join(tmpdir(), 'beamish-'));
let sockets = 0;
const socketPath = (): string => join(folder, `${++sockets}.sock`);
after(() => rmSync(folder, { recursive: true }));

transportContract({
  name: 'tcp',
  many: true,
  create(limits) {
    return {
      transport: tcp({ port: 0, ...limits }),
      connect: async (system) => connect(await system.call(tcpListenerName(), 'address')),
    };
  },
});

transportContract({
  name: 'tcp on a unix socket',
  many: true,
  create(limits) {
    return {
      transport: tcp({ path: socketPath(), ...limits }),
      connect: async (system) => connect(await system.call(tcpListenerName(), 'address')),
    };
  },
});

transportContract({
  name: 'tcp with mutual TLS',
  many: true,
  create(limits) {
    return {
      transport: tcp({ port: 0, tls: { ...server, clientCa: authority.cert }, ...limits }),
      connect: async (system) =>
        connectSecurely(await system.call(tcpListenerName(), 'address'), { ...client, ca: authority.cert }),
    };
  },
});

test('the listener tells where it is bound, and a connection where its client is', () =>
  withTcp({ id: 'lines' }, async ({ address, observer, connect }) => {
    assert.ok('port' in address);
    assert.equal(address.url, `tcp://127.0.0.1:${address.port}`);
    await connect();
    const { info } = await observer.wait('open');
    assert.deepEqual(info, { transport: 'tcp', kind: 'stream', remoteAddress: '127.0.0.1' });
  }));

test('replies of one turn go out in one write', () =>
  withTcp({}, async ({ observer, system, connect }) => {
    const client = await connect();
    const answers = [1, 2, 3].map((id) => client.request({ id, method: `hold${id}` }));
    const held = await Promise.all([1, 2, 3].map((id) => observer.inbound(`hold${id}`)));
    let reads = 0;
    client.socket.on('data', () => {
      reads += 1;
    });
    for (const [at, { connection, inbound }] of held.entries()) {
      system.cast(connection, 'send', { exchange: inbound.exchange, message: { id: at + 1, result: at }, end: true });
    }
    await Promise.all(answers);
    assert.equal(reads, 1);
  }));

test('a line in many pieces, cut inside a character, is put together; many lines in one piece are taken apart', () =>
  withTcp({}, async ({ connect }) => {
    const client = await connect();
    const answered = client.request({ id: 1, method: 'echo', params: 'first' });
    for (const byte of Buffer.from('{"id":2,"method":"push","params":"grüße"}\n')) {
      client.socket.write(Buffer.from([byte]));
      await turns(1);
    }
    assert.equal((await answered)[0].result, 'first');
    assert.deepEqual(await client.other(), { method: 'pushed', params: 'grüße' });
    assert.equal((await client.other()).result, 'ok');
    client.socket.write('\r\n\n{"id":3,"method":"echo","params":3}\r\n{"id":4,"method":"echo","params":4}\n');
    assert.deepEqual([(await client.other()).result, (await client.other()).result], [3, 4]);
  }));

test('a client that ends its half gets what is open answered, then the connection ends normal', () =>
  withTcp({}, async ({ system, observer, address }) => {
    const client = await connect(address, { allowHalfOpen: true });
    const answered = client.request({ id: 1, method: 'hold' });
    client.socket.end('{"id":2,"method":"echo","params":"without a line end"}');
    const { connection, inbound } = await observer.inbound('hold');
    assert.equal((await client.other()).result, 'without a line end');
    system.cast(connection, 'send', { exchange: inbound.exchange, message: { id: 1, result: 'last' }, end: true });
    assert.equal((await answered)[0].result, 'last');
    await client.closed;
    assert.equal((await observer.wait('close')).reason, 'normal');
  }));

test('what comes while a connection drains does not reset it: the last answer arrives', () =>
  withTcp({ drainTimeoutMs: 3_600_000 }, async ({ system, observer, connect }) => {
    const client = await connect();
    const answered = client.request({ id: 1, method: 'hold' });
    const { connection, inbound } = await observer.inbound('hold');
    system.cast(connection, 'close', { shutdown: 'over' });
    for (let n = 0; n < 50; n++) client.sendText(`{"id":9,"method":"late","params":"${'x'.repeat(10_000)}"}`);
    const result = 'y'.repeat(1_000_000);
    system.cast(connection, 'send', { exchange: inbound.exchange, message: { id: 1, result }, end: true });
    assert.equal((await answered)[0].result, result);
    await client.closed;
    assert.equal(observer.seen.filter(({ event }) => event === 'inbound').length, 1);
  }));

test('a Unix socket has no address; its file goes with the listener, and one left there is replaced', async () => {
  const path = socketPath();
  // A program that is killed leaves its file.
  const listen = `require('net').createServer().listen(${JSON.stringify(path)}, `;
  const program = `${listen}() => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', program]);
  assert.ok(existsSync(path));
  await withTcp({ path }, async ({ address, observer, connect }) => {
    assert.deepEqual(address, { path, url: `unix:${path}` });
    const client = await connect();
    assert.equal((await client.request({ id: 1, method: 'echo', params: 'x' }))[0].result, 'x');
    assert.deepEqual((await observer.wait('open')).info, { transport: 'tcp', kind: 'stream' });
  });
  assert.equal(existsSync(path), false);
});

test('a path on which somebody listens, and a busy port, make the start fail with what is taken', async () => {
  const path = socketPath();
  const { spec } = new Observer();
  const reasonOf = (options: TcpOptions): Promise<string> =>
    startSystem({ children: [tcp(options).childSpec(spec)] }).then(
      () => assert.fail('started'),
      ({ reason }: { reason: unknown }) => JSON.stringify(reason),
    );
  await withTcp({ path }, async ({ connect }) => {
    assert.match(await reasonOf({ path }), /"listen":\{"code":"EADDRINUSE","path":/);
    assert.equal((await (await connect()).request({ id: 1, method: 'echo', params: 1 }))[0].result, 1);
  });
  await withTcp({}, async ({ address }) => {
    assert.ok('port' in address);
    const { port } = address;
    const listen = new RegExp(`"listen":\\{"code":"EADDRINUSE","host":"127.0.0.1","port":${port}`);
    assert.match(await reasonOf({ port }), listen);
  });
  assert.match(await reasonOf({ path: join(folder, 'no', 'such') }), /"code":"E(?:ACCES|NOENT)"/);
});

test('when a system has stopped its port is free', async () => {
  let port = 0;
  await withTcp({}, async ({ address, connect }) => {
    if ('port' in address) port = address.port;
    await connect();
  });
  const other = net.createServer().listen(port, '127.0.0.1');
  await new Promise((resolve) => other.once('listening', resolve));
  other.close();
});

test('options that cannot be are refused at once, by name', () => {
  const refused = (option: string, options: object): void =>
    assert.throws(() => tcp(options as TcpOptions), { code: 'ERR_TRANSPORT_OPTION', option });
  refused('port', {});
  refused('port', { port: 65_536 });
  refused('host', { port: 1, host: '' });
  refused('path', { path: 'relative' });
  refused('path', { path: '/x', port: 1 });
  refused('path', { path: `/${'x'.repeat(200)}` });
  refused('idleTimeoutMs', { port: 1, idleTimeoutMs: 0 });
  refused('connectionsPerAddressMax', { port: 1, connectionsPerAddressMax: -1 });
  refused('tls', { port: 1, tls: { cert: server.cert } });
  refused('tls', { port: 1, tls: { cert: server.cert, key: client.key } });
  refused('tls', { port: 1, tls: { ...server, minVersion: 'SSLv3' } });
  refused('tls', { port: 1, tls: { ...server, clientCa: 'no certificate' } });
});
