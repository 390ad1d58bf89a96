/** What belongs to one principal: sessions, streams, tasks, states of requests, and how much of each it may have. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { McpLimits } from '../../../mcp/index.ts';
import { simulatedClock } from '../../../runtime/testing.ts';
import { HttpClient, HttpSession } from '../../support/mcp-http-client.ts';
import { type ProtectedNode, type ProtectedOptions, startProtectedNode } from '../../support/protected-node.ts';
import server from '../../support/protected-server.ts';

const said = (answer: any): any => JSON.parse(answer.result.content[0].text);
const tasks = { extensions: { 'io.modelcontextprotocol/tasks': {} } };

/** Opaque tokens: `alice`, or `alice@client`, or `alice+ms` for one that ends so much later than the clock began. */
async function start(
  t: TestContext,
  limits: Partial<McpLimits> = {},
  more: Partial<ProtectedOptions> = {},
): Promise<ProtectedNode & { as(who: string): HttpClient }> {
  let beganMs: number | undefined;
  const node = await startProtectedNode(t, {
    server,
    limits,
    authorization: {
      verify: (token, { nowMs }) => {
        beganMs ??= nowMs;
        const [who = '', ms] = token.split('+');
        const [subject = '', clientId] = who.split('~');
        const expiresAt = ms === undefined ? {} : { expiresAt: beganMs + Number(ms) };
        return { subject, scopes: [], ...(clientId === undefined ? {} : { clientId }), ...expiresAt };
      },
    },
    ...more,
  });
  const as = (who: string): HttpClient => {
    const client = new HttpClient(node.url, header(who));
    t.after(() => client.close());
    return client;
  };
  return { ...node, as };
}

const header = (who: string): Record<string, string> => ({ authorization: `Bearer ${who}` });

test('the session of one principal is there for nobody else: 404, as if it had never been', async (t) => {
  const { url } = await start(t);
  const session = await HttpSession.open(url, {}, header('alice~app'));
  t.after(() => session.client.close());
  for (const thief of ['bob', 'bob~app', 'alice', 'alice~other']) {
    const other = HttpSession.named(url, session.id, header(thief));
    const missing = HttpSession.named(url, 'no-such-session', header(thief));
    for (const ask of [
      (of: HttpSession) => of.tool('whoami').ended,
      (of: HttpSession) => of.request('ping').ended,
      (of: HttpSession) => of.listen().ended,
      (of: HttpSession) => of.end(),
      (of: HttpSession) => of.notify('notifications/cancelled', { requestId: 1 }),
    ]) {
      const [stolen, unknown] = [await ask(other), await ask(missing)];
      assert.equal(stolen.status, 404);
      assert.deepEqual(stolen.messages, unknown.messages);
    }
    other.client.close();
    missing.client.close();
  }
  // Another token of the same principal is as good as the first.
  const again = HttpSession.named(url, session.id, header('alice~app+99999999'));
  assert.equal(said(await again.tool('whoami').answer()).principal.subject, 'alice');
  assert.equal((await session.end()).status, 204);
  again.client.close();
});

test('a task is there for its principal alone', async (t) => {
  const { as } = await start(t);
  const [alice, bob] = [as('alice'), as('bob')];
  const ask = (client: HttpClient, method: string, params: object): Promise<any> =>
    client.stateless(method, params, { capabilities: tasks }).answer();
  const { taskId } = (await ask(alice, 'tools/call', { name: 'endless' })).result;
  for (const [method, params] of [
    ['tasks/get', {}],
    ['tasks/update', { inputResponses: {} }],
    ['tasks/cancel', {}],
  ] as const) {
    const stolen = await ask(bob, method, { taskId, ...params });
    assert.equal(stolen.error.code, -32602, method);
    assert.match(stolen.error.message, /there is no task/);
  }
  const listen = bob.stateless(
    'subscriptions/listen',
    { notifications: { taskIds: [taskId] } },
    { capabilities: tasks },
  );
  assert.deepEqual((await listen.message(0)).params.notifications, { taskIds: [] });
  listen.leave();
  assert.equal((await ask(alice, 'tasks/get', { taskId })).result.status, 'working');
  assert.equal((await ask(alice, 'tasks/cancel', { taskId })).error, undefined);
  const done = (await ask(alice, 'tools/call', { name: 'later' })).result;
  let record: any;
  do record = (await ask(alice, 'tasks/get', { taskId: done.taskId })).result;
  while (record.status === 'working');
  assert.equal(said(record).principal.subject, 'alice');
});

test('what a client carries for a request is good for its principal alone', async (t) => {
  const { as } = await start(t);
  const capabilities = { elicitation: {} };
  const asked = await as('alice').stateless('tools/call', { name: 'ask' }, { capabilities }).answer();
  const { requestState } = asked.result;
  const inputResponses = { word: { action: 'accept', content: { word: 'x' } } };
  const params = { name: 'ask', requestState, inputResponses };
  const stolen = await as('bob').stateless('tools/call', params, { capabilities }).answer();
  assert.match(stolen.error.message, /requestState is none/);
  const answered = await as('alice').stateless('tools/call', params, { capabilities }).answer();
  assert.deepEqual(said(answered), { ...inputResponses.word, subject: 'alice' });
});

