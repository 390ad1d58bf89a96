/** Tasks of sessions (2025-11-25, basic/utilities/tasks), over a stream and over HTTP. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SystemEvents } from '../../support/mcp-events.ts';
import { HttpClient, HttpSession, initialize } from '../../support/mcp-http-client.ts';
import {
  killAt,
  type NodeOptions,
  nodesAt,
  processAt,
  startNode,
  startSimulatedNode,
  type TestNode,
} from '../../support/mcp-node.ts';
import { taskServer } from '../../support/mcp-tasks.ts';
import { Gate } from '../../support/mcp-tools.ts';
import { type Caller, ways } from '../../support/mcp-ways.ts';
import type { Cleanup } from '../../support/test-system.ts';

const RELATED = 'io.modelcontextprotocol/related-task';
const sessionWays = ways.filter(({ era }) => era === 'sessions');
const accept = (name: string) => ({ action: 'accept', content: { name } });

interface TasksNode extends TestNode {
  readonly tools: Gate;
}

async function tasksNode(t: Cleanup, options: NodeOptions = {}, runs: string[] = []): Promise<TasksNode> {
  const tools = new Gate();
  const node = await startNode(t, { servers: [taskServer(tools, runs)], ...options });
  return { ...node, tools };
}

/** Calls a tool as a task, and returns the task. */
async function start(caller: Caller, name: string, args: object = {}, task: object = {}, meta = {}): Promise<any> {
  const { result, error } = await caller.request('tools/call', { name, arguments: args, task }, { meta }).answer;
  assert.equal(error, undefined, JSON.stringify(error));
  assert.deepEqual(Object.keys(result), ['task']);
  return result.task;
}

const get = async (caller: Caller, taskId: string): Promise<any> =>
  (await caller.request('tasks/get', { taskId }).answer).result;

/** The task when it gets to that status. */
async function reaches(events: SystemEvents, caller: Caller, taskId: string, status: string): Promise<any> {
  for (;;) {
    const changed = events.next();
    const task = await get(caller, taskId);
    if (task.status === status) return task;
    await changed;
  }
}

