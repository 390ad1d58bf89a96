/** A server that has every feature of MCP that its clients can see, for the official clients. */

import {
  audio,
  changeServer,
  content,
  elicit,
  elicitUrl,
  embeddedResource,
  image,
  listRoots,
  type McpServer,
  mcpServer,
  prompt,
  resource,
  resourceLink,
  resourceTemplate,
  resourceUpdated,
  sample,
  structured,
  text,
  tool,
  userMessage,
} from '../../mcp/index.ts';

const nothing = { type: 'object' } as const;
const icons = [{ src: 'https://example.com/icon.png', mimeType: 'image/png', sizes: ['48x48'] }];

const server: McpServer = mcpServer('features', {
  info: { name: 'features', version: '1.0.0', title: 'All of it', icons },
  instructions: 'read me first',
  tools: {
    kinds: tool({ description: 'Content of every kind.', input: nothing }, () =>
      content([
        text('a text'),
        image('AAAA', 'image/png'),
        audio('AAAA', 'audio/wav'),
        embeddedResource({ uri: 'feature://text', mimeType: 'text/plain', text: 'inside' }),
        resourceLink({ uri: 'feature://text', name: 'a link' }),
      ]),
    ),
    described: tool(
      {
        title: 'Described',
        description: 'Has all that can be said of a tool.',
        input: { type: 'object', properties: { n: { type: 'number', minimum: 1 } }, required: ['n'] } as const,
        output: { type: 'object', properties: { twice: { type: 'number' } }, required: ['twice'] },
        annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
        icons,
      },
      ({ n }) => structured({ twice: 2 * n }),
    ),
    logs: tool({ description: 'Logs.', input: nothing }, (_args, ctx) => {
      ctx.log('debug', 'too fine');
      ctx.log('error', { a: 1 }, 'part');
      return text('logged');
    }),
    asks: tool({ description: 'Asks everything.', input: nothing }, async (_args, ctx) => {
      const schema = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] } as const;
      const tools = [{ name: 't', inputSchema: { type: 'object' } }];
      const messages = [{ role: 'user', content: { type: 'text', text: 'hello?' } }] as const;
      const answers = await ctx.input({
        form: elicit({ message: 'who?', schema }),
        page: elicitUrl({ message: 'visit', url: 'https://example.com/page' }),
        model: sample({ messages, maxTokens: 9, tools }),
        folders: listRoots(),
      });
      return text(JSON.stringify(answers));
    }),
    // What it adds is a function, which cannot cross from another thread.
    changes: tool({ description: 'Changes lists and a resource.', input: nothing, run: 'main' }, async (_args, ctx) => {
      const description = `Added at ${ctx.clock.now()}.`;
      await changeServer(ctx, ctx.server, {
        tools: { added: tool({ description, input: nothing }, () => text('added')) },
        prompts: { added: prompt({ description }, () => [userMessage('added')]) },
        resources: { 'feature://added': resource({ description }, () => 'added') },
      });
      resourceUpdated(ctx, ctx.server, 'feature://text');
      return text('changed');
    }),
  },
  resources: {
    'feature://text': resource({ title: 'Text', mimeType: 'text/plain', icons }, () => 'the text'),
    ...Object.fromEntries(
      Array.from({ length: 150 }, (_, n) => [
        `feature://many/${n}`,
        resource({ mimeType: 'text/plain' }, () => `${n}`),
      ]),
    ),
  },
  templates: {
    item: resourceTemplate(
      'feature://items/{kind}/{id}',
      {
        title: 'Items',
        complete: {
          kind: (value) => ['apple', 'apricot', 'plum'].filter((kind) => kind.startsWith(value)),
          id: (value, _ctx, others) => [`${value}-of-${String(others['kind'])}`],
        },
      },
      ({ kind, id }) => `${kind} ${id}`,
    ),
  },
  prompts: {
    greet: prompt(
      { title: 'Greet', description: 'Greets.', arguments: { name: { required: true } }, icons },
      ({ name }) => [userMessage(`hello ${name}`)],
    ),
  },
});

export default server;
