/** The server of ours with one tool; a module of its own, so that worker threads can import it. */
import { mcpServer, text, tool } from '../../../mcp/index.ts';

export default mcpServer('echo', {
  info: { name: 'echo', version: '1.0.0' },
  module: import.meta.url,
  tools: {
    echo: tool(
      {
        description: 'Says it back.',
        input: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
      },
      async (args) => text(args.text),
    ),
  },
});
