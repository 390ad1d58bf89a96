/** Event streams of sessions: what clients that come back are given, and how many streams there may be. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { test } from 'node:test';
import { changeServer, resource, resourceUpdated, text, tool } from '../../../mcp/index.ts';
import { name } from '../../../runtime/index.ts';
import { type Exchange, envelope, HttpClient, HttpSession, request } from '../../support/mcp-http-client.ts';
import { kill, nodesAt, startNode, startSimulatedNode, type TestNode } from '../../support/mcp-node.ts';
import { streams } from '../../support/mcp-ways.ts';

const address = { node: 'mcp', name: 'test' };
let added = 0;

/** One more change of the tools. */
async function change({ system }: TestNode): Promise<void> {
  added += 1;
  const added1 = tool({ description: `d${added}`, input: { type: 'object' } }, () => text(''));
  await changeServer(system, address, { tools: { added: added1 } });
}

const changed = (message: any): boolean => message.method === 'notifications/tools/list_changed';

/** A call whose stream has begun, with the gate to its end. */
async function streaming(node: TestNode, session: HttpSession, key: string, id: unknown): Promise<any> {
  const exchange = session.tool('hold', { key }, { id, meta: { progressToken: key } });
  const held = await node.gate.held(key);
  held.ctx.progress(1);
  await exchange.message(0);
  return { exchange, held };
}

const lastId = ({ events }: Exchange): string => events.findLast(({ id }) => id !== undefined)?.id ?? '';

test('who has lost the stream of a call comes back for the rest of it, and for nothing else', async (t) => {
  const node = await startNode(t, { limits: { progressPauseMs: 1 } });
  const session = await HttpSession.open(node.url);
  const lost = await streaming(node, session, 'lost', 1);
  const other = await streaming(node, session, 'other', 2);
  lost.exchange.leave();
  lost.held.ctx.log('error', 'while it was away');
  const resumed = session.listen(lastId(lost.exchange));
  await resumed.find(({ method }) => method === 'notifications/message');
  lost.held.ctx.log('error', 'when it was back');
  lost.held.release();
  other.held.release();
  const { messages, headers } = await resumed.ended;
  assert.equal(headers['content-type'], 'text/event-stream');
  assert.deepEqual(
    messages.map(({ id, params, result }: any) => result?.content[0].text ?? params.data ?? id),
    ['while it was away', 'when it was back', 'released lost'],
  );
  assert.equal((await other.exchange.answer()).result.content[0].text, 'released other');
  session.client.close();
});

test('a stream that has ended can be read again from any of its events', async (t) => {
  const node = await startNode(t);
  const session = await HttpSession.open(node.url);
  const { exchange, held } = await streaming(node, session, 'a', 'a');
  held.release();
  await exchange.ended;
  const [primer, progress, answer] = exchange.events;
  assert.equal(primer.message, undefined, 'an event to come back to, before anything is said');
  const again = await session.listen(primer.id).ended;
  assert.deepEqual(again.messages, [progress.message, answer.message]);
  assert.deepEqual((await session.listen(progress.id).ended).messages, [answer.message]);
  assert.deepEqual((await session.listen(answer.id).ended).messages, []);
  for (const wrong of ['5-unknown', 'nonsense', 'constructor', `${answer.id}x`, 'x'.repeat(1_000)]) {
    const { status, messages } = await session.listen(wrong).ended;
    assert.deepEqual([status, messages[0].error.code], [400, -32600], wrong);
  }
  const stranger = await HttpSession.open(node.url);
  assert.equal((await stranger.listen(primer.id).ended).status, 400, 'it is of another session');
  for (const { client } of [session, stranger]) client.close();
});

test('a tool sends its client away, which comes back for the answer', async (t) => {
  const node = await startNode(t, { limits: { retryMs: 77 } });
  const session = await HttpSession.open(node.url);
  const exchange = session.tool('hold', { key: 'a' }, { id: 'a' });
  const { ctx, release } = await node.gate.held('a');
  ctx.disconnect();
  const { messages } = await exchange.ended;
  assert.deepEqual(messages, []);
  assert.equal(exchange.events[0]?.retry, '77');
  const back = session.listen(lastId(exchange));
  await back.opened;
  ctx.disconnect(5); // once is enough
  release();
  assert.equal((await back.answer()).result.content[0].text, 'released a');
  session.client.close();
});

