/** A server of the official SDK v2, which serves both eras from one definition, on stdio or over HTTP. */

import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { toNodeHandler } from '@modelcontextprotocol/node';
import {
  acceptedContent,
  createMcpHandler,
  inputRequired,
  McpServer,
  ResourceTemplate,
} from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';
import { completeId, described, kinds, twice } from './sdk-samples.ts';
import type { Cleanup } from './test-system.ts';

/** The file to start as a child. */
export const sdk2Program: string = fileURLToPath(import.meta.url);

function sdk2Server(): McpServer {
  const server = new McpServer(
    { name: 'sdk2', version: '1.0.0' },
    {
      capabilities: { logging: {}, tools: { listChanged: true }, resources: { listChanged: true, subscribe: true } },
      instructions: 'made for tests',
    },
  );
  const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });
  server.registerTool('echo', { inputSchema: z.object({ text: z.string() }) }, ({ text: said }) => text(said));
  server.registerTool('described', described, twice);
  server.registerTool('kinds', { inputSchema: z.object({}) }, () => ({ content: kinds }));
  server.registerTool('logs', { inputSchema: z.object({}) }, async (_args, { mcpReq }) => {
    await mcpReq.log('error', 'changed');
    return text('logged');
  });
  server.registerTool('fails', { inputSchema: z.object({}) }, () => {
    throw new Error('by the tool');
  });
  server.registerTool('count', { inputSchema: z.object({ to: z.number() }) }, async ({ to }, { mcpReq }) => {
    for (let progress = 1; progress <= to; progress++) {
      const params = { progressToken: mcpReq._meta!.progressToken!, progress, total: to };
      await mcpReq.notify({ method: 'notifications/progress', params });
    }
    return text(`counted to ${to}`);
  });
  server.registerTool('waits', { inputSchema: z.object({}) }, async (_args, { mcpReq: { signal } }) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    return text('aborted');
  });
  server.registerTool('asks', { inputSchema: z.object({}) }, (_args, { mcpReq }) => {
    const answer = acceptedContent<{ name: string }>(mcpReq.inputResponses, 'who');
    if (answer !== undefined) return text(`it is ${answer.name}`);
    const requestedSchema = {
      type: 'object' as const,
      properties: { name: { type: 'string' as const, default: 'Ann' } },
    };
    return inputRequired({ inputRequests: { who: inputRequired.elicit({ message: 'who?', requestedSchema }) } });
  });
  server.registerTool('asksMore', { inputSchema: z.object({}) }, (_args, { mcpReq }) => {
    const answers = mcpReq.inputResponses;
    if (answers?.['page'] !== undefined)
      return text(JSON.stringify([answers['page'], answers['model'], answers['folders']]));
    const tools = [{ name: 't', inputSchema: { type: 'object' as const } }];
    const messages = [{ role: 'user' as const, content: { type: 'text' as const, text: '?' } }];
    const url = 'https://example.com/page';
    return inputRequired({
      inputRequests: {
        page: inputRequired.elicitUrl({ message: 'visit', url }),
        model: inputRequired.createMessage({ messages, maxTokens: 3, tools }),
        folders: inputRequired.listRoots(),
      },
    });
  });
  server.registerResource('text', 'test://text', { mimeType: 'text/plain' }, (uri) => ({
    contents: [{ uri: uri.href, text: 'the text' }],
  }));
  const template = new ResourceTemplate('test://item/{id}', { list: undefined, complete: { id: completeId } });
  server.registerResource('item', template, {}, (uri, { id }) => ({
    contents: [{ uri: uri.href, text: `item ${String(id)}` }],
  }));
  server.registerPrompt('greet', { argsSchema: z.object({ name: z.string() }) }, ({ name }) => ({
    messages: [{ role: 'user', content: { type: 'text', text: `greet ${name}` } }],
  }));
  return server;
}

export interface Sdk2Http {
  readonly url: string;
  /** Tells those who listen that the list of tools has changed. */
  toolsChanged(): void;
  /** The same of a resource. */
  resourceUpdated(uri: string): void;
}

export async function serveSdk2(t: Cleanup): Promise<Sdk2Http> {
  const handler = createMcpHandler(sdk2Server);
  const node = toNodeHandler(handler);
  // Its own types do not agree on what an absent method is.
  const http = createServer((request, response) => void node(request as never, response));
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  t.after(async () => {
    await handler.close();
    http.closeAllConnections();
    http.close();
  });
  const { port } = http.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    toolsChanged: () => handler.notify.toolsChanged(),
    resourceUpdated: (uri) => handler.notify.resourceUpdated(uri),
  };
}

if (process.argv[1] === sdk2Program) serveStdio(sdk2Server);
