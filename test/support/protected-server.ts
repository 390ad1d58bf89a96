/** A server that says who asks, with tools, resources and prompts that not everybody may use. */

import { threadId } from 'node:worker_threads';
import {
  elicit,
  type McpServer,
  mcpServer,
  prompt,
  type RequestContext,
  resource,
  text,
  tool,
  userMessage,
} from '../../mcp/index.ts';

const nothing = { type: 'object' } as const;
const who = ({ principal }: RequestContext): string => JSON.stringify({ principal, threadId });

const server: McpServer = mcpServer('protected', {
  info: { name: 'protected', version: '1.0.0' },
  module: import.meta.url,
  tools: {
    whoami: tool({ description: 'Says who asks.', input: nothing }, (_args, ctx) => text(who(ctx))),
    write: tool({ description: 'Writes.', input: nothing, scopes: ['files:write'] }, (_args, ctx) => text(who(ctx))),
    hold: tool({ description: 'Never ends.', input: nothing, run: 'main' }, () => new Promise<never>(() => {})),
    later: tool({ description: 'As a task.', input: nothing, task: 'optional' }, (_args, ctx) => text(who(ctx))),
    endless: tool(
      { description: 'A task that stays.', input: nothing, task: 'optional', run: 'main' },
      () => new Promise<never>(() => {}),
    ),
    ask: tool({ description: 'Asks for a word.', input: nothing }, async (_args, ctx) => {
      const schema = { type: 'object', properties: { word: { type: 'string' } }, required: ['word'] } as const;
      const { word } = await ctx.input({ word: elicit({ message: 'A word?', schema }) });
      return text(JSON.stringify({ ...word, subject: ctx.principal?.subject }));
    }),
  },
  resources: {
    'secret://diary': resource({ scopes: ['diary:read'] }, (_uri, ctx) => who(ctx)),
    'open://door': resource({}, (_uri, ctx) => who(ctx)),
  },
  prompts: {
    confess: prompt(
      {
        description: 'Confess.',
        scopes: ['confess'],
        arguments: { sin: { complete: () => ['sloth'] } },
      },
      (_args, ctx) => [userMessage(who(ctx))],
    ),
  },
});

export default server;
