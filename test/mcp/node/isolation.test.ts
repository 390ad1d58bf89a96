/** Which death is felt where: clients on five transports, and one process of the tree that is killed. */

import assert from 'node:assert/strict';
import http from 'node:http';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { mcpNode } from '../../../mcp/index.ts';
import { type Pid, type System, startSystem, type TreeNode } from '../../../runtime/index.ts';
import { listenerName, streamableHttp } from '../../../transports/http/index.ts';
import { sse, sseListenerName } from '../../../transports/sse/index.ts';
import { stdio } from '../../../transports/stdio.ts';
import { tcp, tcpListenerName } from '../../../transports/tcp/index.ts';
import { webSocket, webSocketListenerName } from '../../../transports/websocket/index.ts';
import { Gate, testServer } from '../../support/mcp-tools.ts';
import { killSystem } from '../../support/test-system.ts';
import { turns } from '../../transports/http/client.ts';
import { MessageClient } from '../../transports/message-client.ts';
import { connect as connectSse } from '../../transports/sse/client.ts';
import { connect as connectTcp } from '../../transports/tcp/client.ts';
import { connect as connectWebSocket } from '../../transports/websocket/client.ts';

type Where = 'stdio' | 'tcp' | 'websocket' | 'sse' | 'http';
const everywhere: readonly Where[] = ['stdio', 'tcp', 'websocket', 'sse', 'http'];

const prefix = 'io.modelcontextprotocol/';
const _meta = { [`${prefix}protocolVersion`]: '2026-07-28', [`${prefix}clientCapabilities`]: {} };

interface Served {
  readonly system: System;
  readonly clients: Readonly<Record<Where, MessageClient>>;
  /** Another client, when it is let in: its transport may be starting. */
  again(where: Exclude<Where, 'stdio'>): Promise<MessageClient>;
}

/** A client of HTTP on one socket, whose end is the client's. */
function connectHttp(url: string): MessageClient {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const sockets = new Set<Socket>();
  let take: (text: string) => void;
  let over: () => void = () => {};
  const closed = new Promise<void>((resolve) => {
    over = resolve;
  });
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'tools/list',
  };
  return new MessageClient({
    send: (text) => {
      const request = http.request(url, { method: 'POST', headers, agent });
      request.on('error', over).on('socket', (socket) => {
        if (!sockets.has(socket)) socket.once('close', over);
        sockets.add(socket);
      });
      request.on('response', (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (piece: string) => {
          body += piece;
        });
        response.on('end', () => take(body));
      });
      request.end(text);
    },
    read: (reader) => {
      take = reader;
    },
    stopReading: () => {},
    leave: () => agent.destroy(),
    closed,
  });
}

let asked = 0;

async function isServed(client: MessageClient): Promise<void> {
  const message = { jsonrpc: '2.0', id: ++asked, method: 'tools/list', params: { _meta } };
  const [answer] = await client.request(message);
  assert.ok(answer.result.tools.length > 0);
}

async function serve(t: TestContext): Promise<Served> {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const listening = [tcp({ port: 0 }), webSocket({ port: 0 }), sse({ port: 0 }), streamableHttp({ port: 0 })];
  const node = { servers: [testServer(new Gate())], transports: [stdio({ input, output }), ...listening] };
  const system = await startSystem({ children: [mcpNode('mcp', node)] });
  t.after(() => killSystem(system));
  const line = new MessageClient({
    send: (text) => void input.write(`${text}\n`),
    read: (take) => void createInterface({ input: output }).on('line', take),
    stopReading: () => void output.pause(),
    leave: () => void input.end(),
    closed: new Promise((resolve) => output.once('close', resolve)),
  });
  const addresses = {
    tcp: await system.call(tcpListenerName(), 'address'),
    websocket: await system.call(webSocketListenerName(), 'address'),
    sse: await system.call(sseListenerName(), 'address'),
    http: await system.call(listenerName('http'), 'address'),
  };
  const connect = {
    tcp: () => connectTcp(addresses.tcp),
    websocket: () => connectWebSocket(addresses.websocket.url),
    sse: () => connectSse(addresses.sse),
    http: async () => connectHttp(addresses.http.url),
  };
  const clients = {
    stdio: line,
    tcp: await connect.tcp(),
    websocket: await connect.websocket(),
    sse: await connect.sse(),
    http: await connect.http(),
  };
  for (const client of Object.values(clients)) await isServed(client);
  return {
    system,
    clients,
    async again(where) {
      for (;;) {
        const client = await connect[where]().catch(() => {
          // its transport is starting
        });
        // It may have come to a listener that is about to be stopped.
        if (
          client !== undefined &&
          (await isServed(client).then(
            () => true,
            () => false,
          ))
        )
          return client;
        await turns(1);
      }
    },
  };
}

