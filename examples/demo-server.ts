/**
 * The server of `npm start`: tools that behave, and one for each way in which a tool can fail. In a project of yours:
 * 'beamish/mcp'.
 */
import { McpError, mcpServer, structured, text, tool } from '../mcp/index.ts';

const nothing = { type: 'object' } as const;
const number = { type: 'number' } as const;
const said = { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] } as const;
const pair = { type: 'object', properties: { a: number, b: number }, required: ['a', 'b'] } as const;
const sum = { type: 'object', properties: { sum: number }, required: ['sum'] } as const;
const upTo = {
  type: 'object',
  properties: { to: { type: 'integer', minimum: 1, maximum: 100 } },
  required: ['to'],
} as const;

export default mcpServer('demo', {
  info: { name: 'beamish-demo', version: '0.1.0', title: 'beamish demo' },
  instructions: 'echo, add and count behave. The others fail, each in its way; none of them takes the server along.',
  tools: {
    echo: tool({ description: 'Says it back.', input: said }, (args) => text(args.text)),
    add: tool({ description: 'Adds two numbers.', input: pair, output: sum }, ({ a, b }) => structured({ sum: a + b })),
    count: tool({ description: 'Counts, ten a second, with progress.', input: upTo }, async ({ to }, ctx) => {
      for (let i = 1; i <= to; i++) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        ctx.signal.throwIfAborted();
        ctx.progress(i, to);
      }
      return text(`counted to ${to}`);
    }),
    throws: tool({ description: 'Throws.', input: nothing }, () => {
      throw new Error('thrown by the tool');
    }),
    refuses: tool({ description: 'Answers with a JSON-RPC error.', input: nothing }, () => {
      throw new McpError(-31_000, 'refused', { why: 'it always refuses' });
    }),
    rejects: tool({ description: 'Rejects.', input: nothing }, () => Promise.reject(new Error('rejected by the tool'))),
    throwsLater: tool({ description: 'Throws in a timer and never answers.', input: nothing }, () => {
      setTimeout(() => {
        throw new Error('thrown in a timer');
      }, 10);
      return new Promise(() => {});
    }),
    floats: tool({ description: 'Leaves a rejected promise behind and never answers.', input: nothing }, () => {
      void Promise.reject(new Error('a floating rejection'));
      return new Promise(() => {});
    }),
    loops: tool({ description: 'Never yields: its thread is ended.', input: nothing }, (args) => {
      for (;;) if (args === undefined) return text('never');
    }),
    exits: tool({ description: 'Ends its thread.', input: nothing }, () => process.exit(1)),
    hangs: tool({ description: 'Never answers.', input: nothing, timeoutMs: 500 }, () => new Promise(() => {})),
  },
});
