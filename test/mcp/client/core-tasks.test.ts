/** Calls that become tasks of their session (2025-11-25), on a clock that the test moves. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallToolOptions, McpClientSpec } from '../../../mcp/client/index.ts';
import { startTestClient, type TestClient } from '../../support/mcp-client-system.ts';
import { type Met, ScriptedServer } from '../../support/scripted-server.ts';
import type { Cleanup } from '../../support/test-system.ts';

const RELATED = 'io.modelcontextprotocol/related-task';
const done = { content: [{ type: 'text', text: 'done' }] };
const capabilities = { tools: {}, tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } } };
const tools = [
  { name: 'slow', inputSchema: {}, execution: { taskSupport: 'optional' } },
  { name: 'only', inputSchema: {}, execution: { taskSupport: 'required' } },
  { name: 'quick', inputSchema: {} },
];

async function startClient(
  t: Cleanup,
  spec: Partial<McpClientSpec> = {},
  offers: object = capabilities,
  server = new ScriptedServer(),
): Promise<TestClient> {
  const running = await startTestClient(t, { negotiation: 'legacy', ...spec }, server);
  await running.server.initialize({ capabilities: offers });
  await running.events.state('ready');
  return running;
}

/** A client that has seen the tools. */
async function startInformed(
  t: Cleanup,
  spec: Partial<McpClientSpec> = {},
  server = new ScriptedServer(),
): Promise<TestClient> {
  const running = await startClient(t, spec, capabilities, server);
  const listing = running.client.listTools();
  await list(running);
  await listing;
  return running;
}

async function list({ server }: TestClient, listed: readonly object[] = tools): Promise<void> {
  const request = await server.next('tools/list');
  request.connection.result(request, { tools: listed });
}

const created = (status = 'working') => ({ task: { taskId: 't-1', status, ttl: 1_000, pollInterval: 500 } });

async function task(
  { client, server }: TestClient,
  options: CallToolOptions = { task: { ttlMs: 1_000 } },
  name = 'slow',
): Promise<{ readonly reply: Promise<any>; readonly call: Met }> {
  const reply = client.callTool(name, {}, options);
  const call = await server.next('tools/call');
  call.connection.result(call, created());
  await client.status();
  return { reply, call };
}

/** The next question for the task, answered. */
async function polled({ server, clock }: TestClient, status: string, afterMs = 500): Promise<void> {
  await clock.advance(afterMs);
  const request = await server.next('tasks/get');
  assert.deepEqual(request.message.params, { taskId: 't-1' });
  request.connection.result(request, { taskId: 't-1', status, ttl: 1_000, pollInterval: 500 });
}

async function resultAsked({ server }: TestClient): Promise<Met> {
  const request = await server.next('tasks/result');
  assert.deepEqual(request.message.params, { taskId: 't-1' });
  return request;
}

test('a call of a session becomes a task if its caller asks, and is followed to its result', async (t) => {
  const running = await startInformed(t);
  const steps: number[] = [];
  const { reply, call } = await task(running, {
    task: { ttlMs: 1_000 },
    progress: ({ progress }) => void steps.push(progress),
  });
  assert.deepEqual(call.message.params.task, { ttl: 1_000 });
  for (let n = 0; n < 200; n++) await polled(running, 'working');
  const { progressToken } = call.message.params._meta;
  call.connection.say({ method: 'notifications/progress', params: { progressToken, progress: 7 } });
  await polled(running, 'completed');
  const asked = await resultAsked(running);
  asked.connection.result(asked, { ...done, _meta: { [RELATED]: { taskId: 't-1' } } });
  assert.deepEqual((await reply).ok.content, done.content);
  assert.deepEqual(steps, [7], 'progress goes on after the handle');
});

test('a tool that must be a task is called as one, also if the client has not seen it before', async (t) => {
  const running = await startClient(t);
  const { client, server } = running;
  const replies = [client.callTool('only'), client.callTool('only')];
  await list(running);
  for (const reply of replies) {
    const call = await server.next('tools/call');
    assert.deepEqual(call.message.params.task, {});
    call.connection.result(call, created());
    await client.status();
    await polled(running, 'completed');
    const asked = await resultAsked(running);
    asked.connection.result(asked, done);
    assert.deepEqual(await reply, { ok: done });
  }
  assert.deepEqual(server.unread, [], 'one list serves all');
});