for (const version of ['2025-06-18', '2024-11-05', '2026-07-28']) {
  test(`nobody is sent away who could not come back: ${version}`, async (t) => {
    const node = await startNode(t);
    const client = new HttpClient(node.url);
    const stateless = version === '2026-07-28';
    const headers: Record<string, string> = stateless
      ? { 'mcp-protocol-version': version, 'mcp-method': 'tools/call', 'mcp-name': 'hold' }
      : { 'mcp-session-id': await opened(client, version) };
    const params = { name: 'hold', arguments: { key: 'a' }, ...(stateless ? { _meta: envelope() } : {}) };
    const exchange = client.post(request(1, 'tools/call', params), headers);
    const { ctx, release } = await node.gate.held('a');
    ctx.disconnect(1);
    release();
    const { messages, headers: got } = await exchange.ended;
    assert.equal(got['content-type'], 'application/json');
    assert.equal(messages[0].result.content[0].text, 'released a');
    client.close();
  });
}

async function opened(client: HttpClient, protocolVersion: string): Promise<string> {
  const params = { protocolVersion, capabilities: {}, clientInfo: { name: 'c', version: '1' } };
  return String((await client.post(request(0, 'initialize', params)).ended).headers['mcp-session-id']);
}

test('a call that dies while its client is away is answered when it is back', async (t) => {
  const node = await startNode(t);
  const session = await HttpSession.open(node.url);
  const exchange = session.tool('hold', { key: 'a' }, { id: 'a' });
  const { ctx } = await node.gate.held('a');
  ctx.disconnect();
  await exchange.ended;
  await kill(node, node.system.whereis(name(`mcp_session:${session.id}`))!);
  const [running] = await nodesAt(node, 'server_sup/request_sup/request');
  await kill(node, running?.pid as never);
  const back = await session.listen(lastId(exchange)).answer();
  assert.equal(back.id, 'a');
  assert.match(back.error.message, /the request failed: killed/);
  session.client.close();
});

test('what a session has to say waits for who listens next, and is said again from an event on', async (t) => {
  const node = await startNode(t);
  const session = await HttpSession.open(node.url);
  await change(node);
  await change(node);
  const first = session.listen();
  await first.find(changed);
  await change(node);
  await first.find(() => first.messages.length === 2);
  assert.equal(first.messages.length, 2, 'two that said the same while nobody listened are one');
  const [, event] = first.events;
  first.leave();
  await change(node);
  const resumed = session.listen(event?.id);
  await resumed.find(() => resumed.messages.length === 2);
  assert.ok(resumed.messages.every(changed));
  session.client.close();
});

test('of several event streams of a session the newest gets each message; there is a bound on them', async (t) => {
  const node = await startNode(t, { limits: { sessionStreamsMax: 2 } });
  const session = await HttpSession.open(node.url);
  const [older, newer] = [session.listen(), session.listen()];
  await Promise.all([older.opened, newer.opened]);
  const refused = await session.listen().ended;
  assert.deepEqual([refused.status, refused.messages[0].error.code], [409, -32600]);
  await change(node);
  const exchange = await Promise.race([older.find(changed), newer.find(changed)]);
  assert.ok(changed(exchange));
  assert.equal(older.messages.length + newer.messages.length, 1);
  session.client.close();
});

test('a session that somebody listens to is not idle, one that nobody does is', async (t) => {
  const node = await startSimulatedNode(t, { limits: { sessionIdleMs: 1_000 } });
  const session = await HttpSession.open(node.url);
  const listening = session.listen();
  await listening.opened;
  await node.clock.advance(5_000);
  assert.equal((await session.request('ping').ended).status, 200);
  listening.leave();
  const gone = async (): Promise<boolean> => {
    await node.clock.advance(2_000);
    return (await nodesAt(node, 'server_sup/session_sup/session')).length === 0;
  };
  while (!(await gone())) await session.client.exchange('DELETE').ended; // until the server has seen it leave
  assert.equal((await session.request('ping').ended).status, 404);
  session.client.close();
});

