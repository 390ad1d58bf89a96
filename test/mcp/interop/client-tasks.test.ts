/** Tasks of sessions (2025-11-25): our client with the experimental server of SDK v1, and with ours. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { McpClient } from '../../../mcp/client/index.ts';
import { childProcess, httpClient } from '../../../transports/client/index.ts';
import type { ClientTransport } from '../../../transports/client-transport.ts';
import everything from '../../conformance/everything-server.ts';
import { connect } from '../../support/connected-client.ts';
import { startNode } from '../../support/mcp-node.ts';
import { builtPath } from '../../support/repository.ts';
import { sdk1Program, serveSdk1 } from '../../support/sdk1-server.ts';

const handlers = {
  elicitation: ({ message }: { message: string }) =>
    ({ action: 'accept', content: message === 'Sure?' ? { confirm: true } : { name: 'Ada' } }) as const,
};

async function open(t: TestContext, transport: ClientTransport): Promise<McpClient> {
  const limits = { taskPollMinMs: 1, taskPollMaxMs: 100 };
  return (await connect(t, transport, { negotiation: 'legacy', handlers, limits })).client;
}

const textOf = (reply: any): string => reply.ok.content[0].text;

/** A tool that never ends by itself becomes a task, is found in the list, and is cancelled with its call. */
async function cancels(client: McpClient, tool: string, args = {}): Promise<void> {
  const controller = new AbortController();
  const called = client.callTool(tool, args, { task: { ttlMs: 30_000 }, signal: controller.signal });
  const working = async (): Promise<any[]> => {
    const { ok } = (await client.request('tasks/list')) as any;
    return ok.tasks.filter(({ status }: any) => status === 'working');
  };
  const found = async (): Promise<any> => (await working())[0] ?? found();
  const { taskId, ttl } = await found();
  assert.equal(ttl, 30_000);
  controller.abort();
  assert.equal(((await called) as any).error.code, 'ERR_MCP_CANCELLED');
  const status = async (): Promise<string> => ((await client.request('tasks/get', { taskId })) as any).ok.status;
  const cancelled = async (): Promise<void> => ((await status()) === 'cancelled' ? undefined : cancelled());
  await cancelled();
}

const sdk1 = {
  stdio: async () => childProcess({ command: process.execPath, args: [sdk1Program] }),
  HTTP: async (t: TestContext) => httpClient({ url: (await serveSdk1(t)).url }),
};

const ours = {
  stdio: async () => {
    const served = builtPath('test/conformance/everything-server.ts');
    return childProcess({
      command: process.execPath,
      args: [builtPath('bin/beamish.ts'), 'serve', served, '--stdio'],
    });
  },
  HTTP: async (t: TestContext) => httpClient({ url: (await startNode(t, { servers: [everything] })).url }),
};

for (const carrier of ['stdio', 'HTTP'] as const) {
  test(`tasks of a server of SDK v1 over ${carrier}: results, faults, questions, a list, a cancellation`, async (t) => {
    const client = await open(t, await sdk1[carrier](t));
    assert.equal(textOf(await client.callTool('job', {}, { task: {} })), 'the job is done');
    const broken = await client.callTool('broken', {}, { task: {} });
    assert.deepEqual([textOf(broken), (broken as any).ok.isError], ['by the task', true]);
    assert.equal(textOf(await client.callTool('question')), 'it is Ada', 'it must be a task, and is called as one');
    assert.equal(textOf(await client.callTool('echo', { text: 'x' }, { task: {} })), 'x', 'it cannot be one');
    await cancels(client, 'endless');
  });

  test(`tasks of a server of ours in a session over ${carrier}: the same`, async (t) => {
    const client = await open(t, await ours[carrier](t));
    const computed = await client.callTool('slow_compute', { seconds: 0.1, label: 'this' }, { task: {} });
    assert.equal(textOf(computed), 'Computed this.');
    const failed = await client.callTool('failing_job');
    assert.equal((failed as any).ok.isError, true);
    const broken = await client.callTool('protocol_error_job');
    assert.equal((broken as any).error.code, 'ERR_MCP_RPC');
    assert.match(textOf(await client.callTool('multi_input')), /"name":"Ada"/);
    await cancels(client, 'slow_compute', { seconds: 3_600 });
  });
}
