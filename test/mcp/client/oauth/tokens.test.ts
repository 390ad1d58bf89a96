/** Authorization of clients, against a real authorization server: who asks, how often, and what a failure costs. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { clientOf, type McpClient, mcpClient } from '../../../../mcp/client/index.ts';
import { type OAuthSpec, type OAuthState, oauthTokens } from '../../../../mcp/client/oauth/index.ts';
import { type System, startSystem } from '../../../../runtime/index.ts';
import { deepFreeze } from '../../../../runtime/testing.ts';
import { httpClient } from '../../../../transports/client/index.ts';
import { ClientEvents } from '../../../support/mcp-client-events.ts';
import { ProtectedEndpoint } from '../../../support/protected-endpoint.ts';
import { killSystem, systemName } from '../../../support/test-system.ts';

interface Running {
  readonly server: ProtectedEndpoint;
  readonly system: System;
  readonly clients: readonly McpClient[];
  readonly events: ClientEvents;
  /** Pages that a person was brought to. */
  readonly pages: URL[];
}

async function run(t: TestContext, spec: Partial<OAuthSpec> = {}, server?: ProtectedEndpoint): Promise<Running> {
  const protectedServer = server ?? (await ProtectedEndpoint.start(t));
  const pages: URL[] = [];
  const name = systemName();
  const events = new ClientEvents(t, name);
  const clients = ['a', 'b', 'c'];
  const system = await startSystem({
    name,
    onSend: deepFreeze,
    children: [
      oauthTokens('tokens', {
        server: protectedServer.url,
        redirectUri: 'http://localhost:9/back',
        authorize: (page) => {
          pages.push(page);
          return protectedServer.issuer.grant(page);
        },
        ...spec,
      }),
      ...clients.map((each) => {
        const transport = httpClient({ url: protectedServer.url });
        return mcpClient(each, { transport, negotiation: { pin: '2026-07-28' }, authorization: 'tokens' });
      }),
    ],
  });
  t.after(() => killSystem(system));
  return { server: protectedServer, system, clients: clients.map((each) => clientOf(system, each)), events, pages };
}

const tokenOf = (reply: any): string => reply.ok?.content[0].text ?? JSON.stringify(reply);
const kinds = ({ issuer }: ProtectedEndpoint): unknown[] => issuer.granted.map((grant) => grant.get('grant_type'));

test('three clients of one server: one registration, one person asked once, one token', async (t) => {
  const { server, clients, pages } = await run(t);
  const tokens = await Promise.all(clients.map((client) => client.callTool('x')));
  assert.deepEqual(tokens.map(tokenOf), ['token-1', 'token-1', 'token-1']);
  assert.deepEqual([server.issuer.registrations, pages.length, kinds(server)], [1, 1, ['authorization_code']]);
  const { searchParams } = pages[0]!;
  assert.deepEqual(
    ['resource', 'scope', 'code_challenge_method', 'client_id'].map((each) => searchParams.get(each)),
    [server.url, 'read', 'S256', 'client-1'],
  );
  assert.equal(server.issuer.granted[0]!.get('resource'), server.url);
});

test('concurrent refresh does not burn the refresh token: it is used once, nobody is asked', async (t) => {
  const { server, clients, pages } = await run(t);
  await Promise.all(clients.map((client) => client.ready()));
  for (let round = 2; round < 5; round++) {
    server.expire();
    const calls = Array.from({ length: 20 }, (_, n) => clients[n % 3]!.callTool('x'));
    const tokens = (await Promise.all(calls)).map(tokenOf);
    assert.deepEqual([...new Set(tokens)], [`token-${round}`]);
  }
  assert.deepEqual(kinds(server), ['authorization_code', 'refresh_token', 'refresh_token', 'refresh_token']);
  assert.equal(pages.length, 1);
});

