/** A server of the official SDK v2 that speaks 2026-07-28 itself, mounted: requests without a session as they are. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { acceptedContent, inputRequired, McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';
import { mountedServer } from '../../../mcp/index.ts';
import { startNode } from '../../support/mcp-node.ts';
import { ways } from '../../support/mcp-ways.ts';

function create(): McpServer {
  const server = new McpServer({ name: 'native', version: '1.0.0' });
  const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });
  server.registerTool('asks', { inputSchema: z.object({}) }, (_args, { mcpReq }) => {
    const answer = acceptedContent<{ name: string }>(mcpReq.inputResponses, 'who');
    if (answer !== undefined) return text(`it is ${answer.name}`);
    const requestedSchema = { type: 'object' as const, properties: { name: { type: 'string' as const } } };
    return inputRequired({ inputRequests: { who: inputRequired.elicit({ message: 'who?', requestedSchema }) } });
  });
  return server;
}

const servers = [
  mountedServer('m', {
    create: () => ({ connect: (transport: any) => serveStdio(create, { transport }) }),
    stateless: 'native',
  }),
];

const modes = { 'without a session': { pin: '2026-07-28' }, 'in a session': undefined } as const;
for (const [where, mode] of Object.entries(modes)) {
  test(`${where}: client 2 answers what a native server asks`, async (t) => {
    const node = await startNode(t, { servers });
    const client = new Client(
      { name: 'c', version: '1' },
      {
        capabilities: { elicitation: { form: {} } },
        ...(mode === undefined ? {} : { versionNegotiation: { mode } }),
      },
    );
    t.after(() => client.close());
    client.setRequestHandler('elicitation/create', () => ({ action: 'accept' as const, content: { name: 'Ada' } }));
    await client.connect(new StreamableHTTPClientTransport(new URL(node.url)));
    const { content } = await client.callTool({ name: 'asks', arguments: {} });
    assert.deepEqual(content, [{ type: 'text', text: 'it is Ada' }]);
    assert.equal(client.getServerVersion()?.name, 'native');
  });
}

for (const way of ways.filter(({ era }) => era === 'stateless')) {
  test(`requests reach a native server as they are: ${way.name}`, async (t) => {
    const node = await startNode(t, { servers });
    const caller = await way.open(node, { elicitation: { form: {} } });
    const { result } = await caller.call('asks').answer;
    assert.equal(result.resultType, 'input_required');
    assert.deepEqual(Object.keys(result.inputRequests), ['who']);
  });
}
