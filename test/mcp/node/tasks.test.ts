/** Calls that become tasks (2026-07-28, extension io.modelcontextprotocol/tasks), over a stream and over HTTP. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listenWays } from '../../support/mcp-listeners.ts';
import { type NodeOptions, nodesAt, startNode, startSimulatedNode, type TestNode } from '../../support/mcp-node.ts';
import { KNOWS_ALL, statelessWays, TASKS, TaskClient, taskServer } from '../../support/mcp-tasks.ts';
import { Gate } from '../../support/mcp-tools.ts';
import type { Cleanup } from '../../support/test-system.ts';

const gates = new WeakMap<TestNode, Gate>();

async function tasksNode(t: Cleanup, options: NodeOptions = {}, runs: string[] = []): Promise<TestNode> {
  const gate = new Gate();
  const node = await startNode(t, { servers: [taskServer(gate, runs)], ...options });
  gates.set(node, gate);
  return node;
}

const held = (node: TestNode, key: string) => gates.get(node)!.held(key);
const accept = (name: string) => ({ action: 'accept', content: { name } });

for (const way of statelessWays) {
  test(`a call becomes a task that is asked for until its result is there: ${way.name}`, async (t) => {
    const node = await tasksNode(t);
    const client = await TaskClient.open(node, way);
    const handle = await client.start('hold', { key: 'a' });
    assert.deepEqual([handle.status, handle.ttlMs, handle.pollIntervalMs], ['working', 3_600_000, 1_000]);
    const call = await held(node, 'a');
    const working = await client.reaches(handle.taskId, 'working');
    assert.equal(working.statusMessage, 'half', 'progress is its status message');
    assert.equal(working.createdAt, handle.createdAt);
    const ended = client.reaches(handle.taskId, 'completed');
    call.release('done');
    assert.deepEqual((await ended).result.content, [{ type: 'text', text: 'done' }]);
    assert.equal((await nodesAt(node, 'server_sup/task_sup/task')).length, 0, 'what has ended needs no process');
    assert.deepEqual(node.events.crashes, []);
  });

  test(`an error of the tool completes its task, an error of the protocol fails it: ${way.name}`, async (t) => {
    const node = await tasksNode(t);
    const client = await TaskClient.open(node, way);
    const thrown = await client.reaches((await client.start('throws')).taskId, 'completed');
    assert.deepEqual([thrown.result.isError, thrown.result.content[0].text], [true, 'thrown']);
    const broken = await client.reaches((await client.start('breaks')).taskId, 'failed');
    assert.deepEqual(broken.error, { code: -32000, message: 'broken', data: { why: 'so' } });
    assert.equal('result' in broken, false);
  });

  test(`a task asks, and goes on when all is answered: ${way.name}`, async (t) => {
    const runs: string[] = [];
    const node = await tasksNode(t, {}, runs);
    const client = await TaskClient.open(node, way);
    const { taskId } = await client.start('asks');
    const asked = await client.reaches(taskId, 'input_required');
    assert.deepEqual(Object.keys(asked.inputRequests), ['1.who', '1.friend']);
    assert.equal(asked.inputRequests['1.who'].method, 'elicitation/create');
    assert.equal((await nodesAt(node, 'server_sup/request_sup/request')).length, 0, 'nothing runs while it waits');
    await client.update(taskId, { '1.who': accept('Ada'), stranger: accept('Eve') });
    assert.deepEqual(Object.keys((await client.get(taskId)).inputRequests), ['1.friend']);
    await client.update(taskId, { '1.who': accept('Eve'), '1.friend': accept('B') });
    const again = await client.reaches(taskId, 'input_required', 2);
    assert.deepEqual(Object.keys(again.inputRequests), ['2.friend'], 'a wrong answer is asked for again');
    await client.update(taskId, { '2.friend': accept('Bob') });
    const second = await client.reaches(taskId, 'input_required', 3);
    assert.deepEqual(Object.keys(second.inputRequests), ['3.who'], 'a key is never used twice');
    await client.update(taskId, { '3.who': { action: 'decline' } });
    const { result } = await client.reaches(taskId, 'completed');
    assert.deepEqual(result.structuredContent, {
      first: { who: accept('Ada'), friend: accept('Bob') },
      second: { who: { action: 'decline' } },
    });
    assert.deepEqual(runs, Array(4).fill('began'), 'it runs again after each round');
    await client.update(taskId, { '3.who': accept('Eve') });
    assert.deepEqual((await client.get(taskId)).result, result, 'what has ended does not change');
  });

  test(`a cancelled task is ended, and its code is told: ${way.name}`, async (t) => {
    const node = await tasksNode(t);
    const client = await TaskClient.open(node, way);
    const { taskId } = await client.start('hold', { key: 'a' });
    const { ctx } = await held(node, 'a');
    const aborted = new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));
    await client.cancel(taskId);
    await aborted;
    assert.equal((await client.get(taskId)).status, 'cancelled');
    await client.cancel(taskId);
    const asking = await client.start('asks');
    await client.reaches(asking.taskId, 'input_required');
    await client.cancel(asking.taskId);
    const { status, inputRequests } = await client.get(asking.taskId);
    assert.deepEqual([status, inputRequests], ['cancelled', undefined]);
    const done = await client.reaches((await client.start('throws')).taskId, 'completed');
    await client.cancel(done.taskId);
    assert.equal((await client.get(done.taskId)).status, 'completed', 'what has ended cannot be cancelled');
  });

  test(`a tool may ask before its call becomes a task: ${way.name}`, async (t) => {
    const node = await tasksNode(t);
    const client = await TaskClient.open(node, way);
    const first = (await client.caller.call('asksFirst').answer).result;
    assert.deepEqual([first.resultType, 'taskId' in first], ['input_required', false]);
    const { requestState } = first;
    const params = { name: 'asksFirst', arguments: {}, requestState, inputResponses: { who: accept('Ada') } };
    const { result } = await client.caller.request('tools/call', params).answer;
    assert.deepEqual([result.resultType, 'requestState' in result], ['task', false]);
    const done = await client.reaches(result.taskId, 'completed');
    assert.deepEqual(done.result.structuredContent, { who: accept('Ada') });
  });

  test(`tasks are for clients that have declared them in this request: ${way.name}`, async (t) => {
    const node = await tasksNode(t);
    const knowing = await TaskClient.open(node, way);
    const { taskId } = await knowing.start('hold', { key: 'a' });
    const client = await TaskClient.open(node, way, { elicitation: {} });
    const required = [
      await client.ask('get', taskId),
      await client.ask('update', taskId, { inputResponses: {} }),
      await client.ask('cancel', taskId),
      await client.caller.call('only', { key: 'b' }).answer,
      await client.caller.request('subscriptions/listen', { notifications: { taskIds: [taskId] } }).answer,
    ];
    for (const { error } of required) {
      assert.equal(error?.code, -32021);
      assert.deepEqual(error.data, { requiredCapabilities: TASKS });
    }
    const called = client.caller.call('hold', { key: 'c' });
    (await held(node, 'c')).release('now');
    assert.equal((await called.answer).result.content[0].text, 'now', 'others wait for the result');
    assert.equal((await knowing.caller.call('plain').answer).result.resultType, 'complete');
  });

  test(`what is no task, or is asked wrongly, is -32602: ${way.name}`, async (t) => {
    const node = await tasksNode(t);
    const client = await TaskClient.open(node, way);
    const wrong: [method: string, params: object, message: RegExp][] = [
      ['tasks/get', { taskId: 'none' }, /there is no task "none"/],
      ['tasks/update', { taskId: 'none', inputResponses: {} }, /there is no task/],
      ['tasks/cancel', { taskId: 'none' }, /there is no task/],
      ['tasks/get', {}, /params.taskId must be a string/],
      ['tasks/update', { taskId: 'none' }, /params.inputResponses must be an object/],
      ['subscriptions/listen', { notifications: { taskIds: 'none' } }, /taskIds must be an array/],
      [
        'subscriptions/listen',
        {
          notifications: {
            taskIds: Array(1_001)
              .fill('x')
              .map((x, n) => `${x}${n}`),
          },
        },
        /1000 ids/,
      ],
    ];
    for (const [method, params, message] of wrong) {
      const { error } = await client.caller.request(method, params).answer;
      assert.equal(error?.code, -32602, method);
      assert.match(error.message, message);
    }
    for (const method of ['tasks/list', 'tasks/result']) {
      assert.equal((await client.caller.request(method, { taskId: 'none' }).answer).error.code, -32601);
    }
  });

  test(`tasks are bounded in number: ${way.name}`, async (t) => {
    const node = await tasksNode(t, { limits: { tasksMax: 1 } });
    const client = await TaskClient.open(node, way);
    const { taskId } = await client.start('throws');
    await client.reaches(taskId, 'completed');
    const { error } = await client.caller.call('throws').answer;
    assert.equal(error.code, -32603);
    assert.match(error.message, /too_many_tasks/);
    assert.equal((await client.get(taskId)).status, 'completed', 'those that there are stay');
  });

  test(`a task is forgotten when its time is over, and its work ends: ${way.name}`, async (t) => {
    const gate = new Gate();
    const limits = { taskTtlMs: 10_000 };
    const node = await startSimulatedNode(t, { servers: [taskServer(gate)], limits });
    const client = await TaskClient.open(node, way);
    const { taskId, ttlMs } = await client.start('hold', { key: 'a' });
    assert.equal(ttlMs, 10_000);
    const { ctx } = await gate.held('a');
    const aborted = new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));
    await node.clock.advance(9_999);
    assert.equal((await client.get(taskId)).status, 'working');
    await node.clock.advance(1);
    await aborted;
    assert.equal((await client.ask('get', taskId)).error.code, -32602);
    assert.equal((await nodesAt(node, 'server_sup/task_sup/task')).length, 0);
  });
}

for (const way of listenWays.filter(({ era }) => era === 'stateless')) {
  test(`only tasks that there are can be listened to: ${way.name}`, async (t) => {
    const node = await tasksNode(t);
    const client = await TaskClient.open(node, statelessWays.find(({ name }) => name === way.name)!);
    const { taskId } = await client.start('hold', { key: 'a' });
    const listener = await way.open(node, { taskIds: ['none', taskId] }, KNOWS_ALL);
    const { params } = await listener.hear('notifications/subscriptions/acknowledged');
    assert.deepEqual(params.notifications, { taskIds: [taskId] });
    listener.leave();
  });
}

test('the extension is announced by servers with tools for it, in the revision that has extensions', async (t) => {
  const [stream] = statelessWays;
  const without = await stream!.open(await startNode(t));
  const asked = await without.request('tasks/get', { taskId: 'a' }, { meta: {} }).answer;
  assert.equal(asked.error.code, -32021);
  assert.equal((await without.request('server/discover').answer).result.capabilities.extensions, undefined);
  const node = await tasksNode(t);
  const discovered = (await (await stream!.open(node)).request('server/discover').answer).result;
  assert.deepEqual(discovered.capabilities.extensions, TASKS.extensions);
});
