/** Who may say what when: the rules of both eras, on a stream and over HTTP. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectMemory, type MemoryClient } from '../../../transports/memory.ts';
import {
  envelope,
  HttpClient,
  HttpSession,
  initialize,
  notification,
  request,
  SESSIONS,
  STATELESS,
} from '../../support/mcp-http-client.ts';
import { startNode, type TestNode } from '../../support/mcp-node.ts';
import { StreamClient } from '../../support/mcp-stream-client.ts';
import { echoed } from '../../support/mcp-tools.ts';
import { streams, ways } from '../../support/mcp-ways.ts';
import type { Cleanup } from '../../support/test-system.ts';

interface OnStream extends TestNode {
  readonly link: MemoryClient;
  readonly client: StreamClient;
}

async function onStream(t: Cleanup): Promise<OnStream> {
  const node = await startNode(t);
  const link = await connectMemory(node.system);
  return { ...node, link, client: new StreamClient(link) };
}

async function onHttp(t: Cleanup): Promise<TestNode & { readonly client: HttpClient }> {
  const node = await startNode(t);
  const client = new HttpClient(node.url);
  t.after(() => client.close());
  return { ...node, client };
}

const stateless = (id: unknown, method: string, params: object = {}): object =>
  request(id, method, { ...params, _meta: envelope() });

/** Nothing but what answers these ids has come: each message sent was looked at before the last of them. */
function onlyAnswers(client: StreamClient, ids: readonly unknown[]): void {
  assert.deepEqual(
    client.received.map(({ id }) => id),
    ids,
  );
}

// ---- a stream of the sessions era

test('before initialize a stream may be pinged, and nothing else', async (t) => {
  const { client } = await onStream(t);
  assert.deepEqual(await client.request('ping', undefined, 'p'), { jsonrpc: '2.0', id: 'p', result: {} });
  const refused = await client.request('tools/list', {}, 'l');
  assert.equal(refused.error.code, -32600);
  assert.match(refused.error.message, /initialize/);
  client.notify('notifications/initialized');
  client.notify('notifications/cancelled', { requestId: 'p' });
  await client.request('ping', undefined, 'q');
  onlyAnswers(client, ['p', 'l', 'q']);
});

test('initialize agrees on the revision, and tells who answers and what it can', async (t) => {
  const { client } = await onStream(t);
  const answer = await client.open();
  assert.deepEqual(answer.result, {
    protocolVersion: SESSIONS,
    capabilities: { tools: { listChanged: true }, logging: {} },
    serverInfo: { name: 'test-server', version: '1.0.0' },
  });
  assert.deepEqual((await client.request('ping')).result, {});
  const { result } = await client.request('tools/list');
  assert.equal(result.tools[0].name, 'echo');
});

for (const asked of ['2023-01-01', '2099-01-01', STATELESS]) {
  test(`an initialize that asks for ${asked} is offered ${SESSIONS}`, async (t) => {
    const { client } = await onHttp(t);
    const params = { protocolVersion: asked, capabilities: {}, clientInfo: { name: 'c', version: '1' } };
    const { status, headers, messages } = await client.post(request(1, 'initialize', params)).ended;
    assert.equal(status, 200);
    assert.equal(messages[0].result.protocolVersion, SESSIONS);
    assert.match(String(headers['mcp-session-id']), /^[\x21-\x7e]+$/);
  });
}

test('a wrong initialize opens no session: the stream is as before', async (t) => {
  const { client } = await onStream(t);
  for (const params of [{}, { protocolVersion: 1 }, { protocolVersion: SESSIONS, capabilities: {} }]) {
    assert.equal((await client.request('initialize', params)).error.code, -32602, JSON.stringify(params));
  }
  assert.equal((await client.request('tools/list')).error.code, -32600);
  assert.equal((await client.open()).result.protocolVersion, SESSIONS);
});

