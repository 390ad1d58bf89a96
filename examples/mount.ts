/**
 * A server of the official SDK, mounted as it is: each session has one of its own, in a supervised process. One of its
 * tools throws in a timer, which would end any program; here it costs the requests of one session.
 */

import assert from 'node:assert/strict';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { mcpNode, mountedServer } from '../mcp/index.ts';
import { startSystem } from '../runtime/index.ts';
import { listenerName, streamableHttp } from '../transports/http/index.ts';

/** As it was before: it knows nothing of processes. */
function createServer(): McpServer {
  const server = new McpServer({ name: 'counter', version: '1.0.0' });
  let count = 0;
  server.registerTool('count', {}, () => ({ content: [{ type: 'text', text: String(++count) }] }));
  server.registerTool('breaks', {}, () => {
    setTimeout(() => {
      throw new Error('nobody catches this');
    }, 1);
    return new Promise<never>(() => {});
  });
  return server;
}

const system = await startSystem({
  children: [
    mcpNode('mcp', {
      // With `module` and `exportName` in place of `create` it may run on a worker thread.
      servers: [mountedServer('counter', { create: createServer })],
      transports: [streamableHttp({ port: 0 })],
    }),
  ],
});
const { url } = await system.call(listenerName('http'), 'address');

async function connect(): Promise<Client> {
  const client = new Client({ name: 'example', version: '1.0.0' });
  await client.connect(new StreamableHTTPClientTransport(new URL(url)) as never);
  return client;
}
const call = async (client: Client, name: string): Promise<unknown> => (await client.callTool({ name })).content;
const said = (text: string): unknown => [{ type: 'text', text }];

const [one, other] = [await connect(), await connect()];
assert.deepEqual(await call(one, 'count'), said('1'));
assert.deepEqual(await call(other, 'count'), said('1'));
await assert.rejects(call(one, 'breaks'), /mounted server "counter" has failed: .*nobody catches this/);
assert.deepEqual(await call(other, 'count'), said('2'), 'the other session has its server');
assert.deepEqual(await call(one, 'count'), said('1'), 'this one has a new server, in the same session');

await Promise.all([one.close(), other.close()]);
await system.stop();
console.log('mounted');
