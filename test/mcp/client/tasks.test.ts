/** Calls that the server makes a task of, on a clock that the test moves. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startReadyClient, type TestClient } from '../../support/mcp-client-system.ts';
import type { Met } from '../../support/scripted-server.ts';

const created = { resultType: 'task', taskId: 't-1', status: 'working', pollIntervalMs: 500 };
const done = { content: [{ type: 'text', text: 'done' }] };

/** Calls a tool, and lets the server make a task of it. */
async function task(
  { client, server }: TestClient,
  options: { timeoutMs?: number; signal?: AbortSignal } = {},
): Promise<{ readonly reply: Promise<any> }> {
  const reply = client.callTool('slow', {}, options);
  const call = await server.next('tools/call');
  call.connection.result(call, created);
  await client.status();
  return { reply };
}

/** The next question for the task, answered. */
async function polled({ server, clock }: TestClient, status: object, afterMs = 500): Promise<Met> {
  await clock.advance(afterMs);
  const request = await server.next('tasks/get');
  assert.equal(request.message.params.taskId, 't-1');
  request.connection.result(request, { resultType: 'complete', taskId: 't-1', ...status });
  return request;
}

test('a task is asked for as often as the server says, past the time of requests, to its result', async (t) => {
  const running = await startReadyClient(t, 'stateless');
  const { reply } = await task(running);
  await polled(running, { status: 'working', pollIntervalMs: 60_000 });
  for (let n = 0; n < 20; n++) await polled(running, { status: 'working', pollIntervalMs: 60_000 }, 60_000);
  await polled(running, { status: 'completed', result: done }, 60_000);
  assert.deepEqual((await reply).ok, done);
});

test('the end of a task that brings no result is an error that says why', async (t) => {
  const running = await startReadyClient(t, 'stateless');
  for (const [status, code, message] of [
    [{ status: 'failed', error: { code: -32603, message: 'broken' } }, 'ERR_MCP_RPC', /error -32603: broken/],
    [{ status: 'failed', statusMessage: 'no disk' }, 'ERR_MCP_RPC', /failed: no disk/],
    [{ status: 'cancelled' }, 'ERR_MCP_CANCELLED', /server has cancelled/],
    [{ status: 'completed', result: { content: 1 } }, 'ERR_MCP_RESULT', /content must be an array/],
    [{ status: 'sleeping' }, 'ERR_MCP_RESULT', /no status of the specification/],
  ] as const) {
    const { reply } = await task(running);
    await polled(running, status);
    const { error } = await reply;
    assert.equal(error.code, code);
    assert.match(error.message, message);
  }
});

test('a task outlives its connection', async (t) => {
  const running = await startReadyClient(t, 'stateless');
  const { server, clock } = running;
  const { reply } = await task(running);
  server.connections[0]!.drop();
  await clock.advance(1_000);
  await server.discover();
  await polled(running, { status: 'completed', result: done });
  assert.deepEqual((await reply).ok, done);
  assert.deepEqual(
    server.unread.filter((method) => method === 'tools/call'),
    [],
    'the call is not repeated',
  );
});

test('the questions of a task are answered once each', async (t) => {
  let asked = 0;
  const elicitation = () => {
    asked += 1;
    return { action: 'accept', content: { n: asked } } as const;
  };
  const running = await startReadyClient(t, 'stateless', { handlers: { elicitation } });
  const { server } = running;
  const { reply } = await task(running);
  const question = { method: 'elicitation/create', params: { message: '?' } };
  await polled(running, { status: 'input_required', inputRequests: { a: question, b: question } });
  const update = await server.next('tasks/update');
  const { taskId, inputResponses } = update.message.params;
  assert.deepEqual([taskId, Object.keys(inputResponses)], ['t-1', ['a', 'b']]);
  update.connection.result(update, { resultType: 'complete' });
  // The server has not looked at them yet.
  await polled(running, { status: 'input_required', inputRequests: { a: question, b: question } }, 1_000);
  await polled(running, { status: 'completed', result: done }, 1_000);
  assert.deepEqual([(await reply).ok, asked], [done, 2]);
});

test('a task that nobody wants any more is cancelled at the server', async (t) => {
  const running = await startReadyClient(t, 'stateless');
  const { server, clock } = running;
  const controller = new AbortController();
  const first = await task(running, { signal: controller.signal });
  controller.abort();
  assert.equal((await first.reply).error.code, 'ERR_MCP_CANCELLED');
  assert.equal((await server.next('tasks/cancel')).message.params.taskId, 't-1');
  const second = await task(running, { timeoutMs: 300 });
  await clock.advance(300);
  assert.equal((await second.reply).error.code, 'ERR_MCP_TIMEOUT');
  await server.next('tasks/cancel');
});
