/** A request that nobody wants any more: its work ends, and so does its response. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { name } from '../../../runtime/index.ts';
import { connectMemory } from '../../../transports/memory.ts';
import { HttpClient, HttpSession, SESSIONS } from '../../support/mcp-http-client.ts';
import { nodesAt, startNode, type TestNode } from '../../support/mcp-node.ts';
import { StreamClient } from '../../support/mcp-stream-client.ts';
import type { HeldCall } from '../../support/mcp-tools.ts';
import { streams } from '../../support/mcp-ways.ts';
import type { Cleanup } from '../../support/test-system.ts';

/** When the tool is told to stop. */
function aborted({ ctx: { signal } }: HeldCall): Promise<unknown> {
  if (signal.aborted) return Promise.resolve(signal.reason);
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason)));
}

/** Waits until no request has a process. */
async function noRequests(node: TestNode): Promise<void> {
  for (;;) {
    const changed = node.events.next();
    if ((await nodesAt(node, 'server_sup/request_sup/request')).length === 0) return;
    await changed;
  }
}

async function withSession(t: Cleanup): Promise<{ readonly node: TestNode; readonly session: HttpSession }> {
  const node = await startNode(t);
  const session = await HttpSession.open(node.url);
  t.after(() => session.client.close());
  return { node, session };
}

for (const { name: way, open } of streams) {
  test(`a cancelled request is not answered, its tool is told, its id is free again: ${way}`, async (t) => {
    const node = await startNode(t);
    const { client, meta } = await open(node);
    const before = client.received.length;
    void client.tool('hold', { key: 'a' }, 5, meta);
    const call = await node.gate.held('a');
    const stopped = aborted(call);
    client.notify('notifications/cancelled', { requestId: 5, reason: 'changed my mind' });
    await stopped;
    await noRequests(node);
    call.release('too late');
    const again = client.tool('echo', { text: 'again' }, 5, meta);
    assert.match((await again).result.content[0].text, /^again/);
    assert.equal(client.received.length, before + 1, 'the cancelled request has no answer');
  });

  test(`a cancellation of what is not in flight means nothing: ${way}`, async (t) => {
    const node = await startNode(t);
    const { client, meta } = await open(node);
    await client.tool('echo', { text: 'done' }, 1, meta);
    const held = client.tool('hold', { key: 'a' }, 2, meta);
    const call = await node.gate.held('a');
    for (const params of [
      { requestId: 1 },
      { requestId: '2' },
      { requestId: null },
      { requestId: {} },
      {},
      undefined,
    ]) {
      client.notify('notifications/cancelled', params);
    }
    await client.tool('echo', { text: 'after' }, 3, meta);
    assert.equal(call.ctx.signal.aborted, false);
    call.release();
    assert.equal((await held).result.content[0].text, 'released a');
  });

  test(`one stream cannot cancel what another asked for: ${way}`, async (t) => {
    const node = await startNode(t);
    const [mine, other] = [await open(node), await open(node)];
    const held = mine.client.tool('hold', { key: 'a' }, 5, mine.meta);
    const call = await node.gate.held('a');
    other.client.notify('notifications/cancelled', { requestId: 5 });
    await other.client.tool('echo', { text: 'after' }, 6, other.meta);
    assert.equal(call.ctx.signal.aborted, false);
    call.release();
    assert.equal((await held).result.content[0].text, 'released a');
  });

  test(`a stream that closes ends its work: ${way}`, async (t) => {
    const node = await startNode(t);
    const { client, link, meta } = await open(node);
    client.tool('hold', { key: 'a' }, 5, meta).catch(() => {
      // The stream ends before an answer.
    });
    const stopped = aborted(await node.gate.held('a'));
    link.close();
    await stopped;
    await noRequests(node);
    assert.equal((await nodesAt(node, 'server_sup/session_sup/session')).length, 0, 'its session ends with it');
  });

  test(`a stream that ends its sending still gets its answers: ${way}`, async (t) => {
    const node = await startNode(t);
    const { client, link, meta } = await open(node);
    const held = client.tool('hold', { key: 'a' }, 5, meta);
    const call = await node.gate.held('a');
    link.end();
    call.release();
    assert.equal((await held).result.content[0].text, 'released a');
    assert.equal(await link.closed, 'normal');
    await noRequests(node);
  });
}

test('a cancelled POST of a session ends, with the word that it was cancelled', async (t) => {
  const { node, session } = await withSession(t);
  const exchange = session.tool('hold', { key: 'a' }, { id: 5 });
  const stopped = aborted(await node.gate.held('a'));
  assert.equal((await session.notify('notifications/cancelled', { requestId: 5 })).status, 202);
  await stopped;
  const { status, messages } = await exchange.ended;
  assert.equal(status, 200);
  assert.deepEqual(messages, [
    { jsonrpc: '2.0', id: 5, error: { code: -32600, message: 'the request was cancelled' } },
  ]);
  await noRequests(node);
});

