/** An OAuth 2.1 authorization server on a real socket (RFC 8414, 7591, 7636), whose tokens may be JWTs (RFC 9068). */

import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import type { Cleanup } from './test-system.ts';

/** What a person has granted, until the code is used. */
interface Grant {
  readonly challenge: string;
  readonly clientId: string;
  readonly redirectUri: string;
  readonly resource: string;
  readonly scope: string;
}

export class AuthorizationServer {
  /** How often its keys were fetched. */
  keysFetched = 0;
  /** What the key endpoint answers instead of its keys. */
  keysStatus: number | undefined;
  /** What was asked of the token endpoint. */
  readonly granted: URLSearchParams[] = [];
  /** The tokens that it has given to clients. */
  readonly issued = new Set<string>();
  registrations = 0;
  /** Members of its metadata, changed by the test. */
  metadata: Record<string, unknown> = {};
  /** What the tokens say of the person; changed by the test. */
  subject = 'alice';
  readonly keys: JWK[] = [];
  private readonly grants = new Map<string, Grant>();
  private readonly refreshTokens = new Map<string, Grant>();
  private signing: { readonly kid: string; readonly key: CryptoKey } | undefined;
  private readonly http = createServer((request, response) => void this.serve(request, response));

  /** `signs: false`: its tokens are names, `token-1` and so on. */
  static async start(t: Cleanup, { signs = true } = {}): Promise<AuthorizationServer> {
    const server = new AuthorizationServer();
    if (signs) await server.rotate();
    server.http.listen(0, '127.0.0.1');
    await once(server.http, 'listening');
    t.after(() => {
      server.http.closeAllConnections();
      server.http.close();
    });
    return server;
  }

  get issuer(): string {
    return `http://127.0.0.1:${(this.http.address() as { port: number }).port}`;
  }

  get jwksUri(): string {
    return `${this.issuer}/keys`;
  }

  /** Signs with another key from now on; the old one stays published. */
  async rotate(): Promise<void> {
    const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
    const kid = `key-${this.keys.length + 1}`;
    this.keys.push({ ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' });
    this.signing = { kid, key: privateKey };
  }

  /** A token for that resource. `claims` replace what it would say; undefined leaves one out. */
  async token(resource: string, claims: Record<string, unknown> = {}, header: object = {}): Promise<string> {
    const { kid, key } = this.signing!;
    const nowS = Math.floor(performance.timeOrigin / 1_000 + performance.now() / 1_000);
    const all = {
      iss: this.issuer,
      aud: resource,
      sub: this.subject,
      client_id: 'tests',
      exp: nowS + 600,
      iat: nowS,
      jti: randomUUID(),
      ...claims,
    };
    return new SignJWT(all).setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid, ...header }).sign(key);
  }

  /** Where the browser is sent after a person has granted access at that page. */
  grant(page: URL): string {
    const asked = (name: string): string => page.searchParams.get(name) ?? '';
    const code = randomUUID();
    this.grants.set(code, {
      challenge: asked('code_challenge'),
      clientId: asked('client_id'),
      redirectUri: asked('redirect_uri'),
      resource: asked('resource'),
      scope: asked('scope'),
    });
    const back = new URL(asked('redirect_uri'));
    back.searchParams.set('code', code);
    back.searchParams.set('state', asked('state'));
    back.searchParams.set('iss', this.issuer);
    return back.href;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const { pathname } = new URL(request.url!, this.issuer);
    if (pathname === '/keys') {
      this.keysFetched += 1;
      json(response, this.keysStatus ?? 200, { keys: this.keys });
    } else if (pathname === '/.well-known/oauth-authorization-server') json(response, 200, this.about());
    else if (pathname === '/register') {
      json(response, 201, {
        ...(JSON.parse(body) as object),
        client_id: `client-${++this.registrations}`,
        token_endpoint_auth_method: 'none',
      });
    } else if (pathname === '/token') await this.exchange(response, new URLSearchParams(body));
    else json(response, 404, {});
  }

  private about(): object {
    return {
      issuer: this.issuer,
      authorization_endpoint: `${this.issuer}/authorize`,
      token_endpoint: `${this.issuer}/token`,
      registration_endpoint: `${this.issuer}/register`,
      jwks_uri: this.jwksUri,
      response_types_supported: ['code'],
      grant_types_supported: ['authorization_code', 'refresh_token'],
      code_challenge_methods_supported: ['S256'],
      token_endpoint_auth_methods_supported: ['none', 'client_secret_basic'],
      authorization_response_iss_parameter_supported: true,
      ...this.metadata,
    };
  }

  private async exchange(response: ServerResponse, asked: URLSearchParams): Promise<void> {
    this.granted.push(asked);
    const grant = this.usedGrant(asked);
    if (grant === undefined) return json(response, 400, { error: 'invalid_grant' });
    const refreshToken = randomUUID();
    this.refreshTokens.set(refreshToken, grant);
    const { resource, scope, clientId } = grant;
    const name = `token-${this.issued.size + 1}`;
    const token = this.signing === undefined ? name : await this.token(resource, { scope, client_id: clientId });
    this.issued.add(token);
    json(response, 200, {
      access_token: token,
      token_type: 'Bearer',
      expires_in: 600,
      refresh_token: refreshToken,
      scope,
    });
  }

  /** Each code and each refresh token is good once. */
  private usedGrant(asked: URLSearchParams): Grant | undefined {
    const refreshing = asked.get('grant_type') === 'refresh_token';
    const held = refreshing ? this.refreshTokens : this.grants;
    const key = asked.get(refreshing ? 'refresh_token' : 'code') ?? '';
    const grant = held.get(key);
    held.delete(key);
    if (grant === undefined || refreshing) return grant;
    const proof = createHash('sha256')
      .update(asked.get('code_verifier') ?? '')
      .digest('base64url');
    return proof === grant.challenge && asked.get('redirect_uri') === grant.redirectUri ? grant : undefined;
  }
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
