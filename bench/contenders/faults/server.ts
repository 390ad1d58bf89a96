/** A server of one tool that behaves and of tools that end their thread, each in its way. */
import { mcpServer, text, tool } from '../../../mcp/index.ts';

const nothing = { type: 'object' } as const;
const said = { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] } as const;

export default mcpServer('faults', {
  info: { name: 'faults', version: '1.0.0' },
  tools: {
    echo: tool({ description: 'Says it back.', input: said }, (args) => text(args.text)),
    loop: tool({ description: 'Never yields.', input: nothing }, (args) => {
      for (;;) if (args === undefined) return text('never');
    }),
    oom: tool({ description: 'Allocates without end.', input: nothing }, () => {
      for (const kept: unknown[] = []; ; ) kept.push(new Array(1_000).fill(kept.length));
    }),
    exit: tool({ description: 'Ends its thread.', input: nothing }, () => process.exit(3)),
  },
});
