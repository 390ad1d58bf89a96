/** A server of the official SDK v1 with all that a client of ours should get along with, on stdio or over HTTP. */

import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';
import { InMemoryTaskMessageQueue, InMemoryTaskStore } from '@modelcontextprotocol/sdk/experimental/tasks';
import { McpServer, ResourceTemplate } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { type EventStore, StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { completeId, described, kinds, twice } from './sdk-samples.ts';
import type { Cleanup } from './test-system.ts';

/** The file to start as a child. */
export const sdk1Program: string = fileURLToPath(import.meta.url);

export function sdk1Server(): McpServer {
  const taskStore = new InMemoryTaskStore();
  const server = new McpServer(
    { name: 'sdk1', version: '1.0.0' },
    {
      capabilities: {
        logging: {},
        resources: { subscribe: true, listChanged: true },
        tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } },
      },
      instructions: 'made for tests',
      taskStore,
      taskMessageQueue: new InMemoryTaskMessageQueue(),
    },
  );
  // Its timers would keep the program alive.
  server.server.onclose = () => taskStore.cleanup();
  addTasks(server);
  const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });
  server.registerTool('echo', { inputSchema: { text: z.string() } }, ({ text: said }) => text(said));
  server.registerTool('described', described, twice);
  server.registerTool('kinds', {}, () => ({ content: kinds }));
  server.registerTool('fails', {}, () => {
    throw new Error('by the tool');
  });
  server.registerTool('count', { inputSchema: { to: z.number() } }, async ({ to }, { _meta, sendNotification }) => {
    for (let progress = 1; progress <= to; progress++) {
      const params = { progressToken: _meta!.progressToken!, progress, total: to };
      await sendNotification({ method: 'notifications/progress', params });
    }
    return text(`counted to ${to}`);
  });
  server.registerTool('waits', {}, async (_extra) => {
    const { signal } = _extra;
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    return text('aborted');
  });
  server.registerTool('asks', {}, async () => {
    const requestedSchema = {
      type: 'object' as const,
      properties: { name: { type: 'string' as const, default: 'Ann' } },
    };
    const elicited = await server.server.elicitInput({ message: 'who?', requestedSchema });
    const sampled = await server.server.createMessage({ messages: [], maxTokens: 3 });
    const { roots } = await server.server.listRoots();
    return text(JSON.stringify([elicited, (sampled.content as { text: string }).text, roots]));
  });
  server.registerTool('asksMore', {}, async () => {
    const url = 'https://example.com/page';
    const visited = await server.server.elicitInput({ mode: 'url', message: 'visit', url, elicitationId: 'e' });
    const tools = [{ name: 't', inputSchema: { type: 'object' as const } }];
    const messages = [{ role: 'user' as const, content: { type: 'text' as const, text: '?' } }];
    const { content } = await server.server.createMessage({ messages, maxTokens: 3, tools });
    return text(JSON.stringify([visited.action, content]));
  });
  server.registerTool('changes', {}, async () => {
    server.registerTool(`new-${randomUUID()}`, {}, () => text('new'));
    await server.server.sendResourceUpdated({ uri: 'test://text' });
    await server.server.sendLoggingMessage({ level: 'error', data: 'changed' });
    return text('changed');
  });
  server.registerResource('text', 'test://text', { mimeType: 'text/plain' }, (uri) => ({
    contents: [{ uri: uri.href, text: 'the text' }],
  }));
  const template = new ResourceTemplate('test://item/{id}', { list: undefined, complete: { id: completeId } });
  server.registerResource('item', template, {}, (uri, { id }) => ({
    contents: [{ uri: uri.href, text: `item ${String(id)}` }],
  }));
  server.server.setRequestHandler(SubscribeShape, () => ({}));
  server.server.setRequestHandler(UnsubscribeShape, () => ({}));
  server.registerPrompt('greet', { argsSchema: { name: z.string() } }, ({ name }) => ({
    messages: [{ role: 'user', content: { type: 'text', text: `greet ${name}` } }],
  }));
  return server;
}

type TaskWork = (taskId: string, server: McpServer) => Promise<CallToolResult | undefined>;