async function find(system: System, path: string): Promise<Pid | undefined> {
  let node: TreeNode | undefined = await system.tree();
  for (const id of path.split('/')) node = node?.children.find((child) => child.id === id);
  return typeof node?.pid === 'object' ? node.pid : undefined;
}

const transports = 'mcp/transport_sup';
const cases: readonly { readonly path: string; readonly feltBy: readonly Where[] }[] = [
  // The table of failures: what OTP makes of a crash of a worker is that its own supervisor restarts it, and no more.
  { path: 'mcp/registry_sup/registry', feltBy: [] },
  { path: 'mcp/infrastructure_sup/session_manager', feltBy: [] },
  { path: 'mcp/server_sup/request_sup', feltBy: [] },
  { path: 'mcp/server_sup/session_sup', feltBy: [] },
  { path: `${transports}/tcp`, feltBy: ['tcp'] },
  // The death of a tier's supervisor restarts the tiers after it (rest_for_one): the transports are the last.
  { path: 'mcp/registry_sup', feltBy: everywhere },
  { path: 'mcp/infrastructure_sup', feltBy: everywhere },
  { path: 'mcp/server_sup', feltBy: everywhere },
  { path: transports, feltBy: everywhere },
  // Within a transport.
  { path: `${transports}/tcp/listener`, feltBy: [] },
  { path: `${transports}/tcp/connections`, feltBy: ['tcp'] },
  { path: `${transports}/websocket`, feltBy: ['websocket'] },
  { path: `${transports}/websocket/listener`, feltBy: [] },
  { path: `${transports}/websocket/connections`, feltBy: ['websocket'] },
  { path: `${transports}/sse`, feltBy: ['sse'] },
  { path: `${transports}/sse/listener`, feltBy: [] },
  { path: `${transports}/http`, feltBy: ['http'] },
  { path: `${transports}/http/listener`, feltBy: [] },
  { path: `${transports}/http/connections`, feltBy: ['http'] },
  { path: `${transports}/stdio`, feltBy: ['stdio'] },
];

for (const { path, feltBy } of cases) {
  test(`${path} is killed: felt by ${feltBy.join(', ') || 'nobody'}, the others are served on`, async (t) => {
    const { system, clients, again } = await serve(t);
    const victim = await find(system, path);
    assert.ok(victim);
    system.exitProcess(victim, 'kill');
    // Standard streams have one client: their connection is temporary, all else is there again.
    while (system.isAlive(victim) || (path !== `${transports}/stdio` && (await find(system, path)) === undefined)) {
      await turns(1);
    }
    for (const where of everywhere) {
      if (feltBy.includes(where)) {
        await clients[where].closed;
        // The end of standard streams is the end of their only client.
        if (where !== 'stdio') await again(where);
      } else {
        await isServed(clients[where]);
      }
    }
  });
}

test('one connection is killed: the others of its transport are served on', async (t) => {
  const { system, clients, again } = await serve(t);
  for (const where of ['tcp', 'websocket', 'sse', 'http'] as const) {
    const other = await again(where);
    const node = (await system.tree()).children[0]?.children.find(({ id }) => id === 'transport_sup');
    const connections = node?.children.find(({ id }) => id === where)?.children.find(({ id }) => id === 'connections');
    const [first, second] = connections?.children ?? [];
    assert.ok(typeof first?.pid === 'object' && typeof second?.pid === 'object');
    system.exitProcess(first.pid, 'kill');
    const felt = await Promise.race([clients[where].closed.then(() => clients[where]), other.closed.then(() => other)]);
    await isServed(felt === other ? clients[where] : other);
  }
});