for (const way of sessionWays) {
  test(`a call in a session becomes a task if its client asks, and tasks/result waits: ${way.name}`, async (t) => {
    const node = await tasksNode(t);
    const caller = await way.open(node);
    const task = await start(caller, 'hold', { key: 'a' }, { ttl: 60_000 });
    assert.deepEqual([task.status, task.ttl, task.pollInterval], ['working', 60_000, 1_000]);
    const call = await node.tools.held('a');
    const waiting = caller.request('tasks/result', { taskId: task.taskId });
    const other = caller.request('tasks/result', { taskId: task.taskId }, { id: 'other' });
    const working = await get(caller, task.taskId);
    assert.deepEqual([working.status, working.statusMessage], ['working', 'half'], 'progress is its status message');
    assert.equal(working.createdAt, task.createdAt);
    call.release('done');
    for (const { answer } of [waiting, other]) {
      const { result } = await answer;
      assert.deepEqual(result, {
        content: [{ type: 'text', text: 'done' }],
        _meta: { [RELATED]: { taskId: task.taskId } },
      });
    }
    assert.equal((await get(caller, task.taskId)).status, 'completed');
    const again = await caller.request('tasks/result', { taskId: task.taskId }).answer;
    assert.equal(again.result.content[0].text, 'done', 'its result stays');
    assert.deepEqual(node.events.crashes, []);
  });

  test(`a tool says whether its calls may be tasks, and is held to it: ${way.name}`, async (t) => {
    const node = await tasksNode(t);
    const caller = await way.open(node);
    const { tools } = (await caller.request('tools/list').answer).result;
    const support = Object.fromEntries(tools.map(({ name, execution }: any) => [name, execution?.taskSupport]));
    assert.deepEqual([support['hold'], support['only'], support['plain']], ['optional', 'required', undefined]);
    const refused = [
      await caller.call('only', { key: 'a' }).answer,
      await caller.request('tools/call', { name: 'plain', arguments: {}, task: {} }).answer,
    ];
    assert.deepEqual(
      refused.map(({ error }) => error?.code),
      [-32601, -32601],
    );
    assert.match(refused[0].error.message, /must be called as a task/);
    assert.match(refused[1].error.message, /cannot be called as a task/);
    const called = caller.call('hold', { key: 'b' });
    (await node.tools.held('b')).release('now');
    assert.equal((await called.answer).result.content[0].text, 'now', 'without task it is an ordinary call');
    for (const [task, message] of [
      [7, /params.task must be an object/],
      [{ ttl: -1 }, /params.task.ttl must be a number/],
      [{ ttl: 'long' }, /params.task.ttl must be a number/],
    ] as const) {
      const { error } = await caller.request('tools/call', { name: 'hold', arguments: { key: 'c' }, task }).answer;
      assert.equal(error.code, -32602);
      assert.match(error.message, message);
    }
  });

  test(`an error fails its task, and is the answer to tasks/result: ${way.name}`, async (t) => {
    const node = await tasksNode(t);
    const caller = await way.open(node);
    const thrown = await start(caller, 'throws');
    const told = (await caller.request('tasks/result', { taskId: thrown.taskId }).answer).result;
    assert.deepEqual([told.isError, told.content[0].text], [true, 'thrown']);
    assert.equal((await get(caller, thrown.taskId)).status, 'failed');
    const broken = await start(caller, 'breaks');
    const { error } = await caller.request('tasks/result', { taskId: broken.taskId }).answer;
    assert.deepEqual(error, { code: -32000, message: 'broken', data: { why: 'so' } });
    assert.equal((await get(caller, broken.taskId)).status, 'failed');
  });

  test(`tasks/cancel ends a task, and what waits for it; what is over cannot be cancelled: ${way.name}`, async (t) => {
    const node = await tasksNode(t);
    const caller = await way.open(node);
    const { taskId } = await start(caller, 'hold', { key: 'a' });
    const { ctx } = await node.tools.held('a');
    const aborted = new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));
    const waiting = caller.request('tasks/result', { taskId });
    await get(caller, taskId);
    const { result } = await caller.request('tasks/cancel', { taskId }).answer;
    assert.deepEqual([result.taskId, result.status], [taskId, 'cancelled']);
    await aborted;
    const answered = await waiting.answer;
    assert.deepEqual([answered.error.code, answered.error.message], [-32600, 'the task was cancelled']);
    const twice = await caller.request('tasks/cancel', { taskId }).answer;
    assert.equal(twice.error.code, -32602);
    assert.match(twice.error.message, /is over/);
  });

  test(`tasks/list has the tasks of the session in pages, and no other's: ${way.name}`, async (t) => {
    const node = await tasksNode(t, { limits: { listPageMax: 2 } });
    const caller = await way.open(node);
    const stranger = await way.open(node);
    const made: string[] = [];
    for (const key of ['a', 'b', 'c', 'd', 'e']) made.push((await start(caller, 'hold', { key })).taskId);
    const foreign = await start(stranger, 'hold', { key: 'x' });
    const listed: string[] = [];
    let cursor: string | undefined;
    do {
      const { result } = await caller.request('tasks/list', cursor === undefined ? {} : { cursor }).answer;
      assert.ok(result.tasks.length <= 2);
      listed.push(...result.tasks.map(({ taskId }: any) => taskId));
      cursor = result.nextCursor;
    } while (cursor !== undefined);
    assert.deepEqual(listed.toSorted(), made.toSorted());
    for (const wrong of ['', 'x', 'WzFd', Buffer.from('[1,2]').toString('base64url')]) {
      assert.equal((await caller.request('tasks/list', { cursor: wrong }).answer).error.code, -32602, wrong);
    }
    for (const method of ['tasks/get', 'tasks/result', 'tasks/cancel']) {
      for (const taskId of [foreign.taskId, 'none', 'constructor']) {
        const { error } = await caller.request(method, { taskId }).answer;
        assert.equal(error.code, -32602, method);
        assert.match(error.message, /there is no task/);
      }
    }
    assert.equal((await get(stranger, foreign.taskId)).status, 'working');
  });

  test(`tasks of a session are bounded in number: ${way.name}`, async (t) => {
    const node = await tasksNode(t, { limits: { sessionTasksMax: 1 } });
    const caller = await way.open(node);
    await start(caller, 'throws');
    const { error } = await caller.request('tools/call', { name: 'throws', arguments: {}, task: {} }).answer;
    assert.match(error.message, /too_many_tasks_of_the_session/);
    await start(await way.open(node), 'throws');
  });

  test(`who waits for a task is answered when its process dies, or its time is over: ${way.name}`, async (t) => {
    const node = await tasksNode(t);
    const caller = await way.open(node);
    const { taskId } = await start(caller, 'hold', { key: 'a' });
    await node.tools.held('a');
    const waiting = caller.request('tasks/result', { taskId });
    await get(caller, taskId);
    await killAt(node, 'server_sup/task_sup/task');
    const { error } = await waiting.answer;
    assert.equal(error.code, -32603);
    assert.match(error.message, /has died: .*killed/);
    assert.equal((await reaches(node.events, caller, taskId, 'failed')).status, 'failed');
  });
}