test('a principal may have so many requests at work: others go on, and each that ends makes room', async (t) => {
  const { as, events } = await start(t, { principalRequestsMax: 2 });
  const [alice, again, bob] = [as('alice'), as('alice'), as('bob')];
  const begun = (): number => events.starts.filter(({ initialCall }) => initialCall.includes('Request')).length;
  const held = [alice.stateless('tools/call', { name: 'hold' }), again.stateless('tools/call', { name: 'hold' })];
  await events.until(() => (begun() >= 2 ? true : undefined));
  const { status, messages } = await alice.stateless('tools/call', { name: 'whoami' }).ended;
  assert.equal(status, 429);
  assert.deepEqual(messages[0].error.data, { reason: 'too_many', limit: 'principalRequestsMax', max: 2 });
  assert.equal((await alice.stateless('tools/list').ended).status, 200, 'a table read is no work');
  assert.equal((await bob.stateless('tools/call', { name: 'whoami' }).ended).status, 200);
  const gone = events.until(() => {
    const ended = events.exits.find(({ label }) => label?.includes('tools/call hold'));
    return ended === undefined ? undefined : true;
  });
  held[0]!.leave();
  await gone;
  assert.equal((await again.stateless('tools/call', { name: 'whoami' }).ended).status, 200);
  held[1]!.leave();
});

test('a principal may have so many sessions, tasks and subscriptions', async (t) => {
  const limits = { principalSessionsMax: 1, principalTasksMax: 1, principalListensMax: 1 };
  const { as, url } = await start(t, limits);
  const alice = as('alice');
  const refused = async (ended: Promise<any>, limit: string): Promise<void> => {
    const { status, messages } = await ended;
    assert.deepEqual([status, messages[0].error.data], [429, { reason: 'too_many', limit, max: 1 }]);
  };
  const opening = {
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'a', version: '1' } },
  };
  const session = await HttpSession.open(url, {}, header('alice'));
  await refused(alice.post(opening).ended, 'principalSessionsMax');
  assert.equal((await session.end()).status, 204);
  assert.equal((await alice.post(opening).ended).status, 200);
  const call = () => alice.stateless('tools/call', { name: 'endless' }, { capabilities: tasks }).ended;
  assert.equal((await call()).status, 200);
  await refused(call(), 'principalTasksMax');
  const listen = () => alice.stateless('subscriptions/listen', { notifications: { toolsListChanged: true } });
  const first = listen();
  await first.message(0);
  await refused(listen().ended, 'principalListensMax');
  for (const client of [as('bob')]) {
    assert.equal((await client.post(opening).ended).status, 200);
    assert.equal(
      (await client.stateless('tools/call', { name: 'endless' }, { capabilities: tasks }).ended).status,
      200,
    );
    const other = client.stateless('subscriptions/listen', { notifications: { toolsListChanged: true } });
    await other.message(0);
    other.leave();
  }
  first.leave();
  session.client.close();
});

test('streams end with their token; a request that has begun goes on; the next one needs another', async (t) => {
  const clock = simulatedClock();
  const { as, url, events } = await start(t, { requestTimeoutMs: 600_000 }, { clock });
  const client = as('alice+60000');
  const listen = client.stateless('subscriptions/listen', { notifications: { toolsListChanged: true } }, { id: 'l' });
  await listen.message(0);
  const session = await HttpSession.open(url, {}, header('alice+60000'));
  const stream = session.listen();
  await stream.opened;
  const held = client.stateless('tools/call', { name: 'hold' }, { id: 'held' });
  await events.until(() => events.starts.find(({ initialCall }) => initialCall.includes('Request')));
  await clock.advance(59_999);
  assert.equal((await client.stateless('tools/call', { name: 'whoami' }).ended).status, 200);
  await clock.advance(2);
  const { messages } = await listen.ended;
  assert.deepEqual([messages.at(-1).id, messages.at(-1).result.resultType], ['l', 'complete']);
  assert.equal((await stream.ended).status, 200);
  const refused = await client.stateless('tools/call', { name: 'whoami' }).ended;
  assert.equal(refused.status, 401);
  assert.match(
    refused.headers['www-authenticate']!,
    /error="invalid_token", error_description="the token has expired"/,
  );
  assert.equal(held.messages.length, 0);
  held.leave();
  session.client.close();
});

test('what was verified is looked at again after tokenFreshMs: a revocation is noticed then', async (t) => {
  const clock = simulatedClock();
  let revoked = false;
  const verify = (token: string): { subject: string; scopes: string[] } => {
    if (revoked) throw new Error('unreachable here');
    return { subject: token, scopes: [] };
  };
  const { as } = await start(t, { tokenFreshMs: 1_000 }, { clock, authorization: { verify } });
  const client = as('alice');
  const status = async (): Promise<number> => (await client.stateless('server/discover').ended).status;
  assert.equal(await status(), 200);
  revoked = true;
  await clock.advance(999);
  assert.equal(await status(), 200);
  await clock.advance(2);
  assert.equal(await status(), 503);
});
