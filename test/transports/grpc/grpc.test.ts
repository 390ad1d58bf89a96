import assert from 'node:assert/strict';
import { once } from 'node:events';
import net, { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { Client, credentials, loadPackageDefinition, status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import fc from 'fast-check';
import { name, type Pid, type System } from '../../../runtime/index.ts';
import { GRPC_LIMITS, type GrpcOptions, grpc, grpcClient, grpcListenerName } from '../../../transports/grpc/index.ts';
import { loadGrpc } from '../../../transports/grpc/library.ts';
import { decodeText, encodeText } from '../../../transports/grpc/message-codec.ts';
import { root } from '../../support/repository.ts';
import { transportContract } from '../../transport-contract.ts';
import { RawSocket, turns } from '../http/client.ts';
import { connect, GrpcTestClient, withGrpc } from './client.ts';

transportContract({
  name: 'gRPC',
  many: true,
  create(limits) {
    return {
      transport: grpc({ port: 0, ...limits }),
      connect: async (system) => connect((await system.call(grpcListenerName(), 'address')).target),
    };
  },
});

const definition = loadSync(join(root, 'transports/grpc/mcp.proto'), {});

test('a client made from mcp.proto speaks with the server', () =>
  withGrpc({}, async ({ address }) => {
    const { McpService } = (loadPackageDefinition(definition) as any).beamish.mcp.v1;
    const client = new McpService(address.target, credentials.createInsecure());
    const call = client.Connect();
    call.write({ json: '{"id":1,"method":"echo","params":"grüße"}' });
    call.end();
    const answers: unknown[] = [];
    for await (const { json } of call) answers.push(JSON.parse(json).result);
    assert.deepEqual(answers, ['grüße']);
    client.close();
  }));

test('texts are on the wire what mcp.proto says', () => {
  const { requestSerialize, requestDeserialize } = (definition as any)['beamish.mcp.v1.McpService'].Connect;
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 400 }), (json) => {
      const bytes = requestSerialize({ json });
      assert.deepEqual(encodeText(json), bytes);
      assert.deepEqual(decodeText(bytes), { text: json });
      assert.deepEqual(decodeText(Buffer.alloc(0)), { text: '' }); // what has its default may be left out
      assert.equal(requestDeserialize(encodeText(json)).json ?? '', json);
    }),
  );
  const long = 'é'.repeat(100_000);
  assert.deepEqual(encodeText(long), requestSerialize({ json: long }));
  const later = Buffer.from([0x10, 0x96, 0x01, 0x19, 1, 2, 3, 4, 5, 6, 7, 8, 0x25, 1, 2, 3, 4, 0x32, 1, 0x61]);
  assert.deepEqual(decodeText(Buffer.concat([later, encodeText('a'), later, encodeText('b')])), { text: 'b' });
  assert.deepEqual(decodeText(Buffer.from([0x0a, 1, 0xff])), { text: '', fault: 'invalid_utf8' });
  for (const wrong of [[0x0a, 5, 1], [0x0a], [0x0b], [0x80], [0x19, 1], new Array(12).fill(0xff)]) {
    assert.throws(() => decodeText(Buffer.from(wrong)), /the message (ends|has)/, String(wrong));
  }
});

test('without the package the error says how to get it', () => {
  const missing = Object.assign(new Error('Cannot find module'), { code: 'MODULE_NOT_FOUND' });
  const load = (error: Error) => (): never => {
    throw error;
  };
  assert.throws(() => loadGrpc(load(missing)), { code: 'ERR_GRPC_MISSING', message: /npm install @grpc\/grpc-js/ });
  const broken = new Error('broken');
  assert.throws(() => loadGrpc(load(broken)), broken);
});

test('the defaults', () => {
  assert.deepEqual(GRPC_LIMITS, {
    messageBytesMax: 4_194_304,
    openExchangesMax: 256,
    queuedBytesMax: 4_194_304,
    connectionsMax: 10_000,
    drainTimeoutMs: 5_000,
    connectionsPerAddressMax: 10_000,
    idleTimeoutMs: 1_800_000,
    handshakeTimeoutMs: 10_000,
    pingIntervalMs: 30_000,
  });
});

test('wrong options are refused at once, by name', () => {
  const wrong: [option: string, options: Partial<GrpcOptions>][] = [
    ['port', { port: -1 }],
    ['host', { host: '' }],
    ['pingIntervalMs', { pingIntervalMs: 0 }],
    ['tls', { tls: { cert: 'no', key: 'no' } }],
  ];
  for (const [option, options] of wrong) {
    assert.throws(() => grpc({ port: 0, ...options }), { code: 'ERR_TRANSPORT_OPTION', option }, option);
  }
  assert.throws(() => grpcClient({ target: 'http://a' }), { option: 'target' });
  assert.throws(() => grpcClient({ target: 'a:1', metadata: { 'a b': 'c' } }), { option: 'metadata' });
});