test('a second initialize on a stream is refused, and the session goes on', async (t) => {
  const { client } = await onStream(t);
  await client.open();
  client.send(initialize('again'));
  const refused = await client.answer('again');
  assert.equal(refused.error.code, -32600);
  assert.match(refused.error.message, /session already/);
  assert.match((await client.tool('echo', { text: 'on' }, 9)).result.content[0].text, /^on, said to test in \S+ as 9$/);
});

test('a stream that has a session has no stateless requests', async (t) => {
  const { client } = await onStream(t);
  await client.open();
  client.send(stateless('s', 'tools/call', { name: 'whoami' }));
  const answer = await client.answer('s');
  assert.equal(answer.result.structuredContent.era, 'sessions', JSON.stringify(answer));
});

// ---- a stateless stream

test('a stateless request pins the stream: no initialize, and no request without envelope after it', async (t) => {
  const { client } = await onStream(t);
  client.send(stateless('a', 'tools/list'));
  assert.equal((await client.answer('a')).result.tools[0].name, 'echo');
  client.send(initialize('b'));
  const refused = await client.answer('b');
  assert.equal(refused.error.code, -32022);
  assert.deepEqual(refused.error.data, {
    supported: [STATELESS, SESSIONS, '2025-06-18', '2025-03-26', '2024-11-05'],
    requested: SESSIONS,
  });
  assert.equal((await client.request('tools/list', {}, 'c')).error.code, -32602);
  client.send(stateless('d', 'ping'));
  assert.equal((await client.answer('d')).error.code, -32601, 'this revision has no ping');
});

test('server/discover decides nothing: the stream may still open a session', async (t) => {
  const { client } = await onStream(t);
  client.send(stateless('a', 'server/discover'));
  const { result } = await client.answer('a');
  assert.deepEqual(result.supportedVersions, [STATELESS, SESSIONS, '2025-06-18', '2025-03-26', '2024-11-05']);
  assert.equal(result.resultType, 'complete');
  assert.equal((await client.open()).result.protocolVersion, SESSIONS);
});

test('a stateless request of a version that is not served is told which are', async (t) => {
  const { client } = await onStream(t);
  const meta = { 'io.modelcontextprotocol/protocolVersion': '2030-01-01' };
  client.send(request(1, 'tools/list', { _meta: meta }));
  const { error } = await client.answer(1);
  assert.equal(error.code, -32022);
  assert.deepEqual(error.data, {
    supported: [STATELESS, SESSIONS, '2025-06-18', '2025-03-26', '2024-11-05'],
    requested: '2030-01-01',
  });
});

// ---- over HTTP

test('a request without a session is told to open one', async (t) => {
  const { client } = await onHttp(t);
  const { status, messages } = await client.post(request(5, 'tools/list')).ended;
  assert.equal(status, 400);
  assert.equal(messages[0].id, 5);
  assert.match(messages[0].error.message, /Mcp-Session-Id header is missing: open a session with initialize/);
});

test('a notification is answered 202 without a body, a response too', async (t) => {
  const { url, client } = await onHttp(t);
  const session = await HttpSession.open(url);
  for (const body of [
    notification('notifications/initialized'),
    notification('notifications/roots/list_changed'),
    notification('notifications/cancelled', { requestId: 'never sent' }),
    notification('notifications/cancelled', { requestId: { odd: true } }),
    notification('notifications/cancelled'),
    { jsonrpc: '2.0', id: 77, result: {} },
    { jsonrpc: '2.0', id: 77, error: { code: 1, message: 'no' } },
  ]) {
    const { status, messages } = await client.post(body, session.headers).ended;
    assert.deepEqual([status, messages], [202, []], JSON.stringify(body));
  }
  session.client.close();
});