test('a tool that has become one that must be a task is called as one', async (t) => {
  const running = await startInformed(t);
  const { client, server } = running;
  void client.callTool('quick');
  const refused = await server.next('tools/call');
  assert.equal(refused.message.params.task, undefined);
  refused.connection.error(refused, { code: -32601, message: 'must be called as a task' });
  await list(running, [{ name: 'quick', inputSchema: {}, execution: { taskSupport: 'required' } }]);
  assert.deepEqual((await server.next('tools/call')).message.params.task, {});
});

test('a call goes out also if the list of tools cannot be had', async (t) => {
  const { client, server } = await startClient(t);
  const reply = client.callTool('slow', {}, { task: {} });
  const request = await server.next('tools/list');
  request.connection.error(request, { code: -32603, message: 'no list' });
  const call = await server.next('tools/call');
  assert.deepEqual(call.message.params.task, {});
  call.connection.error(call, { code: -32601, message: 'no such tool' });
  assert.equal(((await reply) as any).error.rpc.code, -32601);
});

test('a call is an ordinary one where the tool or the server has no tasks', async (t) => {
  const running = await startInformed(t);
  const bare = await startClient(t, {}, { tools: {} });
  for (const [{ client, server }, name] of [
    [running, 'quick'],
    [bare, 'slow'],
  ] as const) {
    const reply = client.callTool(name, {}, { task: {} });
    const call = await server.next('tools/call');
    assert.equal(call.message.params.task, undefined);
    call.connection.result(call, done);
    assert.deepEqual(await reply, { ok: done });
  }
  const unknown = bare.client.callTool('nothing');
  const call = await bare.server.next('tools/call');
  call.connection.error(call, { code: -32601, message: 'no such tool' });
  assert.equal(((await unknown) as any).error.rpc.code, -32601, 'and nothing is listed for its sake');
});

test('what a task asks comes while its result is waited for, and the answer names the task', async (t) => {
  const elicitation = () => ({ action: 'accept', content: { name: 'Ada' } }) as const;
  const running = await startInformed(t, { handlers: { elicitation } });
  const { server } = running;
  const { reply } = await task(running);
  await polled(running, 'input_required');
  const asked = await resultAsked(running);
  const params = { message: 'Who?', _meta: { [RELATED]: { taskId: 't-1' } } };
  asked.connection.say({ id: 'q', method: 'elicitation/create', params });
  const { message } = await server.nextResponse();
  assert.deepEqual(message.result, {
    action: 'accept',
    content: { name: 'Ada' },
    _meta: { [RELATED]: { taskId: 't-1' } },
  });
  asked.connection.result(asked, done);
  assert.deepEqual(await reply, { ok: done });
  await running.clock.advance(60_000);
  assert.deepEqual(server.unread, [], 'it is not asked for any more');
});

test('notifications/tasks/status is looked at at once, and no result is asked for twice', async (t) => {
  const running = await startInformed(t);
  const { reply, call } = await task(running);
  await running.clock.advance(500);
  const open = await running.server.next('tasks/get');
  const tell = (status: string) =>
    call.connection.say({ method: 'notifications/tasks/status', params: { taskId: 't-1', status } });
  tell('working');
  tell('completed');
  tell('completed');
  const asked = await resultAsked(running);
  open.connection.result(open, { taskId: 't-1', status: 'completed' });
  asked.connection.result(asked, done);
  assert.deepEqual(await reply, { ok: done });
  assert.deepEqual(running.server.unread, []);
});

