/** What a call of a tool is promised: an answer in time, progress in order, and a result that fits its schema. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HttpClient, HttpSession } from '../../support/mcp-http-client.ts';
import { nodesAt, startNode, startSimulatedNode } from '../../support/mcp-node.ts';
import { HANG_MS } from '../../support/mcp-tools.ts';
import { type Caller, type SentCall, ways } from '../../support/mcp-ways.ts';

const TIMEOUT_MS = 5_000;

for (const way of ways) {
  // ---- deadlines

  test(`a tool that never settles is ended at its own deadline: ${way.name}`, async (t) => {
    const node = await startSimulatedNode(t);
    const caller = await way.open(node);
    const { answer } = caller.call('hangs', {}, { id: 'h' });
    await node.events.until(() => node.events.starts.find(({ initialCall }) => initialCall.endsWith('#Request')));
    await node.clock.advance(HANG_MS - 1);
    assert.equal((await nodesAt(node, 'server_sup/request_sup/request')).length, 1);
    await node.clock.advance(1);
    assert.deepEqual(await answer, {
      jsonrpc: '2.0',
      id: 'h',
      error: {
        code: -32603,
        message: `tool "hangs" did not finish within ${HANG_MS} ms`,
        data: { reason: 'timeout', timeoutMs: HANG_MS },
      },
    });
    assert.equal((await nodesAt(node, 'server_sup/request_sup/request')).length, 0);
    assert.deepEqual((await node.events.culprit(/^tools\/call hangs/)).reason, {
      request_timeout: { tool: 'hangs', timeoutMs: HANG_MS },
    });
    caller.leave();
  });

  test(`else at that of the node, which no progress moves; the tool is told: ${way.name}`, async (t) => {
    const node = await startSimulatedNode(t, { limits: { requestTimeoutMs: TIMEOUT_MS } });
    const caller = await way.open(node);
    const { answer } = caller.call('hold', { key: 'a' }, { progressToken: 1 });
    const { ctx, release } = await node.gate.held('a');
    await node.clock.advance(TIMEOUT_MS - 1);
    ctx.progress(1);
    assert.equal(ctx.signal.aborted, false);
    await node.clock.advance(1);
    assert.deepEqual((await answer).error.data, { reason: 'timeout', timeoutMs: TIMEOUT_MS });
    assert.equal(ctx.signal.aborted, true);
    release(); // finds nobody
    assert.match((await caller.call('echo', { text: 'on' }).answer).result.content[0].text, /^on/);
    caller.leave();
  });

  // ---- progress

  test(`progress comes in order, before the answer, and not too often: ${way.name}`, async (t) => {
    const node = await startSimulatedNode(t, { limits: { progressPauseMs: 50 } });
    const caller = await way.open(node);
    const sent = caller.call('hold', { key: 'a' }, { id: 'p', progressToken: 'token' });
    const { ctx, release } = await node.gate.held('a');
    ctx.progress(1, 10, 'first');
    ctx.progress(2, 10, 'too soon');
    await node.clock.advance(49);
    ctx.progress(3, 10, 'still too soon');
    await node.clock.advance(1);
    ctx.progress(4, 10);
    await node.clock.advance(1_000);
    ctx.progress(4, 10, 'does not grow');
    ctx.progress(3, 10, 'shrinks');
    ctx.progress(Number.NaN, 10);
    ctx.progress(Number.POSITIVE_INFINITY);
    ctx.progress(5);
    ctx.progress(10, 10, 'the end is never dropped');
    release();
    await sent.answer;
    ctx.progress(11, 11, 'after the answer');
    assert.deepEqual(progressOf(sent, 'token'), [
      { progressToken: 'token', progress: 1, total: 10, message: 'first' },
      { progressToken: 'token', progress: 4, total: 10 },
      { progressToken: 'token', progress: 5 },
      { progressToken: 'token', progress: 10, total: 10, message: 'the end is never dropped' },
    ]);
    assert.equal(sent.messages.at(-1).id, 'p');
    caller.leave();
  });

  test(`two calls have their own progress; who does not ask has none: ${way.name}`, async (t) => {
    const node = await startNode(t);
    const caller = await way.open(node);
    const [a, b, none] = [
      caller.call('hold', { key: 'a' }, { id: 'a', progressToken: 0 }),
      caller.call('hold', { key: 'b' }, { id: 'b', progressToken: '0' }),
      caller.call('hold', { key: 'none' }, { id: 'none' }),
    ];
    for (const key of ['a', 'b', 'none']) {
      const { ctx, release } = await node.gate.held(key);
      ctx.progress(0.5, 1, `of ${key}`);
      release();
    }
    await Promise.all([a.answer, b.answer, none.answer]);
    assert.deepEqual(progressOf(a, 0), [{ progressToken: 0, progress: 0.5, total: 1, message: 'of a' }]);
    assert.deepEqual(progressOf(b, '0'), [{ progressToken: '0', progress: 0.5, total: 1, message: 'of b' }]);
    const progress = none.messages.filter(({ method, params }) => method !== undefined && params.message === 'of none');
    assert.deepEqual(progress, []);
    caller.leave();
  });

  // ---- results

  test(`a result that its output schema forbids is the tool's fault, and is not passed on: ${way.name}`, async (t) => {
    const node = await startNode(t);
    const caller = await way.open(node);
    const { error, result } = await caller.call('lies').answer;
    assert.equal(result, undefined);
    assert.equal(error.code, -32603);
    assert.match(error.message, /^tool "lies": its result does not satisfy its output schema: .*sum/);
    caller.leave();
  });

  test(`wrong arguments are a result that tells the model; an unknown tool is an error: ${way.name}`, async (t) => {
    const node = await startNode(t);
    const caller = await way.open(node);
    const wrong = await caller.call('echo', { text: 5 }).answer;
    assert.equal(wrong.result.isError, true);
    assert.match(wrong.result.content[0].text, /invalid arguments for tool "echo": .*text/);
    for (const tool of ['no such tool', '__proto__', 'constructor', 'toString']) {
      const { error } = await caller.call(tool).answer;
      assert.equal(error.code, -32602);
      assert.match(error.message, /unknown tool/);
    }
    assert.equal((await nodesAt(node, 'server_sup/request_sup/request')).length, 0);
    assert.deepEqual(node.events.crashes, []);
    caller.leave();
  });

  test(`a tool knows who asks: ${way.name}`, async (t) => {
    const node = await startNode(t);
    const caller = await way.open(node, { elicitation: {} });
    const { era, capabilities, session } = (await caller.call('whoami').answer).result.structuredContent;
    assert.deepEqual([era, capabilities], [way.era, { elicitation: {} }]);
    assert.equal(typeof session, way.era === 'sessions' ? 'string' : 'object');
    caller.leave();
  });

  test(`many calls at once are answered each with its own: ${way.name}`, async (t) => {
    const node = await startNode(t);
    const caller: Caller = await way.open(node);
    const texts = Array.from({ length: 100 }, (_, n) => `text ${n}`);
    const answers = await Promise.all(texts.map((text, n) => caller.call('echo', { text }, { id: n }).answer));
    for (const [n, { id, result }] of answers.entries()) {
      assert.equal(id, n);
      assert.ok(result.content[0].text.startsWith(`${texts[n]},`), result.content[0].text);
    }
    caller.leave();
  });
}

function progressOf({ messages }: SentCall, token: string | number): unknown[] {
  return messages
    .filter(({ method, params }) => method === 'notifications/progress' && params.progressToken === token)
    .map(({ params }) => params);
}

// ---- the form of an HTTP response

test('an answer alone is JSON; one after progress is the last event of a stream', async (t) => {
  const node = await startNode(t);
  const session = await HttpSession.open(node.url);
  const plain = await session.tool('echo', { text: 'x' }, { meta: { progressToken: 1 } }).ended;
  assert.deepEqual([plain.headers['content-type'], plain.messages.length], ['application/json', 1]);
  const exchange = session.tool('steps', { key: 'a' }, { meta: { progressToken: 1 } });
  const { ctx, release } = await node.gate.held('a');
  ctx.progress(1, 2);
  assert.equal((await exchange.message(0)).method, 'notifications/progress', 'it comes at once, not with the answer');
  release();
  const streamed = await exchange.ended;
  assert.deepEqual([streamed.headers['content-type'], streamed.messages.length], ['text/event-stream', 2]);
  session.client.close();
});

test('who accepts no event stream gets the answer without progress', async (t) => {
  const node = await startNode(t);
  const client = new HttpClient(node.url);
  const options = { meta: { progressToken: 1 }, headers: { accept: 'application/json' } };
  const exchange = client.stateless('tools/call', { name: 'hold', arguments: { key: 'a' } }, options);
  const { ctx, release } = await node.gate.held('a');
  ctx.progress(1, 2);
  release();
  const { headers, messages } = await exchange.ended;
  assert.deepEqual([headers['content-type'], messages.length], ['application/json', 1]);
  assert.equal(messages[0].result.content[0].text, 'released a');
  client.close();
});

test('a progress token must be a string or an integer', async (t) => {
  const node = await startNode(t);
  const session = await HttpSession.open(node.url);
  for (const progressToken of [1.5, null, {}, true]) {
    const { error } = await session.tool('echo', { text: 'x' }, { meta: { progressToken } }).answer();
    assert.equal(error.code, -32602, String(progressToken));
    assert.match(error.message, /progressToken/);
  }
  session.client.close();
});