test('GET listens to the session, DELETE ends it and what listens', async (t) => {
  const { url, client } = await onHttp(t);
  const session = await HttpSession.open(url);
  const listening = client.exchange('GET', undefined, session.headers);
  assert.equal((await listening.opened).headers['content-type'], 'text/event-stream');
  assert.deepEqual(await session.end().then(({ status, messages }) => [status, messages]), [204, []]);
  for (const again of [session.end(), session.request('tools/list').ended, session.notify('notifications/initialized')])
    assert.equal((await again).status, 404);
  assert.deepEqual((await listening.ended).messages, []);
  assert.equal((await client.exchange('GET', undefined, session.headers).ended).status, 404);
  assert.equal((await client.exchange('GET').ended).status, 400);
  assert.equal((await client.exchange('DELETE').ended).status, 400);
  session.client.close();
});

test('sessions have nothing of each other, and an initialize opens a new one whatever its headers say', async (t) => {
  const { url, client } = await onHttp(t);
  const [a, b] = [await HttpSession.open(url), await HttpSession.open(url)];
  assert.notEqual(a.id, b.id);
  const reopened = await client.post(initialize(), a.headers).ended;
  assert.equal(reopened.status, 200);
  assert.notEqual(reopened.headers['mcp-session-id'], a.id);
  await a.end();
  assert.equal((await b.tool('echo', { text: 'b' }, { id: 1 }).answer()).id, 1);
  for (const session of [a, b]) session.client.close();
});

test('a session id that cannot be one is refused, an unknown one is not found', async (t) => {
  const { url, client } = await onHttp(t);
  const statusOf = async (id: string): Promise<number> => {
    const { status, messages } = await client.post(request(1, 'tools/list'), { 'mcp-session-id': id }).ended;
    assert.equal(messages[0].id, 1);
    return status;
  };
  assert.equal(await statusOf('no such session'), 400);
  assert.equal(await statusOf('x'.repeat(257)), 400);
  for (const id of ['unknown', '__proto__', 'constructor', 'x'.repeat(256)]) assert.equal(await statusOf(id), 404, id);
  const session = await HttpSession.open(url);
  const odd = { ...session.headers, 'mcp-protocol-version': '2030-01-01' };
  const refused = await client.post(request(1, 'tools/list'), odd).ended;
  assert.deepEqual([refused.status, refused.messages[0].error.code], [400, -32022]);
  session.client.close();
});

test('the headers of a stateless request must say what its body says', async (t) => {
  const { client } = await onHttp(t);
  const params = { name: 'echo', arguments: { text: 'x' } };
  const codeOf = async (headers: Record<string, string>): Promise<unknown[]> => {
    const { status, messages } = await client.stateless('tools/call', params, { headers }).ended;
    return [status, messages[0].error?.code ?? messages[0].result.content[0].text];
  };
  assert.deepEqual(await codeOf({}), [200, echoed('x', 'test', undefined, 1)]);
  assert.deepEqual(await codeOf({ 'mcp-method': 'tools/list' }), [400, -32020]);
  assert.deepEqual(await codeOf({ 'mcp-name': 'add' }), [400, -32020]);
  assert.deepEqual(await codeOf({ 'mcp-protocol-version': SESSIONS }), [400, -32020]);
  const bare = await client.post(stateless(1, 'tools/list')).ended;
  assert.deepEqual([bare.status, bare.messages[0].error.code], [400, -32020]);
});

// ---- messages that are none

test('what is no message is refused with the id if there is one, and the connection goes on', async (t) => {
  const { client, url } = await onHttp(t);
  const session = await HttpSession.open(url);
  const refusals: [object | string, number, unknown][] = [
    ['{"jsonrpc":"2.0","id":1,', -32700, undefined],
    ['42', -32600, undefined],
    ['null', -32600, undefined],
    [{ id: 3, method: 'ping' }, -32600, 3],
    [{ jsonrpc: '2.0', id: 4, method: 5 }, -32600, 4],
    [{ jsonrpc: '2.0', id: 6 }, -32600, 6],
    [[], -32600, undefined],
    [[request(1, 'ping'), request(2, 'ping')], -32600, undefined],
    [`${'['.repeat(200)}${']'.repeat(200)}`, -32600, undefined],
  ];
  for (const [body, code, id] of refusals) {
    const { status, messages } = await client.post(body, session.headers).ended;
    assert.deepEqual([status, messages[0].error.code, messages[0].id], [400, code, id], JSON.stringify(body));
    assert.equal('id' in messages[0], id !== undefined);
  }
  assert.deepEqual((await session.request('ping').answer()).result, {});
  session.client.close();
});