test('a client that ends its half gets what is open answered, then OK', () =>
  withGrpc({}, async ({ observer, system, connect: open }) => {
    const client = await open();
    const answered = client.request({ id: 1, method: 'hold' });
    const { connection, inbound } = await observer.inbound('hold');
    client.call.end();
    await turns();
    system.cast(connection, 'send', { exchange: inbound.exchange, message: { id: 1, result: 'x' }, end: true });
    assert.equal((await answered).at(-1).result, 'x');
    assert.equal((await client.closed).code, status.OK);
    assert.equal((await observer.wait('close')).reason, 'normal');
  }));

test('a deadline that is over is a client that has left', () =>
  withGrpc({}, async ({ observer, address }) => {
    // A machine that is slow gets a later deadline, until the request has come in before it is over.
    for (let deadlineMs = 200; ; deadlineMs *= 2) {
      const client = new GrpcTestClient(address.target, { deadline: new Date(Date.now() + deadlineMs) });
      client.request({ id: 1, method: 'hold' }).catch(() => {
        // the deadline comes first
      });
      assert.equal((await client.closed).code, status.DEADLINE_EXCEEDED);
      const inbound = observer.seen.find(({ event }) => event === 'inbound');
      if (inbound === undefined) continue;
      await observer.wait('abort', ({ connection }) => connection === inbound.connection);
      return;
    }
  }));

test('a message past the bound ends its call, and no other', () =>
  withGrpc({ messageBytesMax: 1_000 }, async ({ connect: open }) => {
    const [client, other] = [await open(), await open()];
    const echo = (bytes: number): { id: number; method: string; params: string } => ({
      id: 1,
      method: 'echo',
      params: 'x'.repeat(bytes),
    });
    assert.equal((await client.request(echo(900))).at(-1).id, 1);
    client.request(echo(1_000)).catch(() => {
      // it is not answered
    });
    assert.equal((await client.closed).code, status.RESOURCE_EXHAUSTED);
    assert.equal((await other.request(echo(1))).at(-1).result, 'x');
  }));

test('a call past connectionsMax is told so, and admitted when one has gone', () =>
  withGrpc({ connectionsMax: 1 }, async ({ system, observer, address, connect: open }) => {
    const client = await open();
    const { connection } = await observer.wait('open');
    const refused = await new GrpcTestClient(address.target, {}).closed;
    assert.equal(refused.code, status.RESOURCE_EXHAUSTED);
    assert.match(refused.details, /^too_many_connections: /);
    client.leave();
    await observer.wait('close');
    while (system.isAlive(connection)) await turns(1);
    await turns();
    assert.equal((await (await open()).request({ id: 1, method: 'echo', params: 2 })).at(-1).result, 2);
  }));

test('an idle call ends in order', () =>
  withGrpc({ idleTimeoutMs: 40 }, async ({ observer, connect: open }) => {
    const client = await open();
    assert.equal((await client.closed).code, status.OK);
    assert.deepEqual((await observer.wait('close')).reason, { shutdown: { idle: { idleTimeoutMs: 40 } } });
  }));

test('who connects and says nothing is cut off', () =>
  withGrpc({ handshakeTimeoutMs: 30 }, async ({ address }) => {
    await new RawSocket(address.port).closed;
  }));

test('past openExchangesMax a client is not read on', () =>
  withGrpc({ openExchangesMax: 2 }, async ({ observer, system, connect: open }) => {
    const client = await open();
    const answers = [1, 2, 3].map((id) => client.request({ id, method: `hold-${id}` }));
    const { connection, inbound } = await observer.inbound('hold-1');
    await observer.inbound('hold-2');
    await turns(50);
    assert.equal(observer.seen.filter(({ event }) => event === 'inbound').length, 2);
    const send = (exchange: number, id: number): void =>
      system.cast(connection, 'send', { exchange, message: { id, result: id }, end: true });
    send(inbound.exchange, 1);
    for (const id of [2, 3]) send((await observer.inbound(`hold-${id}`)).inbound.exchange, id);
    assert.deepEqual(
      (await Promise.all(answers)).map((answer) => answer.at(-1).result),
      [1, 2, 3],
    );
  }));

