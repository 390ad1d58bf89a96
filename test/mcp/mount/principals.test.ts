/** Mounted servers behind tokens: they learn who asks, and who asks may have so many requests. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type McpLimits, type MountedServer, mountedServer } from '../../../mcp/index.ts';
import { HttpClient, HttpSession } from '../../support/mcp-http-client.ts';
import { startNode } from '../../support/mcp-node.ts';
import { type ProtectedNode, startProtectedNode } from '../../support/protected-node.ts';

const module = new URL('../../support/mounted-servers.js', import.meta.url).href;
const header = (who: string): Record<string, string> => ({ authorization: `Bearer ${who}` });
const said = (answer: any): any => JSON.parse(answer.result.content[0].text);
const tasks = { extensions: { 'io.modelcontextprotocol/tasks': {} } };

async function start(
  t: TestContext,
  server: MountedServer,
  limits: Partial<McpLimits> = {},
): Promise<ProtectedNode & { as(who: string): HttpClient }> {
  const node = await startProtectedNode(t, {
    server,
    limits,
    threads: { cpu: 1 },
    authorization: {
      authorizationServers: ['https://as.example'],
      verify: (token) => ({ subject: token, clientId: 'app', scopes: ['notes'], claims: { tenant: 7 } }),
    },
  });
  const as = (who: string): HttpClient => {
    const client = new HttpClient(node.url, header(who));
    t.after(() => client.close());
    return client;
  };
  return { ...node, as };
}

for (const exportName of ['createSdk1', 'createSdk2']) {
  for (const run of ['main', 'process'] as const) {
    test(`${exportName}, run: '${run}': a mounted server learns who asks, and never the token`, async (t) => {
      const node = await start(t, mountedServer('m', { module, exportName, run }));
      const session = await HttpSession.open(node.url, {}, header('secret-of-ann'));
      t.after(() => session.client.close());
      const { extra, ...others } = said(await session.tool('whoami').answer());
      assert.deepEqual(others, { token: '', clientId: 'app', scopes: ['notes'], resource: node.url });
      assert.deepEqual(extra, { subject: 'secret-of-ann', issuer: 'https://as.example', claims: { tenant: 7 } });
      const bob = await node.as('bob').stateless('tools/call', { name: 'whoami', arguments: {} }).answer();
      assert.equal(said(bob).extra.subject, 'bob');
    });
  }

  test(`${exportName}: without authorization nobody asks`, async (t) => {
    const node = await startNode(t, { servers: [mountedServer('m', { module, exportName })] });
    const session = await HttpSession.open(node.url);
    t.after(() => session.client.close());
    assert.equal(said(await session.tool('whoami').answer()), null);
  });
}

test('requests of mounted servers count among those of their principal', async (t) => {
  const server = mountedServer('m', { module, exportName: 'createSdk1', run: 'main' });
  const { as, url, events } = await start(t, server, { principalRequestsMax: 1 });
  const session = await HttpSession.open(url, {}, header('ann'));
  t.after(() => session.client.close());
  const held = as('ann').stateless('tools/call', { name: 'never', arguments: {} });
  const { pid } = await events.until(() => events.starts.find(({ initialCall }) => initialCall.includes('Forward')));
  for (const ended of [session.tool('whoami').ended, as('ann').stateless('tools/list').ended]) {
    const { status, messages } = await ended;
    assert.equal(status, 429);
    assert.deepEqual(messages[0].error.data, { reason: 'too_many', limit: 'principalRequestsMax', max: 1 });
  }
  assert.equal((await as('bob').stateless('tools/list').ended).status, 200);
  const gone = events.until(() => events.exits.find((exit) => exit.pid === pid));
  held.leave();
  await gone;
  assert.equal(said(await session.tool('whoami').answer()).extra.subject, 'ann');
});

/** Says what reaches it. */
const echoes = {
  connect: (transport: any): void => {
    transport.onmessage = ({ id, method, params }: any, { authInfo }: any): void => {
      const text = JSON.stringify({ method, params, subject: authInfo?.extra.subject });
      if (id !== undefined) void transport.send({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text }] } });
    };
  },
};

test('a native server has no tasks where there are principals, since anybody might ask for them', async (t) => {
  const native = mountedServer('m', { create: () => echoes, stateless: 'native' });
  const { as } = await start(t, native);
  const capabilities = { ...tasks, elicitation: {} };
  const ask = (client: HttpClient, method: string, params: object): Promise<any> =>
    client.stateless(method, params, { capabilities }).answer();
  const called = said(await ask(as('ann'), 'tools/call', { name: 'x', arguments: {} }));
  assert.equal(called.subject, 'ann');
  const known = called.params._meta['io.modelcontextprotocol/clientCapabilities'];
  assert.deepEqual(known, { elicitation: {}, extensions: {} });
  for (const method of ['tasks/get', 'tasks/cancel']) {
    const { error } = await ask(as('ann'), method, { taskId: 'one' });
    assert.equal(error.code, -32601);
    assert.match(error.message, /stateless: 'native' has no tasks where there are principals; use tasks in a session/);
  }
  const open = await startNode(t, { servers: [native] });
  const client = new HttpClient(open.url);
  t.after(() => client.close());
  assert.equal(said(await ask(client, 'tasks/get', { taskId: 'one' })).method, 'tasks/get', 'without, as they are');
});
