/** How long sessions last, how many there may be, and what comes back of one whose process has crashed. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { name } from '../../../runtime/index.ts';
import type { SimulatedClock } from '../../../runtime/testing.ts';
import { connectMemory } from '../../../transports/memory.ts';
import { type Answer, HttpClient, HttpSession, initialize } from '../../support/mcp-http-client.ts';
import { kill, killAt, nodesAt, startSimulatedNode, type TestNode } from '../../support/mcp-node.ts';
import { StreamClient } from '../../support/mcp-stream-client.ts';
import type { Cleanup } from '../../support/test-system.ts';

const IDLE_MS = 10_000;

interface Scene {
  readonly node: TestNode;
  readonly clock: SimulatedClock;
  readonly session: HttpSession;
}

async function withSession(t: Cleanup, limits = {}): Promise<Scene> {
  const { clock, ...node } = await startSimulatedNode(t, { limits: { sessionIdleMs: IDLE_MS, ...limits } });
  const session = await HttpSession.open(node.url, { roots: { listChanged: true } });
  t.after(() => session.client.close());
  return { node, clock, session };
}

const isOpen = async (session: HttpSession): Promise<boolean> => {
  const { status, messages } = await session.request('ping').ended;
  if (status === 200) return true;
  assert.equal(status, 404);
  assert.match(messages[0].error.message, /no such session: open one with initialize/);
  return false;
};

async function crash({ node, session }: Scene): Promise<void> {
  const pid = node.system.whereis(name(`mcp_session:${session.id}`));
  assert.ok(pid);
  await kill(node, pid);
}

// ---- idle sessions

test('a session that nobody uses ends after its idle time', async (t) => {
  const { node, clock, session } = await withSession(t);
  await clock.advance(IDLE_MS - 1);
  assert.equal((await nodesAt(node, 'server_sup/session_sup/session')).length, 1);
  await clock.advance(1);
  assert.equal((await nodesAt(node, 'server_sup/session_sup/session')).length, 0);
  assert.equal(await isOpen(session), false);
  assert.deepEqual(node.events.crashes, [], 'that is no crash');
});

test('every message of a session gives it its whole idle time again', async (t) => {
  const { clock, session } = await withSession(t);
  await clock.advance(IDLE_MS - 1);
  assert.equal(await isOpen(session), true);
  await clock.advance(IDLE_MS - 1);
  await session.notify('notifications/initialized');
  await clock.advance(IDLE_MS - 1);
  assert.equal(await isOpen(session), true);
  await clock.advance(IDLE_MS);
  assert.equal(await isOpen(session), false);
});

test('a session with a call in flight is not idle', async (t) => {
  const { node, clock, session } = await withSession(t, { requestTimeoutMs: 10 * IDLE_MS });
  const exchange = session.tool('hold', { key: 'a' });
  const call = await node.gate.held('a');
  await clock.advance(3 * IDLE_MS);
  call.release();
  const answer = await exchange.answer();
  assert.equal(answer.result?.content[0].text, 'released a', JSON.stringify(answer));
  assert.equal(await isOpen(session), true);
});

test('a session with a call in flight is not idle when it had to be restored either', async (t) => {
  const scene = await withSession(t, { requestTimeoutMs: 10 * IDLE_MS });
  const { node, clock, session } = scene;
  const exchange = session.tool('hold', { key: 'a' });
  const call = await node.gate.held('a');
  await crash(scene);
  await clock.advance(3 * IDLE_MS);
  call.release();
  const answer = await exchange.answer();
  assert.equal(answer.result?.content[0].text, 'released a', JSON.stringify(answer));
  await clock.advance(IDLE_MS - 1);
  assert.equal(await isOpen(session), true, 'its idle time began with the end of the call');
  await clock.advance(IDLE_MS);
  assert.equal(await isOpen(session), false);
});

for (const path of ['server_sup/request_sup', 'server_sup/request_sup/request'] as const) {
  test(`a session whose call was lost with ${path} is idle again`, async (t) => {
    const { node, clock, session } = await withSession(t, { requestTimeoutMs: 10 * IDLE_MS });
    const exchange = session.tool('hold', { key: 'a' });
    await node.gate.held('a');
    await killAt(node, path);
    assert.equal((await exchange.answer()).error.code, -32603);
    await clock.advance(2 * IDLE_MS);
    assert.equal(await isOpen(session), false);
  });
}

test('the time of a call counts from its end: a session is idle its whole idle time after it', async (t) => {
  const { node, clock, session } = await withSession(t, { requestTimeoutMs: 10 * IDLE_MS });
  const exchange = session.tool('hold', { key: 'a' });
  const call = await node.gate.held('a');
  await clock.advance(1.5 * IDLE_MS);
  call.release();
  await exchange.ended;
  await clock.advance(IDLE_MS - 1);
  assert.equal((await nodesAt(node, 'server_sup/session_sup/session')).length, 1);
  await clock.advance(1);
  assert.equal((await nodesAt(node, 'server_sup/session_sup/session')).length, 0);
});

test('a session whose process has crashed ends after its idle time as well, and not before', async (t) => {
  const scene = await withSession(t);
  const { node, clock, session } = scene;
  await clock.advance(IDLE_MS / 2);
  await crash(scene);
  await clock.advance(IDLE_MS / 2);
  assert.equal(await isOpen(session), true, 'it came back');
  await crash(scene);
  await clock.advance(IDLE_MS - 1);
  assert.equal(await isOpen(session), true, 'the second crash begins a new idle time');
  await crash(scene);
  await clock.advance(IDLE_MS);
  assert.equal(node.system.table<string, unknown>('mcp_sessions')?.size, 0, 'its record has gone');
  assert.equal(await isOpen(session), false);
});

test('sessions whose process and manager have crashed are not kept for ever', async (t) => {
  const scene = await withSession(t);
  const { node, clock, session } = scene;
  await crash(scene);
  await kill(node, node.system.whereis(name('mcp_session_manager'))!);
  await clock.advance(IDLE_MS);
  assert.equal(node.system.table<string, unknown>('mcp_sessions')?.size, 0);
  assert.equal(await isOpen(session), false);
});

// ---- how many

test('one session more than sessionsMax is refused with 503; when one has ended there is room again', async (t) => {
  const { node, session } = await withSession(t, { sessionsMax: 3 });
  const others = [await HttpSession.open(node.url), await HttpSession.open(node.url)];
  const client = new HttpClient(node.url);
  const open = (): Promise<Answer> => client.post(initialize('one more')).ended;
  const { status, headers, messages } = await open();
  assert.equal(status, 503);
  assert.equal(headers['mcp-session-id'], undefined);
  assert.equal(messages[0].id, 'one more');
  assert.equal(messages[0].error.code, -32603);
  assert.match(messages[0].error.message, /too_many_sessions/);
  assert.equal(await isOpen(session), true);
  await others[0]!.end();
  assert.equal((await open()).status, 200);
  assert.equal((await open()).status, 503);
  for (const each of [client, ...others.map((other) => other.client)]) each.close();
});

test('sessions of streams count too, and a refused stream may try again', async (t) => {
  const { node, session } = await withSession(t, { sessionsMax: 1 });
  const client = new StreamClient(await connectMemory(node.system));
  assert.equal((await client.open()).error.code, -32603);
  assert.equal((await client.request('ping')).error, undefined);
  await session.end();
  client.send(initialize('again'));
  assert.equal((await client.answer('again')).error, undefined);
});

test('stateless requests need no session and are not counted', async (t) => {
  const { node } = await withSession(t, { sessionsMax: 1 });
  const client = new HttpClient(node.url);
  const answer = await client.stateless('tools/call', { name: 'whoami' }).answer();
  assert.equal(answer.result.structuredContent.session, null);
  client.close();
});

// ---- what comes back

test('a session that is restored after a crash keeps its id and the capabilities of its client', async (t) => {
  const scene = await withSession(t);
  const { node, session } = scene;
  const who = async (): Promise<unknown> => (await session.tool('whoami').answer()).result.structuredContent;
  const before = await who();
  assert.deepEqual(before, { era: 'sessions', capabilities: { roots: { listChanged: true } }, session: session.id });
  await crash(scene);
  assert.deepEqual(await who(), before);
  await crash(scene);
  await kill(node, node.system.whereis(name('mcp_session_store'))!);
  assert.deepEqual(await who(), before);
});

test('a notification brings a crashed session back as well; DELETE ends it without', async (t) => {
  const scene = await withSession(t);
  const { node, session } = scene;
  await crash(scene);
  assert.equal((await session.notify('notifications/initialized')).status, 202);
  assert.ok(node.system.whereis(name(`mcp_session:${session.id}`)));
  await crash(scene);
  assert.equal((await session.end()).status, 204);
  assert.equal(await isOpen(session), false);
  assert.equal((await nodesAt(node, 'server_sup/session_sup/session')).length, 0);
});

test('the session of a stream comes back after a crash, and ends with the stream', async (t) => {
  const { node } = await withSession(t);
  const link = await connectMemory(node.system);
  const client = new StreamClient(link);
  await client.open();
  const [sessionId] = [...(node.system.table<string, unknown>('mcp_sessions')?.entries() ?? [])].at(-1)!;
  const pid = node.system.whereis(name(`mcp_session:${sessionId}`));
  assert.ok(pid);
  await kill(node, pid);
  assert.equal((await client.tool('whoami')).result.structuredContent.session, sessionId);
  link.close();
  await link.closed;
  assert.equal(node.system.table<string, unknown>('mcp_sessions')?.has(sessionId), false);
});

test('the session of a stream whose connection is killed ends with it', async (t) => {
  const { node, session } = await withSession(t);
  const link = await connectMemory(node.system);
  const client = new StreamClient(link);
  await client.open();
  assert.equal(node.system.table<string, unknown>('mcp_sessions')?.size, 2);
  const [connection] = await nodesAt(node, 'transport_sup/memory/connections/MemoryConnection');
  assert.ok(typeof connection?.pid === 'object');
  await kill(node, connection.pid);
  for (;;) {
    const changed = node.events.next();
    if ((await nodesAt(node, 'server_sup/session_sup/session')).length === 1) break;
    await changed;
  }
  assert.equal(node.system.table<string, unknown>('mcp_sessions')?.size, 1);
  assert.equal(await isOpen(session), true);
});