test('what is no message is refused on a stream too: nobody waits for an answer in vain', async (t) => {
  const { client } = await onStream(t);
  await client.open();
  for (const body of [
    '{"jsonrpc":"2.0","id":1,',
    '42',
    [request(1, 'ping'), request(2, 'ping')],
    { id: 3, method: 'x' },
  ])
    client.send(body);
  assert.deepEqual((await client.request('ping', undefined, 'last')).result, {});
  assert.deepEqual(
    client.received.slice(1, -1).map(({ id, error }) => [id, error.code]),
    [
      [undefined, -32700],
      [undefined, -32600],
      [undefined, -32600],
      [3, -32600],
    ],
  );
});

// ---- ids

for (const way of ways) {
  test(`ids of every kind come back as they were: ${way.name}`, async (t) => {
    const node = await startNode(t);
    const caller = await way.open(node);
    const ids = [0, -1, 1, '1', '', 'x'.repeat(256), Number.MAX_SAFE_INTEGER, '__proto__', 'constructor', ' é\u0000'];
    for (const id of ids) {
      const answer = await caller.call('echo', { text: 'id' }, { id }).answer;
      assert.equal(answer.id, id);
      assert.match(answer.result.content[0].text, /^id, said to test/);
    }
    caller.leave();
  });
}

test('an id that could not come back as it was is refused', async (t) => {
  const { client, url } = await onHttp(t);
  const session = await HttpSession.open(url);
  for (const id of ['null', '1.5', 'true', '{}', '[1]', '9007199254740993', `"${'x'.repeat(257)}"`]) {
    const { status, messages } = await client.post(`{"jsonrpc":"2.0","id":${id},"method":"ping"}`, session.headers)
      .ended;
    assert.deepEqual([status, messages[0].error.code, 'id' in messages[0]], [400, -32600, false], id);
  }
  session.client.close();
});

for (const { name, open } of streams) {
  test(`an id in flight cannot be used again on a stream; 1 and "1" are two: ${name}`, async (t) => {
    const node = await startNode(t);
    const { client, meta } = await open(node);
    const text = client.tool('hold', { key: 'text' }, '1', meta);
    const refused = client.tool('hold', { key: 'number' }, 1, meta);
    const [first, second] = [await node.gate.held('number'), await node.gate.held('text')];
    void client.tool('echo', { text: 'twice' }, 1, meta);
    assert.equal((await refused).error.code, -32600);
    assert.match((await refused).error.message, /the id 1 is in flight/);
    second.release('for text');
    assert.equal((await text).result.content[0].text, 'for text');
    first.release('for number');
    const answer = await client.find(({ id, result }) => id === 1 && result !== undefined);
    assert.equal(answer.result.content[0].text, 'for number');
    void client.tool('echo', { text: 'again' }, 1, meta);
    await client.find(({ id, result }) => id === 1 && /^again/.test(result?.content[0].text));
  });
}

for (const way of ways.filter(({ carrier }) => carrier === 'http')) {
  test(`one id in flight twice over HTTP: both are answered, each with its own: ${way.name}`, async (t) => {
    const node = await startNode(t);
    const caller = await way.open(node);
    const calls = ['a', 'b', 'c'].map((key) => caller.call('hold', { key }, { id: 'same' }));
    for (const key of ['c', 'a', 'b']) (await node.gate.held(key)).release(`for ${key}`);
    assert.deepEqual(
      (await Promise.all(calls.map(({ answer }) => answer))).map(({ id, result }) => [id, result.content[0].text]),
      [
        ['same', 'for a'],
        ['same', 'for b'],
        ['same', 'for c'],
      ],
    );
    caller.leave();
  });
}
