import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startSystem } from '../../runtime/index.ts';
import { connectMemory, type MemoryClient, memory } from '../../transports/memory.ts';
import { type ContractClient, transportContract } from '../transport-contract.ts';
import { Observer } from './probe-endpoint.ts';

/** Collects the messages of a client per request id; events carry the id of theirs in `params.of`. */
function contractClient(client: MemoryClient): ContractClient {
  const waiting = new Map<number, { readonly got: any[]; readonly done: (all: any[]) => void }>();
  let reading = false;
  const read = async (): Promise<void> => {
    for await (const message of client.messages as AsyncIterable<any>) {
      const id = message.id ?? message.params?.of;
      const request = waiting.get(id);
      request?.got.push(message);
      if (message.id !== undefined) request?.done(request.got);
    }
  };
  return {
    request(message) {
      if (!reading) void read();
      reading = true;
      const answered = new Promise<any[]>((done) => waiting.set(message.id, { got: [], done }));
      if (!client.send(message)) return Promise.reject(new Error('closed'));
      const closed = client.closed.then(() => Promise.reject(new Error('closed')));
      return Promise.race([answered, closed]);
    },
    async notify(message) {
      client.send(message);
    },
    requestUnread: (message) => client.send(message),
    leave: () => client.close(),
    closed: client.closed,
  };
}

transportContract({
  name: 'memory',
  many: true,
  create(limits) {
    return {
      transport: memory(limits),
      connect: async (system) => contractClient(await connectMemory(system)),
    };
  },
});

async function withMemory(
  options: Parameters<typeof memory>[0],
  body: (system: Awaited<ReturnType<typeof startSystem>>, observer: Observer) => Promise<void>,
): Promise<void> {
  const observer = new Observer();
  const system = await startSystem({ children: [memory(options).childSpec(observer.spec)] });
  try {
    await body(system, observer);
  } finally {
    await system.stop();
  }
}

test('the end of sending finishes what is open, then the connection ends normal', () =>
  withMemory({}, async (system, observer) => {
    const client = await connectMemory(system);
    client.send({ id: 1, method: 'hold' });
    client.end();
    assert.equal(client.send({ id: 2, method: 'echo' }), false);
    const { connection, inbound } = await observer.inbound('hold');
    system.cast(connection, 'send', { exchange: inbound.exchange, message: { id: 1, result: 'last' }, end: true });
    const got: unknown[] = [];
    for await (const message of client.messages) got.push(message);
    assert.deepEqual(got, [{ id: 1, result: 'last' }]);
    assert.equal(await client.closed, 'normal');
  }));

test('messages of no exchange reach the client', () =>
  withMemory({}, async (system) => {
    const client = await connectMemory(system);
    client.send({ id: 1, method: 'push', params: 'news' });
    assert.deepEqual((await client.messages.next()).value, { method: 'pushed', params: 'news' });
    client.close();
  }));

test('a text goes as it is; one that is too long is a fault', () =>
  withMemory({ messageBytesMax: 50 }, async (system) => {
    const client = await connectMemory(system);
    client.send('{"broken');
    assert.equal(((await client.messages.next()).value as any).error.code, -32_700);
    client.send({ method: 'echo', params: 'z'.repeat(50) });
    assert.equal(((await client.messages.next()).value as any).error.data.fault, 'message_too_long');
    client.close();
  }));

test('with all exchanges open, messages wait; when as many wait, send throws', () =>
  withMemory({ openExchangesMax: 2 }, async (system, observer) => {
    const client = await connectMemory(system);
    for (let id = 1; id <= 4; id++) client.send({ id, method: `hold${id}` });
    assert.throws(() => client.send({ id: 5, method: 'hold5' }), { code: 'ERR_MEMORY_QUEUE' });
    const { connection, inbound } = await observer.inbound('hold2');
    assert.equal(observer.seen.filter(({ event }) => event === 'inbound').length, 2);
    system.cast(connection, 'send', { exchange: inbound.exchange, message: { id: 2, result: 0 }, end: true });
    await observer.inbound('hold3');
    client.close();
    await client.closed;
    assert.equal(
      observer.seen.some((seen) => seen.event === 'inbound' && seen.message?.method === 'hold4'),
      false,
    );
  }));

test('a connection past connectionsMax is refused, and admitted when one has gone', () =>
  withMemory({ connectionsMax: 2 }, async (system) => {
    const [first] = [await connectMemory(system), await connectMemory(system)];
    await assert.rejects(connectMemory(system), { code: 'ERR_MEMORY_TOO_MANY_CONNECTIONS' });
    first.close();
    await first.closed;
    await connectMemory(system);
  }));

test('the count of connections outlives a crash of the listener', () =>
  withMemory({ connectionsMax: 1 }, async (system) => {
    const client = await connectMemory(system);
    const listener = system.whereis('memory_listener' as never);
    assert.ok(listener);
    system.exitProcess(listener, 'kill');
    while (system.whereis('memory_listener' as never) === undefined) await new Promise((r) => setImmediate(r));
    await assert.rejects(connectMemory(system), { code: 'ERR_MEMORY_TOO_MANY_CONNECTIONS' });
    client.send({ id: 1, method: 'echo', params: 'still here' });
    assert.equal(((await client.messages.next()).value as any).result, 'still here');
  }));

test('there is no connection without a transport of that id', async () => {
  const system = await startSystem({ children: [] });
  await assert.rejects(connectMemory(system, 'nowhere'), { code: 'ERR_MEMORY_NOT_RUNNING', message: /'nowhere'/ });
  await system.stop();
  await assert.rejects(connectMemory(system, 'nowhere'), { code: 'ERR_MEMORY_NOT_RUNNING' });
});

test('two systems do not see each other', async () => {
  const observers = [new Observer(), new Observer()] as const;
  const transport = memory();
  const systems = await Promise.all(observers.map((o) => startSystem({ children: [transport.childSpec(o.spec)] })));
  const client = await connectMemory(systems[0]!);
  client.send({ id: 1, method: 'echo' });
  await client.messages.next();
  assert.equal(observers[1].seen.length, 0);
  await Promise.all(systems.map((system) => system.stop()));
});
