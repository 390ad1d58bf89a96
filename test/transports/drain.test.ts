/** A stop under load: 200 connections, each with a request open and more coming in. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { name, type System, startSystem } from '../../runtime/index.ts';
import { listenerName, streamableHttp } from '../../transports/http/index.ts';
import { sse, sseListenerName } from '../../transports/sse/index.ts';
import { tcp, tcpListenerName } from '../../transports/tcp/index.ts';
import type { Transport } from '../../transports/transport.ts';
import { webSocket, webSocketListenerName } from '../../transports/websocket/index.ts';
import type { ContractClient } from '../transport-contract.ts';
import { contractClient, turns } from './http/client.ts';
import { MessageClient } from './message-client.ts';
import { Observer, type Seen } from './probe-endpoint.ts';
import { connect as connectSse } from './sse/client.ts';
import { connect as connectTcp } from './tcp/client.ts';
import { connect as connectWebSocket } from './websocket/client.ts';

type Taken = Extract<Seen, { event: 'inbound' }>;

const CONNECTIONS = 200;

const ways: readonly {
  readonly transport: Transport;
  readonly connect: (system: System) => Promise<ContractClient>;
}[] = [
  {
    transport: streamableHttp({ port: 0 }),
    connect: async (system) => contractClient((await system.call(listenerName('http'), 'address')).port),
  },
  {
    transport: tcp({ port: 0 }),
    connect: async (system) => connectTcp(await system.call(tcpListenerName(), 'address')),
  },
  {
    transport: webSocket({ port: 0 }),
    connect: async (system) => connectWebSocket((await system.call(webSocketListenerName(), 'address')).url),
  },
  {
    transport: sse({ port: 0 }),
    connect: async (system) => connectSse(await system.call(sseListenerName(), 'address')),
  },
];

for (const { transport, connect } of ways) {
  test(`${transport.id}: what 200 busy connections were asked before a stop is answered, all of it`, async () => {
    const observer = new Observer();
    const system = await startSystem({ children: [transport.childSpec(observer.spec)] });
    const clients = await Promise.all(Array.from({ length: CONNECTIONS }, () => connect(system)));
    // A request per connection that the endpoint has taken, so that it is owed an answer.
    const answers = clients.map((client, n) => client.request({ id: 1, method: 'hold', params: n }));
    const inbounds = (): Taken[] => observer.seen.filter((seen) => seen.event === 'inbound');
    while (inbounds().length < CONNECTIONS) await turns(1);
    const taken = inbounds();
    const stopped = system.stop();
    // What comes in from now on has not been begun, and brings no answer.
    for (const client of clients) if (client instanceof MessageClient) client.sendText('{"method":"late"}');
    const text = 'x'.repeat(20_000);
    for (const { connection, inbound, message } of taken) {
      const answer = { id: message?.id, result: { of: message?.params, text } };
      system.cast(connection, 'send', { exchange: inbound.exchange, message: answer, end: true });
    }
    const got = await Promise.all(answers);
    await stopped;
    await Promise.all(clients.map(({ closed }) => closed));
    assert.deepEqual(
      got.map((all) => all.map(({ result }) => result.of)),
      clients.map((_, n) => [n]),
    );
    const reasons = observer.seen.flatMap((seen) => (seen.event === 'close' ? [seen.reason] : []));
    assert.deepEqual(reasons, Array(CONNECTIONS).fill('shutdown'));
    assert.equal(system.whereis(name(`${transport.id}_listener`)), undefined);
  });
}