for (const way of ways.filter(({ era }) => era === 'stateless')) {
  test(`a task of a session is none for who has no session: ${way.name}`, async (t) => {
    const node = await tasksNode(t);
    const caller = await sessionWays[0]!.open(node);
    const { taskId } = await start(caller, 'hold', { key: 'a' });
    const capabilities = { extensions: { 'io.modelcontextprotocol/tasks': {} } };
    const stranger = await way.open(node, capabilities);
    const { error } = await stranger.request('tasks/get', { taskId }).answer;
    assert.equal(error.code, -32602);
    assert.equal((await stranger.request('tasks/list').answer).error.code, -32601);
  });
}

test('a task asks the client of its session through tasks/result, and goes on with the answers', async (t) => {
  const runs: string[] = [];
  const node = await tasksNode(t, {}, runs);
  const session = await HttpSession.open(node.url, { elicitation: {} });
  const created = await session.request('tools/call', { name: 'asks', arguments: {}, task: {} }).answer();
  const { taskId } = created.result.task;
  const getTask = async () => (await session.request('tasks/get', { taskId }).answer()).result;
  const reached = async (status: string): Promise<void> => {
    for (;;) {
      const changed = node.events.next();
      if ((await getTask()).status === status) return;
      await changed;
    }
  };
  await reached('input_required');
  assert.equal((await nodesAt(node, 'server_sup/request_sup/request')).length, 0, 'nothing runs while it waits');
  const lost = session.request('tasks/result', { taskId });
  const asked = [await lost.message(0), await lost.message(1)];
  for (const { method, params } of asked) {
    assert.equal(method, 'elicitation/create');
    assert.deepEqual(params._meta, { [RELATED]: { taskId } });
  }
  const post = (id: string, outcome: object) =>
    session.client.post({ jsonrpc: '2.0', id, ...outcome }, session.headers).ended;
  await post(asked[0].id, { result: accept('Ada') });
  // Who waited has gone: whoever asks for the result next is asked what is still open.
  lost.leave();
  const waiting = session.request('tasks/result', { taskId });
  const open = await waiting.find(({ method }) => method === 'elicitation/create');
  assert.notEqual(open.id, asked[1].id);
  await post(open.id, { result: accept('Bob') });
  const second = await waiting.find((message) => message.method === 'elicitation/create' && message.id !== open.id);
  await post(second.id, { error: { code: -1, message: 'the user has left' } });
  assert.deepEqual((await waiting.answer()).error, { code: -1, message: 'the user has left' });
  assert.deepEqual(runs, Array(3).fill('began'), 'it runs again after each round');
  assert.equal((await getTask()).status, 'failed');
});