test('200 busy calls lose no answer when the server stops', () =>
  withGrpc({}, async ({ address, observer, system }) => {
    const channel = new Client(address.target, credentials.createInsecure());
    const clients = Array.from({ length: 200 }, () => new GrpcTestClient(address.target, {}, channel));
    const answers = clients.map((client, n) => client.request({ id: 1, method: `hold-${n}` }));
    const held = [];
    for (let n = 0; n < 200; n++) held.push(await observer.inbound(`hold-${n}`));
    const stopped = system.stop();
    await turns();
    for (const { connection, inbound, message } of held) {
      const { exchange } = inbound;
      system.cast(connection, 'send', { exchange, message: { id: 1, result: message?.method }, end: true });
    }
    assert.deepEqual(
      (await Promise.all(answers)).map((answer) => answer.at(-1).result),
      clients.map((_, n) => `hold-${n}`),
    );
    for (const client of clients) assert.equal((await client.closed).code, status.OK);
    await stopped;
  }));

test('a killed connection is INTERNAL, and other calls of its session go on', () =>
  withGrpc({}, async ({ address, observer, system }) => {
    const channel = new Client(address.target, credentials.createInsecure());
    const victim = new GrpcTestClient(address.target, {}, channel);
    await victim.request({ id: 1, method: 'echo' });
    const { connection } = await observer.wait('open');
    const other = await connect(address.target);
    system.exitProcess(connection, 'kill');
    const { code, details } = await victim.closed;
    assert.deepEqual([code, details.split(':')[0]], [status.INTERNAL, 'internal_error']);
    assert.equal((await other.request({ id: 2, method: 'echo', params: 3 })).at(-1).result, 3);
    other.leave();
  }));

async function replaced(system: System, who: string, before: Pid): Promise<void> {
  while ([undefined, before].includes(system.whereis(name(who)) as Pid | undefined)) await turns(1);
}

test('a listener that is killed is restarted on its port; calls live on, and still count', () =>
  withGrpc({ connectionsMax: 1 }, async ({ system, address, connect: open }) => {
    const client = await open();
    const listener = system.whereis(grpcListenerName())!;
    system.exitProcess(listener, 'kill');
    await replaced(system, 'grpc_listener', listener);
    assert.deepEqual(await system.call(grpcListenerName(), 'address'), address);
    assert.equal((await client.request({ id: 2, method: 'echo', params: 3 })).at(-1).result, 3);
    const refused = await new GrpcTestClient(address.target, {}).closed;
    assert.equal(refused.code, status.RESOURCE_EXHAUSTED);
    client.leave();
  }));

test('a session whose listener has died is not taken for dead: its calls outlive the pings that would come', () =>
  withGrpc({ pingIntervalMs: 5 }, async ({ system, connect: open }) => {
    const client = await open();
    const listener = system.whereis(grpcListenerName())!;
    system.exitProcess(listener, 'kill');
    await replaced(system, 'grpc_listener', listener);
    for (let id = 1; id <= 500; id++) {
      assert.equal((await client.request({ id, method: 'echo', params: id })).at(-1).result, id);
    }
    client.leave();
  }));

test('a client that does not answer a ping is taken for gone; one that does stays', () =>
  withGrpc({ pingIntervalMs: 60 }, async ({ address, observer, connect: open }) => {
    const there = await open();
    await observer.wait('open');
    const way = await breakableWay(address.port);
    const dead = await connect(`127.0.0.1:${way.port}`);
    way.breakOff();
    assert.equal((await observer.wait('close')).reason, 'normal');
    assert.equal((await there.request({ id: 1, method: 'echo', params: 'here' })).at(-1).result, 'here');
    way.close();
    await dead.closed;
  }));

/** A way to a port that can be broken off without a word to either side. */
async function breakableWay(to: number): Promise<{ port: number; breakOff(): void; close(): void }> {
  const pairs: Socket[][] = [];
  const server = createServer((near) => {
    const far = net.connect(to, '127.0.0.1');
    pairs.push([near, far]);
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) socket.on('error', () => {}); // the other end has been reset
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    breakOff: () => {
      for (const [near, far] of pairs) near?.unpipe(far);
    },
    close: () => {
      for (const socket of pairs.flat()) socket.destroy();
      server.close();
    },
  };
}

test('when the connection supervisor is killed, all calls and the listener are started anew', () =>
  withGrpc({}, async ({ system, connect: open }) => {
    const client = await open();
    const listener = system.whereis(grpcListenerName())!;
    system.exitProcess(system.whereis(name('grpc_connections'))!, 'kill');
    await client.closed;
    await replaced(system, 'grpc_listener', listener);
    assert.equal((await (await open()).request({ id: 1, method: 'echo', params: 2 })).at(-1).result, 2);
  }));