test('a cancelled POST that has had progress ends its event stream', async (t) => {
  const { node, session } = await withSession(t);
  const exchange = session.tool('steps', { key: 'a' }, { id: 5, meta: { progressToken: 'p' } });
  (await node.gate.held('a')).ctx.progress(1);
  await exchange.message(0);
  await session.notify('notifications/cancelled', { requestId: 5 });
  const { headers, messages } = await exchange.ended;
  assert.equal(headers['content-type'], 'text/event-stream');
  assert.deepEqual(
    messages.map(({ method, error }) => method ?? error.code),
    ['notifications/progress', -32600],
  );
});

test('a session cannot cancel what another asked for; the first of two with one id is cancelled', async (t) => {
  const { node, session } = await withSession(t);
  const other = await HttpSession.open(node.url);
  const [first, second] = [
    session.tool('hold', { key: 'first' }, { id: 5 }),
    await node.gate.held('first').then(() => session.tool('hold', { key: 'second' }, { id: 5 })),
  ];
  const [held, kept] = [await node.gate.held('first'), await node.gate.held('second')];
  await other.notify('notifications/cancelled', { requestId: 5 });
  assert.equal(held.ctx.signal.aborted, false);
  await session.notify('notifications/cancelled', { requestId: 5 });
  assert.equal((await first.answer()).error.code, -32600);
  assert.equal(kept.ctx.signal.aborted, false);
  kept.release();
  assert.equal((await second.answer()).result.content[0].text, 'released second');
  other.client.close();
});

test('a client that drops its socket cancels a stateless request', async (t) => {
  const node = await startNode(t);
  const client = new HttpClient(node.url);
  const exchange = client.stateless('tools/call', { name: 'hold', arguments: { key: 'a' } });
  const stopped = aborted(await node.gate.held('a'));
  exchange.leave();
  await stopped;
  await noRequests(node);
  client.close();
});

test('a notification cannot cancel a stateless request over HTTP: closing its response does', async (t) => {
  const node = await startNode(t);
  const client = new HttpClient(node.url);
  const exchange = client.stateless('tools/call', { name: 'hold', arguments: { key: 'a' } }, { id: 5 });
  const call = await node.gate.held('a');
  const cancel = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 5 } };
  const { status } = await client.post(cancel, { 'mcp-protocol-version': '2026-07-28' }).ended;
  assert.equal(status, 202);
  assert.equal(call.ctx.signal.aborted, false);
  call.release();
  assert.equal((await exchange.answer()).result.content[0].text, 'released a');
  client.close();
});

test('a client that drops its socket cancels nothing in a session: the work goes on to its end', async (t) => {
  const { node, session } = await withSession(t);
  const exchange = session.tool('hold', { key: 'a' }, { id: 5 });
  const call = await node.gate.held('a');
  const connections = (await nodesAt(node, 'transport_sup/http/connections/HttpConnection')).map(({ pid }) => pid);
  exchange.leave();
  await node.events.until(() => node.events.exits.find(({ pid }) => connections.includes(pid)));
  assert.equal((await session.tool('echo', { text: 'next' }).answer()).error, undefined);
  assert.equal(call.ctx.signal.aborted, false);
  assert.equal((await nodesAt(node, 'server_sup/request_sup/request')).length, 1);
  call.release();
  await noRequests(node);
});

test('the end of a session ends its calls: they are answered, their tools are told', async (t) => {
  const { node, session } = await withSession(t);
  const exchange = session.tool('hold', { key: 'a' }, { id: 5 });
  const stopped = aborted(await node.gate.held('a'));
  assert.equal((await session.end()).status, 204);
  await stopped;
  const { error } = await exchange.answer();
  assert.deepEqual(error, { code: -32600, message: 'the session has ended' });
  assert.equal(node.system.whereis(name(`mcp_session:${session.id}`)), undefined);
});

test('the end of a session whose process has crashed ends its calls too', async (t) => {
  const { node, session } = await withSession(t);
  const exchange = session.tool('hold', { key: 'a' }, { id: 5 });
  const call = await node.gate.held('a');
  const pid = node.system.whereis(name(`mcp_session:${session.id}`));
  assert.ok(pid);
  node.system.exitProcess(pid, 'kill');
  await node.events.culprit(/^session /);
  assert.equal((await session.end()).status, 204);
  const stopped = aborted(call);
  await stopped;
  assert.equal((await exchange.answer()).error.code, -32600);
});

test('a signal that is asked for late tells what has happened', async (t) => {
  const { node, session } = await withSession(t);
  const exchange = session.tool('hold', { key: 'a' }, { id: 5 });
  const call = await node.gate.held('a');
  await session.notify('notifications/cancelled', { requestId: 5 });
  await exchange.ended;
  await noRequests(node);
  assert.equal(call.ctx.signal.aborted, true);
  call.ctx.progress(1); // of no use, and no harm
});

test('a signal stays quiet when its tool has answered', async (t) => {
  const node = await startNode(t);
  const client = new StreamClient(await connectMemory(node.system));
  assert.equal((await client.open()).result.protocolVersion, SESSIONS);
  const answer = client.tool('hold', { key: 'a' }, 1);
  const call = await node.gate.held('a');
  const { signal } = call.ctx;
  call.release();
  await answer;
  await noRequests(node);
  assert.equal(signal.aborted, false);
});
