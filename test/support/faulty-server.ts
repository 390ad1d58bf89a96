/** A server whose tools fail in every way that costs a thread; a module, so that worker threads can import it. */

import { threadId } from 'node:worker_threads';
import { elicit, mcpServer, text, tool } from '../../mcp/index.ts';

const nothing = { type: 'object' } as const;
const said = { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] } as const;

export default mcpServer('faulty', {
  info: { name: 'faulty', version: '1' },
  module: import.meta.url,
  tools: {
    echo: tool({ description: 'Says it back.', input: said }, (args) => text(args.text)),
    where: tool({ description: 'Names its thread.', input: nothing }, () => text(String(threadId))),
    apart: tool({ description: 'Names its thread.', input: nothing, run: 'isolated' }, () => text(String(threadId))),
    main: tool({ description: 'Names its thread.', input: nothing, run: 'main' }, () => text(String(threadId))),
    tells: tool({ description: 'Reports and logs.', input: nothing }, async (_args, ctx) => {
      ctx.progress(1, 2, 'half');
      ctx.log('warning', { half: true });
      await new Promise((resolve) => setImmediate(resolve));
      return text(JSON.stringify([ctx.session !== undefined, ctx.era, ctx.server.name, ctx.requestId]));
    }),
    asks: tool({ description: 'Asks for a name.', input: nothing }, async (_args, ctx) => {
      const schema = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] } as const;
      const { who } = await ctx.input({ who: elicit({ message: 'Who?', schema }) });
      return text(who.action === 'accept' ? `${who.content.name}` : who.action);
    }),
    waits: tool({ description: 'Waits for its end.', input: nothing }, (_args, ctx) => {
      ctx.progress(1);
      return new Promise((_resolve, reject) => {
        ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason));
      });
    }),
    loops: tool({ description: 'Never yields.', input: nothing }, (args) => {
      for (;;) if (args === undefined) return text('never');
    }),
    exits: tool({ description: 'Ends its thread.', input: nothing }, () => process.exit(7)),
    allocates: tool({ description: 'Fills the heap.', input: nothing }, (args) => {
      const kept: unknown[] = [args];
      while (kept.length > 0) kept.push(new Array(1_000_000).fill(kept.length));
      return text('never');
    }),
    throws: tool({ description: 'Throws.', input: nothing }, () => {
      throw new Error('thrown by the tool');
    }),
    later: tool({ description: 'Throws when nobody is there.', input: nothing }, () => {
      setImmediate(() => {
        throw new Error('thrown later');
      });
      return new Promise(() => {});
    }),
    returnsCode: tool({ description: 'Returns a function.', input: nothing }, () => ({ f: () => 1 }) as never),
  },
});