test('a wrong answer of the client of a session fails what has asked', async (t) => {
  const node = await tasksNode(t);
  const session = await HttpSession.open(node.url, { elicitation: {} });
  const created = await session.request('tools/call', { name: 'asksFirst', arguments: {}, task: {} }).answer();
  const { taskId } = created.result.task;
  const waiting = session.request('tasks/result', { taskId });
  const asked = await waiting.find(({ method }) => method === 'elicitation/create');
  const response = { jsonrpc: '2.0', id: asked.id, result: accept('B') };
  await session.client.post(response, session.headers).ended;
  const { error } = await waiting.answer();
  assert.equal(error.code, -32602);
  assert.match(error.message, /the client's answer to "who"/);
});

test('progress and status of a task come on the stream of the session, marked as of the task', async (t) => {
  const node = await tasksNode(t);
  const caller = await sessionWays.find(({ carrier }) => carrier === 'stream')!.open(node);
  const { answer, messages } = caller.request(
    'tools/call',
    { name: 'hold', arguments: { key: 'a' }, task: {} },
    { progressToken: 'mine' },
  );
  const { taskId } = (await answer).result.task;
  (await node.tools.held('a')).release('done');
  await caller.request('tasks/result', { taskId }).answer;
  const progress = messages.find(({ method }) => method === 'notifications/progress');
  assert.deepEqual(progress.params, {
    progressToken: 'mine',
    progress: 1,
    total: 2,
    message: 'half',
    _meta: { [RELATED]: { taskId } },
  });
  await reaches(node.events, caller, taskId, 'completed');
  const states = messages.filter(({ method }) => method === 'notifications/tasks/status');
  assert.ok(states.some(({ params }) => params.status === 'working' && params.taskId === taskId));
});

test('the end of a session is the end of its tasks; the crash of its process is not', async (t) => {
  const node = await tasksNode(t);
  const session = await HttpSession.open(node.url);
  const created = await session.request('tools/call', { name: 'hold', arguments: { key: 'a' }, task: {} }).answer();
  const { taskId } = created.result.task;
  const { ctx } = await node.tools.held('a');
  const aborted = new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));
  await killAt(node, 'server_sup/session_sup/session');
  const { result } = await session.request('tasks/get', { taskId }).answer();
  assert.equal(result.status, 'working');
  const task = await processAt(node, 'server_sup/task_sup/task');
  await session.end();
  await aborted;
  await node.events.until(() => node.events.exits.find((exit) => exit.pid === task));
});

test('a task of a session is forgotten when the time that its client has asked for is over', async (t) => {
  const gate = new Gate();
  const node = await startSimulatedNode(t, { servers: [taskServer(gate)] });
  const caller = await sessionWays[0]!.open(node);
  const { taskId } = await start(caller, 'hold', { key: 'a' }, { ttl: 5_000 });
  const waiting = caller.request('tasks/result', { taskId });
  await gate.held('a');
  await get(caller, taskId);
  await node.clock.advance(5_000);
  assert.match((await waiting.answer).error.message, /there is no task/);
  assert.equal((await caller.request('tasks/get', { taskId }).answer).error.code, -32602);
});

test('revisions without tasks have none: a call is a call, whatever it asks for', async (t) => {
  const node = await tasksNode(t);
  const client = new HttpClient(node.url);
  t.after(() => client.close());
  const hello: any = initialize();
  const opened = await client.post({ ...hello, params: { ...hello.params, protocolVersion: '2025-06-18' } }).ended;
  assert.equal(opened.messages[0].result.capabilities.tasks, undefined);
  const headers = {
    'mcp-session-id': String(opened.headers['mcp-session-id']),
    'mcp-protocol-version': '2025-06-18',
  };
  const post = (method: string, params: object) => client.post({ jsonrpc: '2.0', id: 1, method, params }, headers);
  const { tools } = (await post('tools/list', {}).answer()).result;
  assert.ok(tools.every((tool: object) => !('execution' in tool)));
  const called = post('tools/call', { name: 'only', arguments: { key: 'a' }, task: {} });
  (await node.tools.held('a')).release('now');
  assert.deepEqual((await called.answer()).result, { content: [{ type: 'text', text: 'now' }] });
  assert.equal((await post('tasks/get', { taskId: 'a' }).answer()).error.code, -32601);
});

test('tasks are announced to sessions by servers with tools for them', async (t) => {
  const announced = async (node: TestNode): Promise<unknown> => {
    const client = new HttpClient(node.url);
    t.after(() => client.close());
    return (await client.post(initialize()).answer()).result.capabilities.tasks;
  };
  const tasks = { list: {}, cancel: {}, requests: { tools: { call: {} } } };
  assert.deepEqual(await announced(await tasksNode(t)), tasks);
  const without = await startNode(t);
  assert.equal(await announced(without), undefined);
  const caller = await sessionWays[0]!.open(without);
  for (const method of ['tasks/list', 'tasks/get', 'tasks/result', 'tasks/cancel']) {
    assert.equal((await caller.request(method, { taskId: 'a' }).answer).error.code, -32601, method);
  }
});
