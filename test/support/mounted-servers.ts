/** Servers of the official SDKs, v1 and v2, to be mounted: what they can do, and the faults of their code. */

import { McpServer as McpServer1, ResourceTemplate } from '@modelcontextprotocol/sdk/server/mcp.js';
import {
  CreateMessageResultSchema,
  ElicitResultSchema,
  SetLevelRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { McpServer as McpServer2 } from '@modelcontextprotocol/server';
import { z } from 'zod';

const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });
const requestedSchema = {
  type: 'object' as const,
  properties: { name: { type: 'string' as const } },
  required: ['name'],
};
const sampling = {
  messages: [{ role: 'user' as const, content: { type: 'text' as const, text: 'Hi' } }],
  maxTokens: 3,
};

/** What a tool of both does. */
interface Doing {
  readonly token: string | number | undefined;
  readonly signal: AbortSignal;
  notify(method: string, params: object): Promise<void>;
  /** Of the user: a name. */
  elicit(): Promise<string>;
  sample(): Promise<string>;
  /** Adds a tool. */
  change(): void;
}

/** Tools by name; each server has a count of its own. */
function tools(): Readonly<Record<string, (doing: Doing) => Promise<string> | string>> {
  let count = 0;
  return {
    count: () => String(++count),
    steps: async ({ token, notify }) => {
      for (let progress = 1; progress <= 3; progress++) {
        await notify('notifications/progress', { progressToken: token, progress, total: 3 });
      }
      return 'three steps';
    },
    waits: ({ signal }) =>
      new Promise((resolve) => {
        begun.add();
        signal.addEventListener('abort', () => {
          aborted.add();
          resolve('aborted');
        });
      }),
    asks: async ({ elicit, sample }) => `${await elicit()} ${await sample()}`,
    changes: ({ change }) => {
      change();
      return 'changed';
    },
    throws: () => {
      throw new Error('thrown by the tool');
    },
    timer: () =>
      new Promise(() => {
        setImmediate(() => {
          throw new Error('thrown late');
        });
      }),
    floats: () => {
      void Promise.reject(new Error('floating'));
      return new Promise(() => {});
    },
    loops: () => {
      for (;;);
    },
    never: () => new Promise(() => {}),
  };
}

/** Counts what happens in the code of these servers, in this thread. */
export class Counter {
  size = 0;
  private readonly waiting = new Set<() => void>();

  add(): void {
    this.size += 1;
    for (const look of [...this.waiting]) look();
  }

  until(size: number): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.size >= size) resolve();
      };
      this.waiting.add(look);
      look();
    });
  }
}

/** Calls of `waits` that have begun, and those of them that were told that nobody wants them any more. */
export const begun: Counter = new Counter();
export const aborted: Counter = new Counter();

export function createSdk1(): McpServer1 {
  const server = new McpServer1(
    { name: 'sdk1', version: '1.0.0' },
    { capabilities: { logging: {}, tools: { listChanged: true } }, instructions: 'mounted' },
  );
  let level = 'none';
  server.server.setRequestHandler(SetLevelRequestSchema, ({ params }) => {
    level = params.level;
    return {};
  });
  for (const [name, run] of Object.entries(tools())) {
    server.registerTool(name, { description: name }, async ({ signal, _meta, sendNotification, sendRequest }) =>
      text(
        await run({
          token: _meta?.progressToken,
          signal,
          notify: (method, params) => sendNotification({ method, params } as never),
          elicit: async () => {
            const params = { message: 'who?', requestedSchema };
            const { content } = await sendRequest({ method: 'elicitation/create', params }, ElicitResultSchema);
            return String(content?.['name']);
          },
          sample: async () => {
            const request = { method: 'sampling/createMessage' as const, params: sampling };
            const { content } = await sendRequest(request, CreateMessageResultSchema);
            return (content as { readonly text: string }).text;
          },
          change: () => void server.registerTool('added', { description: 'added' }, () => text('added')),
        }),
      ),
    );
  }
  server.registerTool('echo', { inputSchema: { text: z.string() } }, ({ text: said }) => text(said));
  server.registerTool('level', {}, () => text(level));
  server.registerTool('whoami', {}, ({ authInfo }) => text(JSON.stringify(authInfo ?? null)));
  const template = new ResourceTemplate('test://item/{id}', { list: undefined });
  server.registerResource('item', template, {}, (uri, { id }) => ({ contents: [{ uri: uri.href, text: String(id) }] }));
  return server;
}

export function createSdk2(): McpServer2 {
  const server = new McpServer2(
    { name: 'sdk2', version: '1.0.0' },
    { capabilities: { tools: { listChanged: true } }, instructions: 'mounted' },
  );
  const empty = z.object({});
  for (const [name, run] of Object.entries(tools())) {
    server.registerTool(name, { description: name, inputSchema: empty }, async (_args, { mcpReq }) =>
      text(
        await run({
          token: mcpReq._meta?.progressToken,
          signal: mcpReq.signal,
          notify: (method, params) => mcpReq.notify({ method, params } as never),
          elicit: async () => {
            const { content } = await mcpReq.elicitInput({ message: 'who?', requestedSchema });
            return String(content?.['name']);
          },
          sample: async () => ((await mcpReq.requestSampling(sampling)).content as { readonly text: string }).text,
          change: () =>
            void server.registerTool('added', { description: 'added', inputSchema: empty }, () => text('added')),
        }),
      ),
    );
  }
  server.registerTool('echo', { inputSchema: z.object({ text: z.string() }) }, ({ text: said }) => text(said));
  server.registerTool('whoami', { inputSchema: empty }, (_args, { http }) =>
    text(JSON.stringify(http?.authInfo ?? null)),
  );
  server.registerResource('text', 'test://text', {}, (uri) => ({ contents: [{ uri: uri.href, text: 'the text' }] }));
  return server;
}
