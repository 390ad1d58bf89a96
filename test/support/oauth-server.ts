/** An authorization server and the MCP server that it protects, on one real socket. */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Cleanup } from './test-system.ts';

export class OAuthServer {
  /** Tokens that the MCP server accepts now. */
  readonly good = new Set<string>();
  /** What was asked of the token endpoint. */
  readonly grants: URLSearchParams[] = [];
  registrations = 0;
  /** Members of the authorization server's metadata, changed by the test. */
  metadata: Record<string, unknown> = {};
  private tokens = 0;
  private refreshToken: string | undefined;
  private readonly http = createServer((request, response) => void this.serve(request, response));

  static async start(t: Cleanup): Promise<OAuthServer> {
    const server = new OAuthServer();
    server.http.listen(0, '127.0.0.1');
    await once(server.http, 'listening');
    t.after(() => {
      server.http.closeAllConnections();
      server.http.close();
    });
    return server;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.http.address() as { port: number }).port}`;
  }

  get url(): string {
    return `${this.origin}/mcp`;
  }

  /** The tokens so far are good no more. */
  expire(): void {
    this.good.clear();
  }

  /** Where the browser is sent after a person has granted access at that page. */
  granted(page: URL): string {
    const back = new URL(page.searchParams.get('redirect_uri')!);
    back.searchParams.set('code', 'the-code');
    back.searchParams.set('state', page.searchParams.get('state')!);
    return back.href;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const { pathname } = new URL(request.url!, this.origin);
    if (pathname === '/mcp') this.mcp(request, response, body);
    else if (pathname === '/.well-known/oauth-protected-resource/mcp') {
      json(response, 200, { resource: this.url, authorization_servers: [this.origin], scopes_supported: ['read'] });
    } else if (pathname === '/.well-known/oauth-authorization-server') json(response, 200, this.about());
    else if (pathname === '/register') json(response, 201, { client_id: `client-${++this.registrations}` });
    else if (pathname === '/token') this.token(response, new URLSearchParams(body));
    else json(response, 404, {});
  }

  private about(): object {
    return {
      issuer: this.origin,
      authorization_endpoint: `${this.origin}/authorize`,
      token_endpoint: `${this.origin}/token`,
      registration_endpoint: `${this.origin}/register`,
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
      token_endpoint_auth_methods_supported: ['none', 'client_secret_basic'],
      ...this.metadata,
    };
  }

  private token(response: ServerResponse, asked: URLSearchParams): void {
    this.grants.push(asked);
    const refreshing = asked.get('grant_type') === 'refresh_token';
    // Rotated: whoever uses one twice is a thief.
    if (refreshing && asked.get('refresh_token') !== this.refreshToken) {
      json(response, 400, { error: 'invalid_grant' });
      return;
    }
    const token = `token-${++this.tokens}`;
    this.good.add(token);
    this.refreshToken = `refresh-${this.tokens}`;
    json(response, 200, { access_token: token, token_type: 'Bearer', refresh_token: this.refreshToken });
  }

  private mcp(request: IncomingMessage, response: ServerResponse, body: string): void {
    const token = /^Bearer (.*)$/.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined || !this.good.has(token)) {
      const metadata = `${this.origin}/.well-known/oauth-protected-resource/mcp`;
      response.setHeader('www-authenticate', `Bearer resource_metadata="${metadata}"`);
      json(response, 401, { error: 'invalid_token' });
      return;
    }
    const { id, method } = JSON.parse(body) as { id: number; method: string };
    const result =
      method === 'server/discover'
        ? { supportedVersions: ['2026-07-28'], capabilities: {} }
        : { content: [{ type: 'text', text: token }] };
    json(response, 200, { jsonrpc: '2.0', id, result: { resultType: 'complete', ...result } });
  }
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
