/** What an endpoint that wants tokens answers over HTTP: who gets in, and what the others are told. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { threadId } from 'node:worker_threads';
import { type AuthorizationSpec, mcpNode, mcpServer, TokenError, text, tool } from '../../../mcp/index.ts';
import { computePool } from '../../../runtime/compute/index.ts';
import { name, startSystem } from '../../../runtime/index.ts';
import { listenerName, streamableHttp } from '../../../transports/http/index.ts';
import { connectMemory, memory } from '../../../transports/memory.ts';
import computing from '../../support/computing-server.ts';
import { SystemEvents } from '../../support/mcp-events.ts';
import { HttpClient, initialize } from '../../support/mcp-http-client.ts';
import { StreamClient } from '../../support/mcp-stream-client.ts';
import { startProtectedNode } from '../../support/protected-node.ts';
import server from '../../support/protected-server.ts';
import { killSystem, systemName } from '../../support/test-system.ts';

const said = (answer: any): any => JSON.parse(answer.result.content[0].text);
const discover = (client: HttpClient, headers: Record<string, string> = {}) =>
  client.stateless('server/discover', {}, { headers }).ended;

test('the metadata of the resource is at its path and at the root, for everybody', async (t) => {
  const { url, origin, issuer } = await startProtectedNode(t, {
    server,
    authorization: { scopesSupported: ['files:write'], metadata: { resource_name: 'Files' } },
  });
  const expected = {
    resource: url,
    resource_name: 'Files',
    authorization_servers: [issuer.issuer],
    scopes_supported: ['files:write'],
    bearer_methods_supported: ['header'],
  };
  for (const path of ['/.well-known/oauth-protected-resource/mcp', '/.well-known/oauth-protected-resource']) {
    const response = await fetch(`${origin}${path}`);
    assert.deepEqual([response.status, await response.json()], [200, expected]);
    const post = await fetch(`${origin}${path}`, { method: 'POST' });
    assert.deepEqual([post.status, post.headers.get('allow')], [405, 'GET, HEAD']);
  }
  const elsewhere = await fetch(`${origin}/.well-known/oauth-protected-resource/other`);
  assert.equal(elsewhere.status, 404);
});

test('without a token: 401, where the metadata is and what to ask for, and no error', async (t) => {
  const { url, origin } = await startProtectedNode(t, { server, authorization: { scopes: ['mcp', 'more'] } });
  const client = new HttpClient(url);
  t.after(() => client.close());
  const wanted = `Bearer scope="mcp more", resource_metadata="${origin}/.well-known/oauth-protected-resource/mcp"`;
  const asked = [
    client.stateless('server/discover'),
    client.post(initialize()),
    client.exchange('GET', undefined, { 'mcp-session-id': 'x' }),
    client.exchange('DELETE', undefined, { 'mcp-session-id': 'x' }),
    client.post('no JSON'),
    client.stateless('server/discover', {}, { headers: { authorization: 'Basic YTpi' } }),
  ];
  for (const each of asked) {
    const { status, headers, messages } = await each.ended;
    assert.deepEqual([status, headers['www-authenticate']], [401, wanted]);
    assert.deepEqual(messages[0].error.data, { reason: 'unauthorized' });
  }
});

test('a token in the query is no token, and what is no token is 400', async (t) => {
  const { url, bearer } = await startProtectedNode(t, { server });
  const { authorization } = await bearer();
  const inQuery = new HttpClient(`${url}?access_token=${authorization!.slice(7)}`);
  const client = new HttpClient(url);
  t.after(() => [inQuery, client].forEach((each) => void each.close()));
  assert.equal((await discover(inQuery)).status, 401);
  for (const malformed of ['Bearer', 'Bearer two words', 'Bearer a,b', 'bearer "quoted"']) {
    const { status, headers } = await discover(client, { authorization: malformed });
    assert.equal(status, 400, malformed);
    assert.match(headers['www-authenticate']!, /^Bearer error="invalid_request"/);
  }
  assert.equal((await discover(client, { authorization: authorization!.replace('Bearer', 'bEARER') })).status, 200);
});

test('a good token gets in, in both eras, and the code learns who asks', async (t) => {
  const { url, bearer, issuer } = await startProtectedNode(t, { server });
  const headers = await bearer({ scope: 'a b' });
  const client = new HttpClient(url, headers);
  t.after(() => client.close());
  const { principal } = said(await client.stateless('tools/call', { name: 'whoami' }).answer());
  assert.deepEqual(
    [principal.subject, principal.issuer, principal.clientId, principal.scopes, principal.claims.aud],
    ['alice', issuer.issuer, 'tests', ['a', 'b'], url],
  );
  assert.equal(JSON.stringify(principal).includes(headers['authorization']!.slice(7)), false);
  const opened = await client.post(initialize()).ended;
  const session = { 'mcp-session-id': String(opened.headers['mcp-session-id']) };
  const call = { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'whoami', arguments: {} } };
  assert.equal(said(await client.post(call, session).answer()).principal.subject, 'alice');
  const read = await client.stateless('resources/read', { uri: 'open://door' }).answer();
  assert.equal(JSON.parse(read.result.contents[0].text).principal.subject, 'alice');
});

test('who asks is known on another thread too', async (t) => {
  const { url, bearer } = await startProtectedNode(t, { server, threads: { cpu: 1 } });
  const client = new HttpClient(url, await bearer({ scope: 'x' }));
  t.after(() => client.close());
  const { principal, threadId } = said(await client.stateless('tools/call', { name: 'whoami' }).answer());
  assert.deepEqual([principal.subject, principal.scopes], ['alice', ['x']]);
  assert.notEqual(threadId, 0);
});

test('scopes: 403 with what is needed and what there is already, before the arguments are looked at', async (t) => {
  const { url, origin, bearer } = await startProtectedNode(t, { server, authorization: { scopes: ['mcp'] } });
  const plain = new HttpClient(url, await bearer({ scope: 'openid mcp' }));
  const mighty = new HttpClient(url, await bearer({ scope: 'mcp files:write diary:read confess' }));
  const poor = new HttpClient(url, await bearer({ scope: 'openid' }));
  t.after(() => [plain, mighty, poor].forEach((each) => void each.close()));
  const { status, headers, messages } = await plain.stateless('tools/call', { name: 'write', arguments: { x: 1 } })
    .ended;
  const metadata = `resource_metadata="${origin}/.well-known/oauth-protected-resource/mcp"`;
  assert.equal(status, 403);
  assert.equal(
    headers['www-authenticate'],
    'Bearer error="insufficient_scope", error_description="this needs files:write", ' +
      `scope="mcp files:write", ${metadata}`,
  );
  assert.deepEqual(messages[0].error.data, { reason: 'insufficient_scope', scopes: ['files:write'] });
  const asked: readonly (readonly [string, object])[] = [
    ['tools/call', { name: 'write' }],
    ['resources/read', { uri: 'secret://diary' }],
    ['prompts/get', { name: 'confess' }],
    ['completion/complete', { ref: { type: 'ref/prompt', name: 'confess' }, argument: { name: 'sin', value: '' } }],
  ];
  for (const [method, params] of asked) {
    assert.equal((await plain.stateless(method, params).ended).status, 403, method);
    assert.equal((await mighty.stateless(method, params).ended).status, 200, method);
    const refused = await poor.stateless(method, params).ended;
    assert.match(refused.headers['www-authenticate']!, /error="insufficient_scope".*scope="mcp"/);
  }
  assert.equal(
    (await plain.stateless('tools/list').answer()).result.tools.length,
    6,
    'to ask for more, one must see it',
  );
  const listen = plain.stateless('subscriptions/listen', {
    notifications: { resourceSubscriptions: ['secret://diary', 'open://door'] },
  });
  const { params } = await listen.message(0);
  assert.deepEqual(params.notifications, { resourceSubscriptions: ['open://door'] });
  listen.leave();
});

test('without authorization nobody has scopes over HTTP; who is at this machine may do everything', async (t) => {
  const transports = [streamableHttp({ port: 0 }), memory()];
  const system = await startSystem({
    name: systemName(),
    children: [mcpNode('mcp', { servers: [server], transports })],
  });
  t.after(() => killSystem(system));
  const { url } = await system.call(listenerName('http'), 'address');
  const client = new HttpClient(url);
  t.after(() => client.close());
  const refused = await client.stateless('tools/call', { name: 'write' }).ended;
  assert.deepEqual([refused.status, refused.headers['www-authenticate']], [403, undefined]);
  assert.equal(said(await client.stateless('tools/call', { name: 'whoami' }).answer()).principal, undefined);
  const link = await connectMemory(system);
  const near = new StreamClient(link);
  await near.open();
  const answer = await near.request('tools/call', { name: 'write', arguments: {} }, 1);
  assert.equal(said(answer).principal, undefined);
  link.close();
});

test('a hook that hangs costs its request, and others on the same connection do not wait for it', async (t) => {
  const asked: string[] = [];
  const aborted: string[] = [];
  const { url, system, events } = await startProtectedNode(t, {
    server,
    limits: { verifyTimeoutMs: 50 },
    authorization: {
      verify: (token, { signal }) => {
        asked.push(token);
        if (token !== 'hangs') return { subject: token, scopes: [] };
        signal.addEventListener('abort', () => aborted.push(token));
        return new Promise(() => {});
      },
    },
  });
  const client = new HttpClient(url);
  t.after(() => client.close());
  const order: string[] = [];
  const call = async (token: string): Promise<number> => {
    const { status } = await client.stateless('tools/call', { name: 'whoami' }, { headers: auth(token) }).ended;
    order.push(token);
    return status;
  };
  const hung = [call('hangs'), call('hangs')];
  assert.equal(await call('bob'), 200);
  assert.deepEqual(await Promise.all(hung), [503, 503]);
  assert.deepEqual([order[0], asked.filter((token) => token === 'hangs').length], ['bob', 1], 'one for both');
  await events.until(() => (aborted.length > 0 ? true : undefined));
  assert.deepEqual(aborted, ['hangs']);
  assert.equal((await system.tree()).children[0]!.children.length, 4);
});

const auth = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

test('a hook that throws, rejects, throws later or returns what is no principal costs its request', async (t) => {
  const { url, events } = await startProtectedNode(t, {
    server,
    authorization: {
      verify: (async (token: string) => {
        if (token === 'nothing') return undefined;
        if (token === 'nobody') return { subject: '', scopes: [] };
        if (token === 'wide') return { subject: 'a', scopes: ['two words'] };
        if (token === 'cyclic') {
          const claims: Record<string, unknown> = {};
          claims['self'] = claims;
          return { subject: 'a', scopes: [], claims };
        }
        if (token === 'good') return { subject: 'a', scopes: [] };
        throw new Error('no network');
      }) as AuthorizationSpec['verify'],
    },
  });
  const client = new HttpClient(url);
  t.after(() => client.close());
  for (const token of ['nothing', 'nobody', 'wide', 'cyclic', 'down']) {
    const { status, headers, messages } = await discover(client, auth(token));
    assert.deepEqual([status, headers['www-authenticate']], [503, undefined], token);
    assert.deepEqual(messages[0].error.data, { reason: 'unverified' });
  }
  await events.crash(/no network/);
  await events.crash(/must return a principal/);
  assert.equal((await discover(client, auth('good'))).status, 200);
});

test('what a hook refuses is told with its own words, which cannot leave their quotes', async (t) => {
  const { url } = await startProtectedNode(t, {
    server,
    authorization: {
      verify: (token) => {
        if (token === 'scope') throw new TokenError('insufficient_scope', 'pay first', ['paid']);
        throw new TokenError('invalid_token', 'ende", realm="evil\r\nX: y');
      },
    },
  });
  const client = new HttpClient(url);
  t.after(() => client.close());
  const scope = await discover(client, auth('scope'));
  assert.equal(scope.status, 403);
  assert.match(scope.headers['www-authenticate']!, /error="insufficient_scope".*description="pay first", scope="paid"/);
  const quoted = await discover(client, auth('x'));
  assert.equal(quoted.status, 401);
  assert.match(quoted.headers['www-authenticate']!, /error_description="ende', realm='evil\?\?X: y", /);
});

test('a token is verified once, for all connections, until it ends; another endpoint verifies it itself', async (t) => {
  let verified = 0;
  const verify: AuthorizationSpec['verify'] = (token, { resource }) => {
    verified += 1;
    return { subject: `${token} at ${resource}`, scopes: [] };
  };
  const authorizationServers = ['https://as.example'];
  const at = (id: string) => ({
    transport: streamableHttp({ id, port: 0 }),
    authorization: { resource: `https://mcp.example/${id}`, authorizationServers, verify },
  });
  const system = await startSystem({
    name: systemName(),
    children: [mcpNode('mcp', { servers: [server], transports: [at('one'), at('two')] })],
  });
  t.after(() => killSystem(system));
  const call = async (id: string): Promise<string> => {
    const { url } = await system.call(listenerName(id), 'address');
    const client = new HttpClient(url, auth('token'));
    const { principal } = said(await client.stateless('tools/call', { name: 'whoami' }).answer());
    client.close();
    return principal.subject;
  };
  assert.equal(await call('one'), 'token at https://mcp.example/one');
  assert.equal(await call('one'), 'token at https://mcp.example/one');
  assert.equal(verified, 1);
  assert.equal(await call('two'), 'token at https://mcp.example/two');
  assert.equal(verified, 2);
});

test('a token stands in no report: not in that of a hook, of a connection or of a request that crashes', async (t) => {
  const bad = mcpServer('bad', {
    info: { name: 'bad', version: '1' },
    tools: {
      crash: tool({ description: 'Throws.', input: { type: 'object' } }, (_args, ctx) => {
        throw new Error(`crash of ${ctx.principal?.subject}`);
      }),
      fine: tool({ description: 'Is fine.', input: { type: 'object' } }, () => text('fine')),
    },
  });
  const { url, events } = await startProtectedNode(t, {
    server: bad,
    authorization: {
      verify: (token) => {
        if (token.startsWith('secret-down')) throw new Error('down');
        return { subject: 'bob', scopes: [] };
      },
    },
  });
  const client = new HttpClient(url);
  t.after(() => client.close());
  assert.equal((await discover(client, auth('secret-down'))).status, 503);
  await client.stateless('tools/call', { name: 'crash' }, { headers: auth('secret-good') }).ended;
  await events.crash(/crash of bob/);
  const all = [...events.crashes, ...events.starts, ...events.exits, ...events.reports];
  const shown = inspect(all, { depth: 12, showHidden: true }) + JSON.stringify(all, plain());
  const at = shown.indexOf('secret-');
  assert.equal(at === -1 ? '' : shown.slice(Math.max(0, at - 300), at + 100), '');
});

/** JSON of whatever it is: what contains itself is left out. */
function plain(): (key: string, value: unknown) => unknown {
  const seen = new WeakSet();
  return (_key, value) => {
    if (typeof value === 'bigint' || typeof value === 'function') return typeof value;
    if (typeof value !== 'object' || value === null) return value;
    if (seen.has(value)) return undefined;
    seen.add(value);
    return value;
  };
}