const taskTools: Record<string, { readonly taskSupport: 'optional' | 'required'; readonly work: TaskWork }> = {
  job: { taskSupport: 'optional', work: async () => ({ content: [{ type: 'text', text: 'the job is done' }] }) },
  broken: {
    taskSupport: 'optional',
    work: async () => ({ isError: true, content: [{ type: 'text', text: 'by the task' }] }),
  },
  endless: { taskSupport: 'optional', work: async () => undefined },
  question: {
    taskSupport: 'required',
    async work(taskId, { server }) {
      const requestedSchema = { type: 'object' as const, properties: { name: { type: 'string' as const } } };
      const related = { relatedTask: { taskId } };
      const { content } = await server.elicitInput({ message: 'who?', requestedSchema }, related);
      return { content: [{ type: 'text', text: `it is ${String(content?.['name'])}` }] };
    },
  },
};

/** Tools whose calls are tasks, as its experimental interface has them. */
function addTasks(server: McpServer): void {
  for (const [name, { taskSupport, work }] of Object.entries(taskTools)) {
    server.experimental.tasks.registerToolTask(
      name,
      { execution: { taskSupport } },
      {
        async createTask({ taskStore, taskRequestedTtl: ttl = null }) {
          const task = await taskStore.createTask({ ttl, pollInterval: 100 });
          if (name === 'question') await taskStore.updateTaskStatus(task.taskId, 'input_required');
          const end = (result: CallToolResult | undefined): unknown =>
            result && taskStore.storeTaskResult(task.taskId, result.isError ? 'failed' : 'completed', result);
          work(task.taskId, server).then(end, () => {});
          return { task };
        },
        getTask: async ({ taskId, taskStore }) => taskStore.getTask(taskId),
        getTaskResult: async ({ taskId, taskStore }) => (await taskStore.getTaskResult(taskId)) as CallToolResult,
      },
    );
  }
}

const SubscribeShape = z.object({ method: z.literal('resources/subscribe'), params: z.object({ uri: z.string() }) });
const UnsubscribeShape = z.object({
  method: z.literal('resources/unsubscribe'),
  params: z.object({ uri: z.string() }),
});

/** Keeps what was sent, so that streams can go on. */
class Events implements EventStore {
  private readonly kept: { readonly id: string; readonly stream: string; readonly message: any }[] = [];

  async storeEvent(stream: string, message: any): Promise<string> {
    const id = `${stream}/${this.kept.length}`;
    this.kept.push({ id, stream, message });
    return id;
  }

  async replayEventsAfter(
    last: string,
    { send }: { send: (id: string, message: any) => Promise<void> },
  ): Promise<string> {
    const at = this.kept.findIndex(({ id }) => id === last);
    const { stream } = this.kept[at]!;
    for (const event of this.kept.slice(at + 1)) if (event.stream === stream) await send(event.id, event.message);
    return stream;
  }
}

export interface Sdk1Http {
  readonly url: string;
  /** Forgets every session, as a restart does. */
  forget(): void;
  readonly sessions: ReadonlyMap<string, StreamableHTTPServerTransport>;
}

/** Serves it over HTTP with sessions, as its documentation says. */
export async function serveSdk1(t: Cleanup, enableJsonResponse = false): Promise<Sdk1Http> {
  const sessions = new Map<string, StreamableHTTPServerTransport>();
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const id = request.headers['mcp-session-id'];
    let transport = typeof id === 'string' ? sessions.get(id) : undefined;
    if (transport === undefined && id !== undefined) {
      response.writeHead(404).end();
      return;
    }
    if (transport === undefined) {
      transport = new StreamableHTTPServerTransport({
        sessionIdGenerator: randomUUID,
        enableJsonResponse,
        eventStore: new Events(),
        onsessioninitialized: (session) => void sessions.set(session, transport!),
        onsessionclosed: (session) => void sessions.delete(session),
      });
      // Its own types do not agree on what an absent callback is.
      await sdk1Server().connect(transport as never);
    }
    await transport.handleRequest(request, response);
  };
  const http = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  t.after(async () => {
    for (const transport of sessions.values()) await transport.close();
    http.closeAllConnections();
    http.close();
  });
  const { port } = http.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    sessions,
    forget: () => sessions.clear(),
  };
}

if (process.argv[1] === sdk1Program) await sdk1Server().connect(new StdioServerTransport());
