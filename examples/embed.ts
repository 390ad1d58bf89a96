/**
 * MCP inside a node:http server that is there already. In a project of yours: 'beamish', 'beamish/mcp',
 * 'beamish/transports/http'.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mcpNode, mcpServer, text, tool } from '../mcp/index.ts';
import { startSystem } from '../runtime/index.ts';
import { mountHttp } from '../transports/http/index.ts';

const by = { type: 'object', properties: { by: { type: 'integer' } }, required: ['by'] } as const;
const server = mcpServer('totals', {
  info: { name: 'totals', version: '1.0.0' },
  tools: { add: tool({ description: 'Adds to 40.', input: by }, (args) => text(String(40 + args.by))) },
});

const mcp = mountHttp({ path: '/mcp' });
const system = await startSystem({ children: [mcpNode('mcp', { servers: [server], transports: [mcp] })] });
const handle = mcp.handler(system);
const http = createServer((request, response) => {
  if (request.url === '/mcp') handle(request, response);
  else response.end('the rest of the program');
}).listen(0, '127.0.0.1');
await once(http, 'listening');

const origin = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
const version = '2026-07-28';
const _meta = { 'io.modelcontextprotocol/protocolVersion': version, 'io.modelcontextprotocol/clientCapabilities': {} };
const answer = await fetch(`${origin}/mcp`, {
  method: 'POST',
  headers: {
    accept: 'application/json, text/event-stream',
    'content-type': 'application/json',
    'mcp-protocol-version': version,
    'mcp-method': 'tools/call',
    'mcp-name': 'add',
  },
  body: JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'add', arguments: { by: 2 }, _meta },
  }),
});
assert.match(await answer.text(), /"text":"42"/);
assert.equal(await (await fetch(origin)).text(), 'the rest of the program');

// The node stops in order; the server is the program's own, and so is its end.
await system.stop();
http.close();
http.closeAllConnections();
