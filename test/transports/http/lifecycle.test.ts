import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import { name, type Pid, type System, startSystem } from '../../../runtime/index.ts';
import { listenerName, streamableHttp } from '../../../transports/http/index.ts';
import { Observer } from '../probe-endpoint.ts';
import { call, post, RawSocket, reasonOf, turns, withHttp } from './client.ts';

/** Waits until a name is held by another process than before. */
async function replaced(system: System, who: string, before: Pid | undefined): Promise<Pid> {
  for (;;) {
    const now = system.whereis(name(who));
    if (now !== undefined && now !== before) return now;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function kill(system: System, who: string): Pid {
  const pid = system.whereis(name(who));
  assert.ok(pid);
  system.exitProcess(pid, 'kill');
  return pid;
}

test('the listener tells where it is bound', () =>
  withHttp({ id: 'web', path: '/rpc' }, async ({ system, address }) => {
    assert.equal(address.host, '127.0.0.1');
    assert.equal(address.url, `http://127.0.0.1:${address.port}/rpc`);
    assert.deepEqual(await system.call(listenerName('web'), 'address'), address);
    assert.equal((await call(address.port, 'echo', 1, { path: '/rpc' })).status, 200);
  }));

test('a busy port makes the start fail, and the error names address and port', async () => {
  const other = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => other.once('listening', resolve));
  const { port } = other.address() as net.AddressInfo;
  const children = [streamableHttp({ port }).childSpec(new Observer().spec)];
  await assert.rejects(startSystem({ children }), (error: { reason: unknown }) => {
    const text = JSON.stringify(error.reason);
    assert.match(text, new RegExp(`"listen":\\{"code":"EADDRINUSE","host":"127.0.0.1","port":${port},"message":`));
    return true;
  });
  other.close();
});

test('a listener that is killed is restarted on its port, connections live on with their processes', () =>
  withHttp({}, async ({ system, observer, address }) => {
    const raw = new RawSocket(address.port);
    raw.write(post('{"id":1,"method":"echo","params":"one"}'));
    await raw.until((text) => text.includes('"one"'));
    raw.write(post('{"id":2,"method":"hold"}'));
    const { connection, inbound } = await observer.inbound('hold');
    await replaced(system, 'http_listener', kill(system, 'http_listener'));
    assert.deepEqual(await system.call(listenerName('http'), 'address'), address);
    assert.equal((await call(address.port, 'echo')).status, 200);
    system.cast(connection, 'send', { exchange: inbound.exchange, message: { result: 'two' }, end: true });
    await raw.until((text) => text.includes('"two"'));
    raw.write(post('{"id":3,"method":"echo","params":"three"}'));
    await raw.until((text) => text.includes('"three"'));
    const opened = observer.seen.filter((seen) => seen.event === 'open' && seen.connection === connection);
    assert.equal(opened.length, 1);
    raw.socket.destroy();
  }));

test('connections of a listener that was killed keep their timeouts', () =>
  withHttp(
    { headersTimeoutMs: 60, requestTimeoutMs: 60, timeoutCheckMs: 10 },
    async ({ system, observer, address }) => {
      const raw = new RawSocket(address.port);
      await observer.wait('open');
      raw.write('POST /mcp HTTP/1.1\r\n');
      await replaced(system, 'http_listener', kill(system, 'http_listener'));
      await raw.until((text) => text.includes('request_timeout'));
      raw.socket.destroy();
    },
  ));

test('connections of a listener that was killed still count', () =>
  withHttp({ connectionsMax: 1 }, async ({ system, observer, address }) => {
    const raw = new RawSocket(address.port);
    await observer.wait('open');
    await replaced(system, 'http_listener', kill(system, 'http_listener'));
    const refused = await call(address.port, 'echo');
    assert.deepEqual([refused.status, reasonOf(refused.text)], [503, 'too_many_connections']);
    raw.socket.destroy();
    await observer.wait('close');
    await turns();
    assert.equal((await call(address.port, 'echo')).status, 200);
  }));

test('when the connection supervisor is killed, all connections and the listener are started anew', () =>
  withHttp({}, async ({ system, observer, address }) => {
    const raw = new RawSocket(address.port);
    await observer.wait('open');
    const listener = system.whereis(listenerName('http'));
    kill(system, 'http_connections');
    await raw.closed;
    await replaced(system, 'http_listener', listener);
    assert.equal((await call(address.port, 'echo')).status, 200);
  }));

test('when a system has stopped its port is free, and all its sockets are closed', async () => {
  let port = 0;
  const sockets: RawSocket[] = [];
  await withHttp({}, async ({ address, observer }) => {
    port = address.port;
    sockets.push(new RawSocket(port), new RawSocket(port));
    while (observer.seen.length < 2) await turns(1);
  });
  await Promise.all(sockets.map(({ closed }) => closed));
  const server = net.createServer().listen(port, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  server.close();
});

test('two transports in one system, and one transport in two systems', async () => {
  const [a, b] = [streamableHttp({ id: 'a', port: 0 }), streamableHttp({ id: 'b', port: 0 })];
  const { spec } = new Observer();
  const first = await startSystem({ children: [a.childSpec(spec), b.childSpec(spec)] });
  const second = await startSystem({ children: [a.childSpec(spec)] });
  const ports = await Promise.all([
    first.call(listenerName('a'), 'address'),
    first.call(listenerName('b'), 'address'),
    second.call(listenerName('a'), 'address'),
  ]);
  assert.equal(new Set(ports.map(({ port }) => port)).size, 3);
  await first.stop();
  assert.equal((await call(ports[2].port, 'echo')).status, 200);
  await second.stop();
});
