import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isErrorExit, type Pid, type System, startSystem } from '../runtime/index.ts';
import { deepFreeze } from '../runtime/testing.ts';
import type { TransportLimits } from '../transports/limits.ts';
import type { Transport } from '../transports/transport.ts';
import { Observer } from './transports/probe-endpoint.ts';

/** A client of the transport under test. */
export interface ContractClient {
  /** Sends a request; resolves with all messages that answer it, the last one being its response. */
  request(message: { readonly id: number; readonly method: string; readonly params?: unknown }): Promise<any[]>;
  /** Sends a message that has no answer; resolves when the transport has taken it. */
  notify(message: { readonly method: string }): Promise<void>;
  /** Sends a request and reads nothing from then on. */
  requestUnread(message: { readonly id: number; readonly method: string; readonly params?: unknown }): void;
  /** Leaves at once. */
  leave(): void;
  /** Resolves when the server has closed the connection. */
  readonly closed: Promise<unknown>;
}

/** What the contract needs to know of a transport. */
export interface ContractHarness {
  readonly name: string;
  /** Whether it takes more than one connection. */
  readonly many: boolean;
  /** The transport, and how a client reaches it in a system that runs it. */
  create(limits: Partial<TransportLimits>): {
    readonly transport: Transport;
    connect(system: System): Promise<ContractClient>;
  };
}

interface Setup {
  readonly system: System;
  readonly observer: Observer;
  connect(): Promise<ContractClient>;
}

const errorOf = (answers: any[]): any => answers.at(-1)?.error;
const resultOf = (answers: any[]): any => answers.at(-1)?.result;

/** A request whose connection is about to end: that its answer does not come is no failure of the test. */
function unanswered(request: Promise<unknown>): void {
  request.catch(() => {
    // what the test waits for instead is the end of the connection
  });
}

