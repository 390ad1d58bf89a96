/** Our client and our server over each transport that keeps a connection. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { clientOf, mcpClient } from '../../../mcp/client/index.ts';
import { mcpNode } from '../../../mcp/index.ts';
import { type System, startSystem } from '../../../runtime/index.ts';
import { deepFreeze } from '../../../runtime/testing.ts';
import { tcpClient, webSocketClient } from '../../../transports/client/index.ts';
import type { ClientTransport } from '../../../transports/client-transport.ts';
import { grpc, grpcClient, grpcListenerName } from '../../../transports/grpc/index.ts';
import { tcp, tcpListenerName } from '../../../transports/tcp/index.ts';
import type { Transport } from '../../../transports/transport.ts';
import { webSocket, webSocketListenerName } from '../../../transports/websocket/index.ts';
import { authority, client, server } from '../../support/certificates.ts';
import { ClientEvents } from '../../support/mcp-client-events.ts';
import { Gate, testServer } from '../../support/mcp-tools.ts';
import { killSystem, systemName } from '../../support/test-system.ts';

interface Way {
  readonly transport: Transport;
  clientTransport(system: System): Promise<ClientTransport>;
}

async function portOf(system: System): Promise<number> {
  const address = await system.call(tcpListenerName(), 'address');
  assert.ok('port' in address);
  return address.port;
}

const ways: Record<string, () => Way> = {
  TCP: () => ({
    transport: tcp({ port: 0 }),
    clientTransport: async (system) => tcpClient({ port: await portOf(system) }),
  }),
  'TCP with mutual TLS': () => ({
    transport: tcp({ port: 0, tls: { ...server, clientCa: authority.cert } }),
    clientTransport: async (system) =>
      tcpClient({ port: await portOf(system), tls: { ca: authority.cert, ...client } }),
  }),
  WebSocket: () => ({
    transport: webSocket({ port: 0 }),
    clientTransport: async (system) =>
      webSocketClient({ url: (await system.call(webSocketListenerName(), 'address')).url }),
  }),
  'gRPC with mutual TLS': () => ({
    transport: grpc({ port: 0, tls: { ...server, clientCa: authority.cert } }),
    clientTransport: async (system) => {
      const { target } = await system.call(grpcListenerName(), 'address');
      return grpcClient({ target, tls: { ca: authority.cert, ...client } });
    },
  }),
};

async function startServing(t: TestContext, transport: Transport): Promise<{ readonly system: System; gate: Gate }> {
  const gate = new Gate();
  const children = [mcpNode('mcp', { servers: [testServer(gate)], transports: [transport] })];
  const system = await startSystem({ children, onSend: deepFreeze });
  t.after(() => killSystem(system));
  return { system, gate };
}

for (const [name, way] of Object.entries(ways)) {
  for (const [negotiation, version] of [
    ['auto', '2026-07-28'],
    ['legacy', '2025-11-25'],
  ] as const) {
    test(`over ${name}, ${negotiation}: calls, progress, cancellation, a restart of the server`, async (t) => {
      const { transport, clientTransport } = way();
      const { system } = await startServing(t, transport);
      const systemOfClient = systemName();
      const events = new ClientEvents(t, systemOfClient);
      const spec = {
        transport: await clientTransport(system),
        negotiation,
        limits: { backoffMinMs: 1, backoffMaxMs: 1 },
      };
      const mine = await startSystem({ name: systemOfClient, children: [mcpClient('c', spec)], onSend: deepFreeze });
      t.after(() => killSystem(mine));
      const client = clientOf(mine, 'c');
      assert.equal(((await client.ready()) as any).ok.agreed.version, version);
      const said = Array.from({ length: 50 }, (_, n) => `text ${n} é`);
      const replies = await Promise.all(said.map((text) => client.callTool('echo', { text })));
      assert.deepEqual(
        replies.map((reply: any) => reply.ok.content[0].text.split(',')[0]),
        said,
      );
      const controller = new AbortController();
      const cancelled = client.callTool('hold', { key: 'a' }, { signal: controller.signal });
      await client.ping();
      controller.abort();
      assert.equal(((await cancelled) as any).error.code, 'ERR_MCP_CANCELLED');
      // The supervisor of the connections goes, and all of them with it: the client is back by itself.
      const connections = system.whereis(`${transport.id}_connections`);
      assert.ok(connections);
      system.exitProcess(connections, 'kill');
      await events.state('waiting');
      const again = (await client.callTool('echo', { text: 'again' })) as any;
      assert.match(again.ok.content[0].text, /^again, said/);
      await mine.stop();
      await system.stop();
    });
  }
}

const skip = process.platform !== 'linux' && 'there is one address of the loopback interface only';

test('over gRPC with TLS an address is what the certificate must be for', { skip }, async (t) => {
  const { system } = await startServing(t, grpc({ port: 0, host: '127.0.0.2', tls: server }));
  const { target } = await system.call(grpcListenerName(), 'address');
  const systemOfClient = systemName();
  const events = new ClientEvents(t, systemOfClient);
  const spec = { transport: grpcClient({ target, tls: { ca: authority.cert } }) };
  const mine = await startSystem({ name: systemOfClient, children: [mcpClient('c', spec)] });
  t.after(() => killSystem(mine));
  const { reason } = await events.state('waiting');
  assert.match(JSON.stringify(reason), /"connect":\{"code":"GRPC_UNAVAILABLE".*IP: 127\.0\.0\.2 is not in the cert/);
});
