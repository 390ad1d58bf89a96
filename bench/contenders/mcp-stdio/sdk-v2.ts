/** The official SDK, version 2, on its standard streams, as its documentation wires it. */
import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';

serveStdio(() => {
  const server = new McpServer({ name: 'echo', version: '1.0.0' });
  const inputSchema = z.object({ text: z.string() });
  server.registerTool('echo', { description: 'Says it back.', inputSchema }, async ({ text }) => ({
    content: [{ type: 'text', text }],
  }));
  return server;
});