test('an authorization that cannot be is refused when the node is defined', () => {
  const good = { resource: 'https://a.example/mcp', authorizationServers: ['https://as.example'], verify: () => null };
  const refused = (change: object, message: RegExp): void =>
    assert.throws(
      () => {
        const authorization = { ...good, ...change } as never;
        mcpNode('mcp', { servers: [server], transports: [{ transport: memory(), authorization }] });
      },
      { code: 'ERR_AUTHORIZATION', message },
    );
  refused({ resource: 'http://a.example/mcp' }, /resource must be/);
  refused({ resource: 'https://a.example/mcp#x' }, /resource must be/);
  refused({ resource: 'https://a.example/mcp?x=1' }, /resource must be/);
  refused({ authorizationServers: [] }, /at least one/);
  refused({ authorizationServers: ['http://as.example'] }, /authorizationServers/);
  refused({ scopes: ['a b'] }, /scopes must be/);
  refused({ scopesSupported: 'a' }, /scopesSupported must be/);
  refused({ verify: undefined }, /verify must be a function/);
  refused({ metadata: 1 }, /metadata must be/);
});

test('a transport of streams, on which nobody can bring a token, serves nobody if it is to want one', async (t) => {
  const verify = (): { subject: string; scopes: string[] } => ({ subject: 'a', scopes: [] });
  const authorization = { resource: 'https://a.example/mcp', authorizationServers: ['https://as.example'], verify };
  const name = systemName();
  const events = new SystemEvents(t, name);
  const transports = [{ transport: memory(), authorization }];
  const system = await startSystem({ name, children: [mcpNode('mcp', { servers: [server], transports })] });
  t.after(() => killSystem(system));
  await assert.rejects(connectMemory(system));
  await events.crash(/authorization is for transports over HTTP/);
});

test("a tool with run: 'compute' knows who asks", async (t) => {
  const pool = name('pool');
  const before = [computePool(pool, { threads: 1 })];
  const node = await startProtectedNode(t, { server: computing, before, node: { computePool: pool } });
  const client = new HttpClient(node.url, await node.bearer({ scope: 'mcp', tenant: 7 }));
  t.after(() => client.close());
  const { result } = await client.stateless('tools/call', { name: 'whoami' }).answer();
  const { principal, threadId: there } = JSON.parse(result.content[0].text);
  assert.deepEqual([principal.subject, principal.scopes, principal.claims.tenant], ['alice', ['mcp'], 7]);
  assert.notEqual(there, threadId);
});
