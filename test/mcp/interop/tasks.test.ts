/** Tasks of the official client v1 (its experimental API, 2025-11-25) with tools of ours, on stdio and over HTTP. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { CallToolResultSchema, ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import everything from '../../conformance/everything-server.ts';
import { startNode } from '../../support/mcp-node.ts';
import { builtPath } from '../../support/repository.ts';

const carriers = {
  stdio: async (_t: TestContext) =>
    new StdioClientTransport({
      command: process.execPath,
      args: [builtPath('bin/beamish.ts'), 'serve', builtPath('test/conformance/everything-server.ts'), '--stdio'],
      stderr: 'ignore',
    }),
  HTTP: async (t: TestContext) => {
    const node = await startNode(t, { servers: [everything] });
    return new StreamableHTTPClientTransport(new URL(node.url));
  },
};

async function connect(t: TestContext, carrier: keyof typeof carriers): Promise<Client> {
  const capabilities = { elicitation: { form: {} } };
  const client = new Client({ name: 'interop', version: '1.0.0' }, { capabilities });
  client.setRequestHandler(ElicitRequestSchema, ({ params: { message } }) => ({
    action: 'accept' as const,
    content: message.startsWith('Who') ? { name: 'Ada' } : { confirm: true },
  }));
  await client.connect((await carriers[carrier](t)) as never);
  t.after(() => client.close());
  return client;
}

/** What a call yields, from the task to its result. */
async function follow(client: Client, name: string, args: Record<string, unknown> = {}): Promise<any[]> {
  const seen: any[] = [];
  const stream = client.experimental.tasks.callToolStream({ name, arguments: args }, CallToolResultSchema, {
    task: { ttl: 60_000 },
  });
  for await (const message of stream) seen.push(message);
  return seen;
}

for (const carrier of Object.keys(carriers) as (keyof typeof carriers)[]) {
  test(`the client v1 calls a tool as a task and follows it to its result: ${carrier}`, async (t) => {
    const client = await connect(t, carrier);
    const { tools } = await client.listTools();
    const support = Object.fromEntries(tools.map(({ name, execution }) => [name, execution?.taskSupport]));
    assert.deepEqual([support['slow_compute'], support['failing_job']], ['optional', 'required']);
    const seen = await follow(client, 'slow_compute', { seconds: 0.1, label: 'this' });
    assert.equal(seen[0].type, 'taskCreated');
    assert.equal(seen[0].task.ttl, 60_000);
    assert.equal(seen.at(-1).type, 'result');
    assert.equal(seen.at(-1).result.content[0].text, 'Computed this.');
    const { taskId } = seen[0].task;
    const tasks = client.experimental.tasks;
    assert.equal((await tasks.getTask(taskId)).status, 'completed');
    assert.deepEqual(
      (await tasks.listTasks()).tasks.map((task) => task.taskId),
      [taskId],
    );
    const again = await tasks.getTaskResult(taskId, CallToolResultSchema);
    assert.equal((again.content[0] as { text: string }).text, 'Computed this.');
  });

  test(`a task of ours asks the user of the client v1 through tasks/result: ${carrier}`, async (t) => {
    const client = await connect(t, carrier);
    const seen = await follow(client, 'multi_input');
    assert.equal(seen.at(-1).type, 'result');
    assert.match(seen.at(-1).result.content[0].text, /"name":"Ada".*"confirm":true/);
  });

  test(`the client v1 cancels a task of ours, and is told when one fails: ${carrier}`, async (t) => {
    const client = await connect(t, carrier);
    const tasks = client.experimental.tasks;
    const stream = tasks.callToolStream({ name: 'slow_compute', arguments: { seconds: 60 } }, CallToolResultSchema, {
      task: {},
    });
    const created: any = (await stream.next()).value;
    const cancelled = await tasks.cancelTask(created.task.taskId);
    assert.equal(cancelled.status, 'cancelled');
    const next: any = (await stream.next()).value;
    assert.equal(next.task.status, 'cancelled');
    const failed = await follow(client, 'failing_job');
    assert.equal(failed.at(-1).type, 'error');
    assert.match(failed.at(-1).error.message, /failed/);
  });
}