test('the end of a task of a session that brings no result is an error that says why', async (t) => {
  const running = await startInformed(t);
  const failing = await task(running);
  await polled(running, 'failed');
  const first = await resultAsked(running);
  first.connection.error(first, { code: -32000, message: 'broken' });
  const { error } = await failing.reply;
  assert.deepEqual([error.code, error.rpc.code], ['ERR_MCP_RPC', -32000]);
  const cancelled = await task(running);
  await polled(running, 'cancelled');
  assert.equal((await cancelled.reply).error.code, 'ERR_MCP_CANCELLED');
  const meanwhile = await task(running);
  await polled(running, 'input_required');
  const waits = await resultAsked(running);
  waits.connection.error(waits, { code: -32600, message: 'the task was cancelled' });
  await polled(running, 'cancelled', 0);
  assert.equal((await meanwhile.reply).error.code, 'ERR_MCP_CANCELLED');
  const gone = await task(running);
  await running.clock.advance(500);
  const get = await running.server.next('tasks/get');
  get.connection.error(get, { code: -32602, message: 'there is no task' });
  assert.match((await gone.reply).error.message, /there is no task/);
});

test('a task of a session outlives the time of a request, and its result is asked for again', async (t) => {
  const running = await startInformed(t, { limits: { requestTimeoutMs: 1_000, requestTimeoutMaxMs: 5_000 } });
  const { clock, server } = running;
  const { reply } = await task(running);
  await polled(running, 'input_required');
  await resultAsked(running);
  await clock.advance(5_000);
  await server.next('notifications/cancelled');
  await polled(running, 'completed', 1_000);
  const asked = await resultAsked(running);
  asked.connection.result(asked, done);
  assert.deepEqual(await reply, { ok: done });
});

test('a task of a session that nobody wants any more is cancelled, also one whose handle comes late', async (t) => {
  const running = await startInformed(t);
  const { client, server, clock } = running;
  const controller = new AbortController();
  const first = await task(running, { task: {}, signal: controller.signal });
  controller.abort();
  assert.equal((await first.reply).error.code, 'ERR_MCP_CANCELLED');
  assert.deepEqual((await server.next('tasks/cancel')).message.params, { taskId: 't-1' });
  const late = client.callTool('slow', {}, { task: {}, timeoutMs: 300 });
  const call = await server.next('tools/call');
  await clock.advance(300);
  assert.equal(((await late) as any).error.code, 'ERR_MCP_TIMEOUT');
  call.connection.result(call, { task: { taskId: 't-2', status: 'working' } });
  assert.deepEqual((await server.next('tasks/cancel')).message.params, { taskId: 't-2' });
  assert.deepEqual(server.unread, [], 'it has only one way to be cancelled');
});

test('over HTTP the handle of a task that nobody wants is waited for, but not for ever', async (t) => {
  const server = new ScriptedServer('http');
  const running = await startInformed(t, { limits: { requestTimeoutMs: 1_000 } }, server);
  const { client, clock } = running;
  for (const answers of [true, false]) {
    const given = client.callTool('slow', {}, { task: {}, timeoutMs: 300 });
    const call = await server.next('tools/call');
    await clock.advance(300);
    assert.equal(((await given) as any).error.code, 'ERR_MCP_TIMEOUT');
    assert.deepEqual(call.connection.aborted, []);
    if (answers) {
      call.connection.result(call, created());
      const cancel = await server.next('tasks/cancel');
      cancel.connection.result(cancel, created('cancelled').task);
    }
    await clock.advance(1_000);
    await client.status();
    assert.deepEqual(call.connection.aborted, answers ? [] : [call.exchange]);
  }
});

test('a request with a task parameter of its own brings the task, and its lists are followed', async (t) => {
  const { client, server } = await startClient(t);
  const started = client.request('tools/call', { name: 'slow', arguments: {}, task: { ttl: 5 } });
  const call = await server.next('tools/call');
  assert.deepEqual(call.message.params.task, { ttl: 5 });
  call.connection.result(call, created());
  assert.deepEqual(await started, { ok: created() });
  for (const [method, answer] of [
    ['tasks/get', created().task],
    ['tasks/list', { tasks: [created().task] }],
    ['tasks/cancel', created('cancelled').task],
    ['tasks/result', done],
  ] as const) {
    const asked = client.request(method, method === 'tasks/list' ? {} : { taskId: 't-1' });
    const request = await server.next(method);
    request.connection.result(request, answer);
    assert.deepEqual(await asked, { ok: answer });
  }
});