test('a refresh token that is good no more: the person is asked again', async (t) => {
  const saved: OAuthState[] = [];
  const server = await ProtectedEndpoint.start(t);
  const registration = { issuer: server.issuer.issuer, clientId: 'kept' };
  const tokens = { issuer: server.issuer.issuer, resource: server.url, accessToken: 'old', refreshToken: 'stolen' };
  const spec = { load: () => ({ registration, tokens }), save: (state: OAuthState) => void saved.push(state) };
  const { clients, pages } = await run(t, spec, server);
  assert.equal(tokenOf(await clients[0]!.callTool('x')), 'token-1');
  assert.deepEqual(
    [kinds(server), pages.length, server.issuer.registrations],
    [['refresh_token', 'authorization_code'], 1, 0],
  );
  assert.deepEqual([saved[0]?.registration?.clientId, saved[0]?.tokens?.accessToken], ['kept', 'token-1']);
});

test('tokens of an earlier run are used as they are', async (t) => {
  const server = await ProtectedEndpoint.start(t);
  server.good.add('kept');
  const tokens = { issuer: server.issuer.issuer, resource: server.url, accessToken: 'kept' };
  const { clients, pages } = await run(t, { load: async () => ({ tokens }) }, server);
  assert.equal(tokenOf(await clients[0]!.callTool('x')), 'kept');
  assert.deepEqual([server.issuer.granted, pages], [[], []]);
});

test('a person who refuses is not asked again and again: requests fail, reconnect asks anew', async (t) => {
  let asked = 0;
  const { server, clients, events } = await run(t, {
    authorize: (page) => {
      asked += 1;
      if (asked > 1) return server.issuer.grant(page);
      const back = new URL(page.searchParams.get('redirect_uri')!);
      back.searchParams.set('error', 'access_denied');
      back.searchParams.set('state', page.searchParams.get('state')!);
      return back;
    },
  });
  const [client] = clients;
  assert.equal(((await client!.ready()) as any).error.code, 'ERR_MCP_AUTH');
  await events.state('unauthorized', 3);
  const { error } = (await client!.callTool('x')) as any;
  assert.match(error.message, /was not sent: .*reconnect\(\) asks for authorization again/);
  assert.equal(asked, 1);
  client!.reconnect();
  assert.equal(tokenOf(await client!.callTool('x')), 'token-1');
});

test('a page that nobody comes back from ends with its time, and costs no process but its own', async (t) => {
  const { clients, system } = await run(t, { authorize: () => new Promise(() => {}), authorizationTimeoutMs: 30 });
  const keeper = system.whereis('tokens');
  assert.equal(((await clients[0]!.ready()) as any).error.code, 'ERR_MCP_AUTH');
  assert.equal(system.whereis('tokens'), keeper);
});

test('an answer for another request, or from another server, is refused', async (t) => {
  for (const change of [
    (back: URL) => back.searchParams.set('state', 'forged'),
    (back: URL) => back.searchParams.set('iss', 'https://evil.example'),
  ]) {
    const { clients, server } = await run(t, {
      authorize: (page) => {
        const back = new URL(server.issuer.grant(page));
        change(back);
        return back;
      },
    });
    assert.equal(((await clients[0]!.ready()) as any).error.code, 'ERR_MCP_AUTH');
    assert.deepEqual(server.issuer.granted, []);
  }
});

test('an authorization server without PKCE, or whose token endpoint is not encrypted, gets nothing', async (t) => {
  for (const metadata of [
    { code_challenge_methods_supported: ['plain'] },
    { token_endpoint: 'http://elsewhere.example/token' },
    { issuer: 'https://elsewhere.example' },
  ]) {
    const server = await ProtectedEndpoint.start(t);
    server.issuer.metadata = metadata;
    const { clients, pages } = await run(t, {}, server);
    assert.equal(((await clients[0]!.ready()) as any).error.code, 'ERR_MCP_AUTH', JSON.stringify(metadata));
    assert.deepEqual([pages, server.issuer.granted], [[], []]);
  }
});

test('options that cannot be are refused', () => {
  const good = { server: 'https://a.example/mcp', redirectUri: 'http://localhost:9/', authorize: () => '' };
  const refused = (change: object, message: RegExp): void =>
    assert.throws(() => oauthTokens('t', { ...good, ...change } as OAuthSpec), { code: 'ERR_CLIENT', message });
  refused({ server: 'http://a.example/mcp' }, /https/);
  refused({ authorize: undefined }, /authorize must be/);
  refused({ redirectUri: 'back' }, /redirectUri must be/);
  refused({ save: 1 }, /save must be/);
});
