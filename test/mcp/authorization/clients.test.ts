/** A protected server from end to end: clients that find the authorization server, ask a person, and come back. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  auth as auth2,
  Client as Client2,
  StreamableHTTPClientTransport as StreamableHTTPClientTransport2,
} from '@modelcontextprotocol/client';
import { auth, type OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { clientOf, type McpClient, mcpClient } from '../../../mcp/client/index.ts';
import { oauthTokens } from '../../../mcp/client/oauth/index.ts';
import { MCP_LIMITS, TokenError } from '../../../mcp/index.ts';
import { startSystem } from '../../../runtime/index.ts';
import { deepFreeze, simulatedClock } from '../../../runtime/testing.ts';
import { httpClient } from '../../../transports/client/index.ts';
import { type ProtectedNode, startProtectedNode } from '../../support/protected-node.ts';
import server from '../../support/protected-server.ts';
import { killSystem, systemName } from '../../support/test-system.ts';

const subjectOf = (reply: any): string =>
  'ok' in reply ? JSON.parse(reply.ok.content[0].text).principal.subject : JSON.stringify(reply);
const scopesOf = (reply: any): readonly string[] => JSON.parse(reply.ok.content[0].text).principal.scopes;

/** A client of this package; `pages` are those that a person was brought to. */
async function ours(
  t: TestContext,
  { url, issuer }: ProtectedNode,
  pin: '2026-07-28' | '2025-11-25',
): Promise<{ readonly client: McpClient; readonly pages: URL[] }> {
  const pages: URL[] = [];
  const authorize = (page: URL): string => {
    pages.push(page);
    return issuer.grant(page);
  };
  const system = await startSystem({
    name: systemName(),
    onSend: deepFreeze,
    children: [
      oauthTokens('tokens', { server: url, redirectUri: 'http://localhost:9/back', authorize }),
      mcpClient('client', { transport: httpClient({ url }), authorization: 'tokens', negotiation: { pin } }),
    ],
  });
  t.after(() => killSystem(system));
  return { client: clientOf(system, 'client'), pages };
}

for (const pin of ['2026-07-28', '2025-11-25'] as const) {
  test(`our client finds its way in, and steps up when a tool needs more: ${pin}`, async (t) => {
    const node = await startProtectedNode(t, { server, authorization: { scopes: ['mcp'] } });
    const { client, pages } = await ours(t, node, pin);
    const first = await client.callTool('whoami');
    assert.deepEqual([subjectOf(first), scopesOf(first)], ['alice', ['mcp']]);
    const [page] = pages;
    assert.deepEqual(
      ['resource', 'scope'].map((each) => page!.searchParams.get(each)),
      [node.url, 'mcp'],
    );
    assert.equal(pages.length, 1);
    const more = await client.callTool('write');
    assert.deepEqual([...scopesOf(more)].sort(), ['files:write', 'mcp']);
    assert.equal(pages.length, 2);
    assert.equal(subjectOf(await client.callTool('whoami')), 'alice');
    assert.equal(pages.length, 2, 'what was granted stays granted');
  });
}

test('our client comes back by itself when its token has ended', async (t) => {
  const clock = simulatedClock();
  const seen = new Set<string>();
  let revoked: ReadonlySet<string> = new Set();
  const node = await startProtectedNode(t, {
    server,
    clock,
    verify: (jwt) => (token, info) => {
      if (revoked.has(token)) throw new TokenError('invalid_token', 'the token was revoked');
      seen.add(token);
      return jwt(token, info);
    },
  });
  const { client, pages } = await ours(t, node, '2026-07-28');
  assert.equal(subjectOf(await client.callTool('whoami')), 'alice');
  revoked = new Set(seen);
  await clock.advance(MCP_LIMITS.tokenFreshMs + 1);
  const again = await client.callTool('whoami');
  assert.equal(subjectOf(again), 'alice');
  assert.deepEqual(
    [pages.length, node.issuer.granted.map((each) => each.get('grant_type'))],
    [1, ['authorization_code', 'refresh_token']],
  );
});

/** What the official client keeps for a person who sits at a browser. */
class Person implements OAuthClientProvider {
  readonly pages: URL[] = [];
  readonly redirectUrl = 'http://localhost:9/back';
  readonly clientMetadata = { client_name: 'official', redirect_uris: [this.redirectUrl] };
  private client: any;
  private kept: any;
  private verifier = '';
  private discovered: any;

  clientInformation(): any {
    return this.client;
  }
  saveClientInformation(client: unknown): void {
    this.client = client;
  }
  tokens(): any {
    return this.kept;
  }
  saveTokens(tokens: unknown): void {
    this.kept = tokens;
  }
  redirectToAuthorization(page: URL): void {
    this.pages.push(page);
  }
  saveCodeVerifier(verifier: string): void {
    this.verifier = verifier;
  }
  saveDiscoveryState(state: unknown): void {
    this.discovered = state;
  }
  discoveryState(): any {
    return this.discovered;
  }
  codeVerifier(): string {
    return this.verifier;
  }
}

/** The official clients, of both versions. */
const officials: Record<string, { readonly connect: (url: URL, person: Person) => Promise<any>; readonly auth: any }> =
  {
    'SDK v1': {
      auth,
      async connect(url, person) {
        const client = new Client({ name: 'official', version: '1.0.0' });
        await client.connect(new StreamableHTTPClientTransport(url, { authProvider: person }) as never);
        return client;
      },
    },
    'SDK v2': {
      auth: auth2,
      async connect(url, person) {
        const client = new Client2({ name: 'official', version: '1.0.0' });
        await client.connect(new StreamableHTTPClientTransport2(url, { authProvider: person as never }));
        return client;
      },
    },
    'SDK v2 without a session': {
      auth: auth2,
      async connect(url, person) {
        const versionNegotiation = { mode: { pin: '2026-07-28' } };
        const client = new Client2({ name: 'official', version: '1.0.0' }, { versionNegotiation });
        await client.connect(new StreamableHTTPClientTransport2(url, { authProvider: person as never }));
        return client;
      },
    },
  };

for (const [name, official] of Object.entries(officials)) {
  test(`${name} finds its way in: metadata, registration, a person, a token for this resource`, async (t) => {
    const node = await startProtectedNode(t, { server, authorization: { scopes: ['mcp'] } });
    const person = new Person();
    const url = new URL(node.url);
    await assert.rejects(official.connect(url, person), /Unauthorized/);
    const [page] = person.pages;
    assert.deepEqual([page!.searchParams.get('resource'), page!.searchParams.get('scope')], [node.url, 'mcp']);
    const back = new URL(node.issuer.grant(page!)).searchParams;
    const [authorizationCode, iss] = [back.get('code')!, back.get('iss')!];
    assert.equal(await official.auth(person, { serverUrl: node.url, authorizationCode, iss }), 'AUTHORIZED');
    const client = await official.connect(url, person);
    t.after(() => client.close());
    const { content } = (await client.callTool({ name: 'whoami', arguments: {} })) as any;
    assert.equal(JSON.parse(content[0].text).principal.clientId, 'client-1');
  });
}
