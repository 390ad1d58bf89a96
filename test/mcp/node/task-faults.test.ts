/** Processes die while tasks are under way: a task fails or goes on, and never says for ever that it is working. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { restartChild, terminateChild } from '../../../runtime/index.ts';
import { HttpClient } from '../../support/mcp-http-client.ts';
import { killAt, processAt, startNode, type TestNode, wholeAgain } from '../../support/mcp-node.ts';
import { KNOWS_ALL, statelessWays, TaskClient, taskServer } from '../../support/mcp-tasks.ts';
import { Gate } from '../../support/mcp-tools.ts';
import type { Cleanup } from '../../support/test-system.ts';

interface Scene {
  readonly node: TestNode;
  readonly gate: Gate;
  readonly client: TaskClient;
  /** A client that the death of a connection spares. */
  reopened(): Promise<TaskClient>;
}

async function scene(t: Cleanup, way = statelessWays[1]!): Promise<Scene> {
  const gate = new Gate();
  const node = await startNode(t, { servers: [taskServer(gate)] });
  return { node, gate, client: await TaskClient.open(node, way), reopened: () => TaskClient.open(node, way) };
}

const fatal = [
  ['server_sup/task_sup/task', /the task of tool "hold" has died: killed/],
  ['server_sup/task_sup', /the task of tool "hold" has died/],
  ['server_sup/request_sup/request', /tool "hold" failed: killed/],
  ['server_sup/request_sup', /tool "hold" failed/],
  ['server_sup', /tool "hold"/],
  ['infrastructure_sup', /tool "hold"/],
] as const;

for (const [path, message] of fatal) {
  test(`${path} dies: the task that was at work has failed, and says why`, async (t) => {
    const { node, gate, client, reopened } = await scene(t);
    const { taskId } = await client.start('hold', { key: 'a' });
    const { ctx } = await gate.held('a');
    const aborted = new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));
    await killAt(node, path);
    await wholeAgain(node);
    await aborted;
    const after = await reopened();
    const { error, statusMessage } = await after.reaches(taskId, 'failed');
    assert.equal(error.code, -32603);
    assert.match(error.message, message);
    assert.equal(statusMessage, error.message);
    const next = await after.reaches((await after.start('throws')).taskId, 'completed');
    assert.equal(next.result.isError, true, 'new tasks are made');
  });
}

const harmless = [
  'infrastructure_sup/task_manager',
  'infrastructure_sup/session_store',
  'infrastructure_sup/subscription_hub',
  'registry_sup/registry',
  'server_sup/session_sup',
  'transport_sup/http/connections/HttpConnection',
  'transport_sup',
];

for (const path of harmless) {
  test(`${path} dies: tasks go on, those at work and those that wait for their client`, async (t) => {
    const { node, gate, client, reopened } = await scene(t);
    const holding = await client.start('hold', { key: 'a' });
    const asking = await client.start('asks');
    await client.reaches(asking.taskId, 'input_required');
    const call = await gate.held('a');
    // One of its connections: the client has its own for each exchange that is open.
    if (path.endsWith('HttpConnection')) client.caller.leave();
    else await killAt(node, path);
    await wholeAgain(node);
    const after = await reopened();
    assert.equal((await after.get(holding.taskId)).status, 'working');
    const ended = after.reaches(holding.taskId, 'completed');
    call.release('done');
    assert.equal((await ended).result.content[0].text, 'done');
    assert.equal((await after.get(asking.taskId)).status, 'input_required');
    await after.update(asking.taskId, { '1.who': { action: 'cancel' }, '1.friend': { action: 'cancel' } });
    await after.reaches(asking.taskId, 'input_required', 2);
    await after.cancel(asking.taskId);
  });
}

test('a task dies while its manager is away: the next manager answers for it', async (t) => {
  const { node, gate, client } = await scene(t);
  const { taskId } = await client.start('hold', { key: 'a' });
  await gate.held('a');
  await Promise.all([killAt(node, 'infrastructure_sup/task_manager'), killAt(node, 'server_sup/task_sup/task')]);
  await wholeAgain(node);
  assert.match((await client.reaches(taskId, 'failed')).error.message, /has died/);
});

test('while the task manager is away, calls that would become tasks are 503, and tasks go on', async (t) => {
  const { node, gate, client } = await scene(t);
  const { taskId } = await client.start('hold', { key: 'a' });
  const call = await gate.held('a');
  const supervisor = await processAt(node, 'infrastructure_sup');
  await terminateChild(node.system, supervisor, 'task_manager');
  const http = new HttpClient(node.url);
  const params = { name: 'hold', arguments: { key: 'b' } };
  const { status, messages } = await http.stateless('tools/call', params, { capabilities: KNOWS_ALL }).ended;
  http.close();
  assert.equal(status, 503);
  assert.match(messages[0].error.message, /try again/);
  const ended = client.reaches(taskId, 'completed');
  call.release('done');
  assert.equal((await ended).result.content[0].text, 'done');
  await restartChild(node.system, supervisor, 'task_manager');
  await client.start('hold', { key: 'c' });
});