/** What every transport must do, from the endpoint's and the client's side. */
export function transportContract(harness: ContractHarness): void {
  async function withSystem(limits: Partial<TransportLimits>, body: (setup: Setup) => Promise<void>): Promise<void> {
    const observer = new Observer();
    const { transport, connect } = harness.create(limits);
    const system = await startSystem({ children: [transport.childSpec(observer.spec)], onSend: deepFreeze });
    try {
      await body({ system, observer, connect: () => connect(system) });
    } finally {
      await system.stop();
    }
  }
  const contract = (
    title: string,
    body: (setup: Setup) => Promise<void>,
    limits: Partial<TransportLimits> = {},
  ): void => {
    test(title, () => withSystem(limits, body));
  };

  describe(`transport contract: ${harness.name}`, () => {
    contract('a request is answered, and the next on the same connection too', async ({ connect, observer }) => {
      const client = await connect();
      assert.equal(resultOf(await client.request({ id: 1, method: 'echo', params: 'grüße' })), 'grüße');
      assert.equal(resultOf(await client.request({ id: 2, method: 'echo', params: [1, { two: 3 }] }))[1].two, 3);
      assert.equal(observer.seen.filter(({ event }) => event === 'open').length, 1);
      const exchanges = observer.seen.flatMap((seen) => (seen.event === 'inbound' ? [seen.inbound.exchange] : []));
      assert.deepEqual(exchanges, [1, 2]);
    });

    contract('messages before the last arrive in order', async ({ connect }) => {
      const client = await connect();
      const answers = await client.request({ id: 7, method: 'stream', params: { count: 50 } });
      assert.deepEqual(
        answers.slice(0, -1).map(({ params }) => params.n),
        Array.from({ length: 50 }, (_, n) => n),
      );
      assert.equal(resultOf(answers), 'done');
    });

    contract('many requests on one connection each get their own answer', async ({ connect }) => {
      const client = await connect();
      const ids = Array.from({ length: 100 }, (_, n) => n + 1);
      const answers = await Promise.all(ids.map((id) => client.request({ id, method: 'echo', params: id })));
      assert.deepEqual(answers.map(resultOf), ids);
    });

    contract(
      'a notification is taken, ends its exchange and brings no message',
      async ({ connect, observer, system }) => {
        const client = await connect();
        await client.notify({ method: 'note' });
        const { connection } = await observer.inbound('note');
        assert.equal(resultOf(await client.request({ id: 1, method: 'echo', params: 'after' })), 'after');
        assert.equal(system.isAlive(connection), true);
      },
    );

    contract('a callback may be asynchronous', async ({ connect }) => {
      const client = await connect();
      assert.equal(resultOf(await client.request({ id: 1, method: 'wait' })), 'waited');
    });

    contract('a monitor that the endpoint set answers for a dead worker', async ({ connect }) => {
      const client = await connect();
      assert.deepEqual(errorOf(await client.request({ id: 1, method: 'die' })), {
        code: -32_603,
        message: 'worker_died',
      });
    });

    contract('what is sent to an exchange that has ended is dropped', async ({ connect }) => {
      const client = await connect();
      assert.deepEqual(
        (await client.request({ id: 1, method: 'twice' })).map(({ result }) => result),
        ['first'],
      );
      assert.equal(resultOf(await client.request({ id: 2, method: 'echo', params: 'next' })), 'next');
    });

    contract('an answer that cannot be serialised becomes an error under its id', async ({ connect }) => {
      const client = await connect();
      const [answer] = await client.request({ id: 5, method: 'bigint' });
      assert.equal(answer.id, 5);
      assert.equal(answer.error.code, -32_603);
      assert.match(answer.error.message, /cannot be serialised: .*BigInt/);
    });

    contract('a client that leaves aborts its open exchanges and ends the process normal', async (setup) => {
      const client = await setup.connect();
      unanswered(client.request({ id: 1, method: 'hold' }));
      const { inbound, connection } = await setup.observer.inbound('hold');
      client.leave();
      assert.equal((await setup.observer.wait('abort')).exchange, inbound.exchange);
      assert.equal((await setup.observer.wait('close')).reason, 'normal');
      await gone(setup.system, connection);
    });

    contract('a stop finishes what is open, then closes', async ({ system, observer, connect }) => {
      const client = await connect();
      const answered = client.request({ id: 3, method: 'hold' });
      const { inbound, connection } = await observer.inbound('hold');
      const stopped = system.stop();
      const { exchange } = inbound;
      system.cast(connection, 'send', { exchange, message: { id: 3, result: 'in time' }, end: true });
      assert.equal(resultOf(await answered), 'in time');
      await stopped;
      await client.closed;
      assert.equal((await observer.wait('close')).reason, 'shutdown');
      assert.equal(
        observer.seen.some(({ event }) => event === 'abort'),
        false,
      );
    });

    contract(
      'an endpoint ends on a stop what would never end by itself',
      async ({ system, observer, connect }) => {
        const client = await connect();
        const answered = client.request({ id: 1, method: 'subscribe' });
        await observer.inbound('subscribe');
        await Promise.all([system.stop(), client.closed]);
        assert.equal(resultOf(await answered), 'drained');
      },
      { drainTimeoutMs: 3_600_000 },
    );

    contract(
      'a stop of an idle connection does not wait',
      async ({ system, observer, connect }) => {
        const client = await connect();
        await client.request({ id: 1, method: 'echo' });
        await system.stop();
        await client.closed;
        assert.equal((await observer.wait('close')).reason, 'shutdown');
      },
      { drainTimeoutMs: 3_600_000 },
    );

    contract(
      'what is not finished when the drain time is over is aborted',
      async ({ system, observer, connect }) => {
        const client = await connect();
        unanswered(client.request({ id: 1, method: 'hold' }));
        const { inbound } = await observer.inbound('hold');
        await system.stop();
        await client.closed;
        assert.equal((await observer.wait('abort')).exchange, inbound.exchange);
      },
      { drainTimeoutMs: 30 },
    );

    contract('the cast close ends a connection in order', async ({ system, observer, connect }) => {
      const client = await connect();
      const answered = client.request({ id: 3, method: 'hold' });
      const { inbound, connection } = await observer.inbound('hold');
      system.cast(connection, 'close', { shutdown: 'session_over' });
      const { exchange } = inbound;
      system.cast(connection, 'send', { exchange, message: { id: 3, result: 'last' }, end: true });
      assert.equal(resultOf(await answered), 'last');
      await client.closed;
      assert.deepEqual((await observer.wait('close')).reason, { shutdown: 'session_over' });
    });

    contract('an endpoint that throws costs its connection', async ({ observer, connect }) => {
      const client = await connect();
      unanswered(client.request({ id: 1, method: 'fall' }));
      await client.closed;
      const { reason } = await observer.wait('close');
      assert.ok(isErrorExit(reason));
      assert.deepEqual(reason.error, { name: 'Error', message: 'the endpoint fell' });
    });

    contract('an endpoint that rejects costs its connection', async ({ observer, connect }) => {
      const client = await connect();
      unanswered(client.request({ id: 1, method: 'reject' }));
      await client.closed;
      assert.match(JSON.stringify((await observer.wait('close')).reason), /the endpoint rejected/);
    });

    contract('a killed connection process closes its socket', async ({ system, observer, connect }) => {
      const client = await connect();
      await client.request({ id: 1, method: 'echo' });
      const { connection } = await observer.wait('open');
      system.exitProcess(connection, 'kill');
      await client.closed;
      assert.equal(system.isAlive(connection), false);
    });

    contract(
      'a reader who does not read is disconnected, with the reason',
      async ({ observer, connect }) => {
        const client = await connect();
        client.requestUnread({ id: 1, method: 'flood', params: { count: 2_000, bytes: 16_384 } });
        const { reason } = await observer.wait('close');
        assert.equal(reason.shutdown.slow_reader.limitBytes, 200_000);
        assert.ok(reason.shutdown.slow_reader.queuedBytes > 200_000);
        await observer.wait('abort');
      },
      { queuedBytesMax: 200_000 },
    );

    contract(
      'one message may be larger than what may be unread',
      async ({ connect }) => {
        const client = await connect();
        const text = 'y'.repeat(400_000);
        assert.equal(resultOf(await client.request({ id: 1, method: 'echo', params: text })), text);
      },
      { queuedBytesMax: 100_000 },
    );

    test('an endpoint that is none fails the start, and the error says why', async () => {
      const { transport } = harness.create({});
      const spec = { ...new Observer().spec, exportName: 'NoEndpoint' };
      const failed = await startSystem({ children: [transport.childSpec(spec)] }).then(
        () => assert.fail('started'),
        (error: unknown) => JSON.stringify((error as { reason: unknown }).reason),
      );
      assert.match(failed, /ERR_ENDPOINT/);
      assert.match(failed, /must be an object with a function 'handleInbound'/);
    });

    test('a bound that is no positive integer is refused with its name', () => {
      for (const value of [0, -1, 1.5, Number.NaN, '7' as unknown as number]) {
        assert.throws(() => harness.create({ openExchangesMax: value }), {
          code: 'ERR_TRANSPORT_OPTION',
          option: 'openExchangesMax',
        });
      }
    });

    if (harness.many) manyConnections(contract);
  });
}

