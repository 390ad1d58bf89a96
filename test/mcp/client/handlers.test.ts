/** What a client does for its server: requests of a session, questions of stateless results. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallbackContext, ServerNotification } from '../../../mcp/client/index.ts';
import { startReadyClient, startTestClient } from '../../support/mcp-client-system.ts';

const done = { content: [{ type: 'text', text: 'done' }] };
const form = { type: 'object', properties: { name: { type: 'string', default: 'Ann' }, age: { type: 'integer' } } };

test('handlers declare their capabilities and answer the server', async (t) => {
  const handlers = {
    roots: () => [{ uri: 'file:///a' }],
    sampling: async ({ maxTokens }: { maxTokens: number }) =>
      ({ role: 'assistant', content: { type: 'text', text: `${maxTokens}` }, model: 'm' }) as const,
    elicitation: () => ({ action: 'accept', content: { age: 7 } }) as const,
  };
  const { server } = await startTestClient(t, { negotiation: 'legacy', handlers });
  const { message } = await server.initialize();
  assert.deepEqual(message.params.capabilities, {
    roots: { listChanged: true },
    sampling: {},
    elicitation: { form: {}, url: {} },
  });
  const [connection] = server.connections;
  const answers: [string, object, object][] = [
    ['roots/list', {}, { roots: [{ uri: 'file:///a' }] }],
    [
      'sampling/createMessage',
      { messages: [], maxTokens: 5 },
      { role: 'assistant', content: { type: 'text', text: '5' }, model: 'm' },
    ],
    [
      'elicitation/create',
      { message: '?', requestedSchema: form },
      { action: 'accept', content: { name: 'Ann', age: 7 } },
    ],
    ['ping', {}, {}],
  ];
  for (const [method, params, result] of answers) {
    connection!.say({ id: method, method, params });
    assert.deepEqual((await server.nextResponse()).message, { jsonrpc: '2.0', id: method, result });
  }
});

test('what nobody handles is answered with an error, and reported', async (t) => {
  const { server, events } = await startReadyClient(t, 'sessions');
  server.connections[0]!.say({ id: 1, method: 'sampling/createMessage', params: {} });
  assert.equal((await server.nextResponse()).message.error.code, -32601);
  assert.equal((await events.until('unhandled_request')).method, 'sampling/createMessage');
});

test('a handler that throws costs one answer; what it threw does not leave the program', async (t) => {
  let times = 0;
  const roots = (): { uri: string }[] => {
    times += 1;
    if (times === 1) throw new Error('a secret');
    return [];
  };
  const { server, events } = await startReadyClient(t, 'sessions', { handlers: { roots } });
  const [connection] = server.connections;
  connection!.say({ id: 1, method: 'roots/list' });
  const { error } = (await server.nextResponse()).message;
  assert.deepEqual([error.code, error.message], [-32603, 'the handler of roots/list failed']);
  assert.match(JSON.stringify((await events.until('handler_failed')).reason), /a secret/);
  connection!.say({ id: 2, method: 'roots/list' });
  assert.deepEqual((await server.nextResponse()).message.result, { roots: [] });
});

test('a handler is stopped when the server cancels, when its time is over, and with its connection', async (t) => {
  const signals: AbortSignal[] = [];
  const elicitation = (_request: unknown, { signal }: CallbackContext): Promise<never> => {
    signals.push(signal);
    server.wake();
    return new Promise(() => {});
  };
  const { server, clock } = await startReadyClient(t, 'sessions', {
    handlers: { elicitation },
    limits: { handlerTimeoutMs: 1_000 },
  });
  const [connection] = server.connections;
  const ask = async (id: number): Promise<AbortSignal> => {
    connection!.say({ id, method: 'elicitation/create', params: { message: '?' } });
    return server.until(() => signals[id]);
  };
  const aborted = (signal: AbortSignal): Promise<unknown> =>
    signal.aborted ? Promise.resolve() : new Promise((resolve) => signal.addEventListener('abort', resolve));
  const first = await ask(0);
  connection!.say({ method: 'notifications/cancelled', params: { requestId: 0 } });
  await aborted(first);
  const second = await ask(1);
  await clock.advance(1_000);
  await aborted(second);
  const { id, error } = (await server.nextResponse()).message;
  assert.deepEqual([id, error.data], [1, { reason: 'timeout' }]);
  const third = await ask(2);
  connection!.drop();
  await aborted(third);
});

test('more requests of the server than handlersMax are refused', async (t) => {
  const { server } = await startReadyClient(t, 'sessions', {
    handlers: { roots: () => new Promise<never>(() => {}) },
    limits: { handlersMax: 1 },
  });
  const [connection] = server.connections;
  connection!.say({ id: 1, method: 'roots/list' });
  connection!.say({ id: 2, method: 'roots/list' });
  const { id, error } = (await server.nextResponse()).message;
  assert.deepEqual([id, error.code], [2, -32603]);
});

test('notifications reach their function in order; one that throws costs itself', async (t) => {
  const seen: string[] = [];
  const notification = ({ params }: ServerNotification): void => {
    seen.push(String(params['data']));
    server.wake();
    if (params['data'] === 2) throw new Error('at two');
  };
  const { server, events } = await startReadyClient(t, 'sessions', { handlers: { notification } });
  const say = (data: number): void =>
    server.connections[0]!.say({ method: 'notifications/message', params: { level: 'info', data } });
  for (const data of [1, 2]) say(data);
  await events.until('handler_failed');
  say(3);
  await server.until(() => (seen.length === 3 ? seen : undefined));
  assert.deepEqual(seen, ['1', '2', '3']);
});

test('a result that asks for input is answered, with its state as it was, under a new id', async (t) => {
  const elicitation = () => ({ action: 'accept', content: {} }) as const;
  const { client, server } = await startReadyClient(t, 'stateless', { handlers: { elicitation } });
  const reply = client.callTool('a', { x: 1 });
  const first = await server.next('tools/call');
  first.connection.result(first, {
    resultType: 'input_required',
    inputRequests: { who: { method: 'elicitation/create', params: { message: '?', requestedSchema: form } } },
    requestState: ' {"n": 1} ',
  });
  const second = await server.next('tools/call');
  assert.notEqual(second.message.id, first.message.id);
  const { name, arguments: args, inputResponses, requestState } = second.message.params;
  assert.deepEqual([name, args, requestState], ['a', { x: 1 }, ' {"n": 1} ']);
  assert.deepEqual(inputResponses, { who: { action: 'accept', content: { name: 'Ann' } } });
  second.connection.result(second, { resultType: 'input_required', requestState: 'two' });
  const third = await server.next('tools/call');
  assert.deepEqual([third.message.params.inputResponses, third.message.params.requestState], [undefined, 'two']);
  third.connection.result(third, { resultType: 'complete', ...done });
  assert.deepEqual(((await reply) as any).ok.content, done.content);
});

test('the time for an answer stands still while a person answers', async (t) => {
  let answer: (value: { action: 'decline' }) => void = () => {};
  const elicitation = () =>
    new Promise<{ action: 'decline' }>((resolve) => {
      answer = resolve;
      server.wake();
    });
  const { client, server, clock } = await startReadyClient(t, 'stateless', { handlers: { elicitation } });
  const reply = client.callTool('a', {}, { timeoutMs: 1_000 });
  const first = await server.next('tools/call');
  const inputRequests = { q: { method: 'elicitation/create', params: { message: '?' } } };
  first.connection.result(first, { resultType: 'input_required', inputRequests });
  await clock.advance(60_000);
  answer({ action: 'decline' });
  const second = await server.next('tools/call');
  assert.deepEqual(second.message.params.inputResponses, { q: { action: 'decline' } });
  second.connection.result(second, { resultType: 'complete', ...done });
  assert.ok('ok' in (await reply));
});

test('input that nobody gives, or that is asked for again and again, is an error', async (t) => {
  const { client, server } = await startReadyClient(t, 'stateless', { limits: { inputRoundsMax: 2 } });
  const reply = client.callTool('a');
  const first = await server.next('tools/call');
  const inputRequests = { q: { method: 'sampling/createMessage', params: {} } };
  first.connection.result(first, { resultType: 'input_required', inputRequests });
  assert.match(((await reply) as any).error.message, /needs sampling\/createMessage, for which .* no handler/);
  const endless = client.callTool('b');
  for (let round = 0; round < 3; round++) {
    const call = await server.next('tools/call');
    call.connection.result(call, { resultType: 'input_required', requestState: `${round}` });
  }
  assert.equal(((await endless) as any).error.code, 'ERR_MCP_INPUT');
});