test('at a stop, streams of sessions end, and listening clients are told that nothing more will come', async (t) => {
  const node = await startNode(t);
  const session = await HttpSession.open(node.url);
  const listening = session.listen();
  await listening.opened;
  const client = new HttpClient(node.url);
  const params = { notifications: { toolsListChanged: true } };
  const stateless = client.stateless('subscriptions/listen', params, { id: 'l' });
  await stateless.message(0);
  const stream = await streams[1]!.open(node);
  stream.client.send(request('s', 'subscriptions/listen', { ...params, _meta: stream.meta }));
  await stream.client.message(0);
  const stopped = node.system.stop();
  assert.deepEqual((await listening.ended).messages, []);
  const last = (await stateless.ended).messages.at(-1);
  assert.deepEqual([last.id, last.result.resultType], ['l', 'complete']);
  assert.equal(last.result._meta['io.modelcontextprotocol/subscriptionId'], 'l');
  assert.equal((await stream.client.answer('s')).result.resultType, 'complete');
  await stopped;
  session.client.close();
  client.close();
});

test('a listen on a stream ends when it is cancelled, without an answer', async (t) => {
  const node = await startNode(t);
  const { client, link, meta } = await streams[1]!.open(node);
  client.send(request('s', 'subscriptions/listen', { notifications: { toolsListChanged: true }, _meta: meta }));
  await client.message(0);
  client.notify('notifications/cancelled', { requestId: 's' });
  await client.request('server/discover', { _meta: meta }, 'd');
  await change(node);
  await client.request('server/discover', { _meta: meta }, 'e');
  assert.deepEqual(
    client.received.map(({ id, method }) => id ?? method),
    ['notifications/subscriptions/acknowledged', 'd', 'e'],
  );
  assert.equal(node.system.table('mcp_listens')?.size, 0);
  link.close();
});

test('a listen over HTTP ends when its client leaves; there is a bound on them, and on their resources', async (t) => {
  const node = await startNode(t, { limits: { listensMax: 1, subscriptionsMax: 2 } });
  const client = new HttpClient(node.url);
  const listen = (notifications: object): Exchange => client.stateless('subscriptions/listen', { notifications });
  const first = listen({ toolsListChanged: true });
  await first.message(0);
  const refused = await listen({}).ended;
  assert.deepEqual([refused.status, refused.messages[0].error.code], [503, -32603]);
  first.leave();
  while ((node.system.table('mcp_listens')?.size ?? 0) > 0) await client.stateless('server/discover').ended;
  await changeServer(node.system, address, { resources: { 'a://1': resource({}, () => '') } });
  const many = (await listen({ resourceSubscriptions: ['a://1', 'a://2', 'a://3'] }).ended).messages[0];
  assert.match(many.error.message, /resourceSubscriptions may have 2 URIs, not 3/);
  for (const wrong of [{ toolsListChanged: 1 }, { resourceSubscriptions: 'a' }, { resourceSubscriptions: [1] }]) {
    assert.equal((await listen(wrong).answer()).error.code, -32602);
  }
  client.close();
});

test('who does not read its event stream is disconnected; its session and others go on', async (t) => {
  const node = await startNode(t);
  const uri = `a://${'x'.repeat(60_000)}`;
  await changeServer(node.system, address, { resources: { [uri]: resource({}, () => '') } });
  const session = await HttpSession.open(node.url);
  await session.request('resources/subscribe', { uri }).ended;
  const unread = http.get(node.url, { headers: { ...session.headers, accept: 'text/event-stream' } });
  await once(unread, 'response'); // and nobody takes what comes
  const reason = node.events.until(() =>
    node.events.exits.find(({ reason: why }) => JSON.stringify(why)?.includes('slow_reader')),
  );
  let updates = 0;
  for (let over = false; !over; ) {
    for (let n = 0; n < 50; n++) resourceUpdated(node.system, address, uri);
    updates += 50;
    over = await Promise.race([reason.then(() => true), session.request('ping').ended.then(() => false)]);
    assert.ok(updates < 5_000, 'it was never disconnected');
  }
  unread.destroy();
  assert.deepEqual((await session.request('ping').answer()).result, {});
  const again = session.listen();
  await again.opened;
  resourceUpdated(node.system, address, uri);
  assert.equal((await again.find(({ method }) => method === 'notifications/resources/updated')).params.uri, uri);
  session.client.close();
});
