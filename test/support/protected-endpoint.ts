/** An MCP server that is hardly more than its protection: it answers calls with the token that they came with. */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { AuthorizationServer } from './authorization-server.ts';
import type { Cleanup } from './test-system.ts';

export class ProtectedEndpoint {
  readonly issuer: AuthorizationServer;
  /** Tokens that it accepts beside those of its authorization server. */
  readonly good = new Set<string>();
  private readonly expired = new Set<string>();
  private readonly http = createServer((request, response) => void this.serve(request, response));

  private constructor(issuer: AuthorizationServer) {
    this.issuer = issuer;
  }

  static async start(t: Cleanup): Promise<ProtectedEndpoint> {
    const endpoint = new ProtectedEndpoint(await AuthorizationServer.start(t, { signs: false }));
    endpoint.http.listen(0, '127.0.0.1');
    await once(endpoint.http, 'listening');
    t.after(() => {
      endpoint.http.closeAllConnections();
      endpoint.http.close();
    });
    return endpoint;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.http.address() as { port: number }).port}`;
  }

  get url(): string {
    return `${this.origin}/mcp`;
  }

  /** The tokens so far are good no more. */
  expire(): void {
    for (const token of [...this.good, ...this.issuer.issued]) this.expired.add(token);
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const { pathname } = new URL(request.url!, this.origin);
    if (pathname === '/mcp') this.mcp(request, response, body);
    else if (pathname === '/.well-known/oauth-protected-resource/mcp') {
      const authorizationServers = [this.issuer.issuer];
      json(response, 200, {
        resource: this.url,
        authorization_servers: authorizationServers,
        scopes_supported: ['read'],
      });
    } else json(response, 404, {});
  }

  private mcp(request: IncomingMessage, response: ServerResponse, body: string): void {
    const token = /^Bearer (.*)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const known = this.good.has(token) || this.issuer.issued.has(token);
    if (!known || this.expired.has(token)) {
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
