/** The server of the soak: tools that behave, and tools that fail, each in its way. */
import { mcpServer, text, tool } from '../../../mcp/index.ts';

const nothing = { type: 'object' } as const;
const said = { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] } as const;
const pauseMs = 25;
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, pauseMs));

export default mcpServer('soak', {
  info: { name: 'soak', version: '1.0.0' },
  module: import.meta.url,
  tools: {
    echo: tool({ description: 'Says it back.', input: said }, (args) => text(args.text)),
    wait: tool({ description: 'Says it back after a pause.', input: said }, async (args) => {
      await pause();
      return text(args.text);
    }),
    throws: tool({ description: 'Throws.', input: nothing }, () => {
      throw new Error('thrown by the tool');
    }),
    rejects: tool({ description: 'Rejects.', input: nothing }, async () => {
      await pause();
      throw new Error('rejected by the tool');
    }),
    floats: tool({ description: 'Leaves a rejection to itself, and never settles.', input: nothing }, () => {
      void Promise.reject(new Error('a floating rejection'));
      return new Promise<never>(() => {});
    }),
    hangs: tool({ description: 'Never settles.', input: nothing, timeoutMs: 200 }, () => new Promise<never>(() => {})),
    exits: tool({ description: 'Ends its thread.', input: nothing }, () => process.exit(3)),
  },
});
