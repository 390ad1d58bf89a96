/**
 * The official SDK, version 2, as its documentation wires it: with sessions (2025-11-25) one server and transport for
 * each, JSON answers; without (2026-07-28) its handler.
 */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { NodeStreamableHTTPServerTransport, toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { description, toolCount, toolNames } from './echo-tools.ts';
import { answerForServer, listen } from './server-answers.ts';

const sessions = new Map<string, NodeStreamableHTTPServerTransport>();

function echoServer(): McpServer {
  const server = new McpServer({ name: 'echo', version: '1.0.0' });
  const inputSchema = z.object({ text: z.string() });
  for (const name of toolNames(toolCount)) {
    server.registerTool(name, { description, inputSchema }, async ({ text }) => ({
      content: [{ type: 'text', text }],
    }));
  }
  return server;
}

async function open(): Promise<NodeStreamableHTTPServerTransport> {
  const transport = new NodeStreamableHTTPServerTransport({
    sessionIdGenerator: () => randomUUID(),
    enableJsonResponse: true,
    onsessioninitialized: (id) => void sessions.set(id, transport),
    onsessionclosed: (id) => void sessions.delete(id),
  });
  await echoServer().connect(transport);
  return transport;
}

const stateless = toNodeHandler(createMcpHandler(echoServer));
const server = createServer(async (request, response) => {
  if (request.headers['mcp-protocol-version'] === '2026-07-28') {
    // Its own types do not agree on what an absent method is.
    await stateless(request as never, response);
    return;
  }
  const id = request.headers['mcp-session-id'];
  const transport = typeof id === 'string' ? sessions.get(id) : await open();
  if (transport === undefined) response.writeHead(404).end();
  else await transport.handleRequest(request, response);
});
await answerForServer(await listen(server));