function manyConnections(
  contract: (title: string, body: (setup: Setup) => Promise<void>, limits?: Partial<TransportLimits>) => void,
): void {
  contract('16 connections at a time, each with its own process', async ({ connect, observer }) => {
    const clients = await Promise.all(Array.from({ length: 16 }, connect));
    const sums = await Promise.all(
      clients.map(async (client, c) => {
        let sum = 0;
        for (let n = 0; n < 20; n++)
          sum += resultOf(await client.request({ id: n + 1, method: 'echo', params: c * n }));
        return sum;
      }),
    );
    assert.deepEqual(
      sums,
      clients.map((_, c) => c * 190),
    );
    const processes = new Set(
      observer.seen.flatMap((seen) => (seen.event === 'open' ? [String(seen.connection)] : [])),
    );
    assert.equal(processes.size, 16);
  });

  contract('a killed or failed connection leaves the others serving', async ({ system, observer, connect }) => {
    const [first, second, third] = await Promise.all([connect(), connect(), connect()]);
    for (const client of [first, second, third]) await client.request({ id: 1, method: 'echo' });
    unanswered(third.request({ id: 2, method: 'fall' }));
    const { connection } = await observer.inbound('fall');
    await third.closed;
    const victims = observer.seen.flatMap((seen) => (seen.event === 'open' ? [seen.connection as Pid] : []));
    const victim = victims.find((pid) => pid !== connection);
    assert.ok(victim);
    system.exitProcess(victim, 'kill');
    await Promise.race([first.closed, second.closed]);
    const outcomes = await Promise.allSettled(
      [first, second].map((client) => client.request({ id: 3, method: 'echo', params: 'alive' })),
    );
    // One of the two was the victim: HTTP clients open a new socket, streams do not.
    assert.ok(outcomes.some((o) => o.status === 'fulfilled' && resultOf(o.value) === 'alive'));
    const fresh = await connect();
    assert.equal(resultOf(await fresh.request({ id: 4, method: 'echo', params: 'new' })), 'new');
  });
}

/** Waits until the process has exited. */
export async function gone(system: System, pid: Pid): Promise<void> {
  while (system.isAlive(pid)) await new Promise((resolve) => setImmediate(resolve));
}
