/** A server whose tools are jobs of a compute pool; a module, so that its threads can import it. */

import { threadId } from 'node:worker_threads';
import { McpError, mcpServer, text, tool } from '../../mcp/index.ts';

const nothing = { type: 'object' } as const;
const said = { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] } as const;
const run = 'compute';

export default mcpServer('computing', {
  info: { name: 'computing', version: '1' },
  module: import.meta.url,
  tools: {
    echo: tool({ description: 'Says it back.', input: said, run }, (args) => text(args.text)),
    where: tool({ description: 'Names its thread.', input: nothing, run }, () => text(String(threadId))),
    tells: tool({ description: 'Tells what it is told.', input: nothing, run }, async (_args, ctx) =>
      text(JSON.stringify([ctx.session !== undefined, ctx.era, ctx.server.name, ctx.requestId, ctx.clock.now() > 0])),
    ),
    whoami: tool({ description: 'Says who asks.', input: nothing, run, scopes: ['mcp'] }, (_args, { principal }) =>
      text(JSON.stringify({ principal, threadId })),
    ),
    reports: tool({ description: 'Reports.', input: nothing, run }, (_args, ctx) => {
      ctx.progress(1);
      return text('never');
    }),
    throws: tool({ description: 'Throws.', input: nothing, run }, () => {
      throw new Error('thrown by the tool');
    }),
    refuses: tool({ description: 'Refuses.', input: nothing, run }, () => {
      throw new McpError(-32_602, 'not now', { retry: true });
    }),
    returnsCode: tool({ description: 'Returns a function.', input: nothing, run }, () => ({ f: () => 1 }) as never),
    exits: tool({ description: 'Ends its thread.', input: nothing, run }, () => process.exit(7)),
    loops: tool({ description: 'Never yields.', input: nothing, run, timeoutMs: 300 }, (args) => {
      for (;;) if (args === undefined) return text('never');
    }),
    spins: tool({ description: 'Never yields.', input: nothing, run }, (args) => {
      for (;;) if (args === undefined) return text('never');
    }),
  },
});
