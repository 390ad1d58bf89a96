/** An MCP node that wants tokens, under an HTTP server whose address is known before it starts. */

import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type JwtVerifierOptions, jwtVerifier } from '../../mcp/authorization/jwt.ts';
import {
  type AuthorizationSpec,
  type McpLimits,
  type McpNodeSpec,
  type McpServer,
  type MountedServer,
  mcpNode,
  type VerifyToken,
} from '../../mcp/index.ts';
import { type ChildSpec, type System, type SystemOptions, startSystem } from '../../runtime/index.ts';
import { deepFreeze, type SimulatedClock } from '../../runtime/testing.ts';
import { mountHttp } from '../../transports/http/index.ts';
import { AuthorizationServer } from './authorization-server.ts';
import { SystemEvents } from './mcp-events.ts';
import { type Cleanup, killSystem, systemName } from './test-system.ts';

export interface ProtectedNode {
  readonly system: System;
  readonly events: SystemEvents;
  readonly issuer: AuthorizationServer;
  readonly origin: string;
  readonly url: string;
  /** The header that brings a token; `claims` as `AuthorizationServer.token` takes them. */
  bearer(claims?: Record<string, unknown>): Promise<Record<string, string>>;
}

export interface ProtectedOptions {
  readonly server: McpServer | MountedServer;
  readonly limits?: Partial<McpLimits>;
  /** More that the node is told, and the children that it needs. */
  readonly node?: Pick<McpNodeSpec, 'computePool'>;
  readonly before?: readonly ChildSpec[];
  readonly clock?: SimulatedClock;
  readonly threads?: SystemOptions['threads'];
  readonly jwt?: Partial<JwtVerifierOptions>;
  readonly authorization?: Partial<AuthorizationSpec>;
  /** Stands before the verifier of JWTs. */
  readonly verify?: (jwt: VerifyToken) => VerifyToken;
}

export async function startProtectedNode(t: Cleanup, options: ProtectedOptions): Promise<ProtectedNode> {
  const { server, limits = {}, node = {}, before = [], clock, threads, jwt, verify = (base) => base } = options;
  const issuer = await AuthorizationServer.start(t);
  let handler: RequestListener = (_request, response) => response.writeHead(503).end();
  const http = createServer((request, response) => handler(request, response));
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  t.after(() => {
    http.closeAllConnections();
    http.close();
  });
  const origin = `http://127.0.0.1:${(http.address() as { port: number }).port}`;
  const url = `${origin}/mcp`;
  const authorization: AuthorizationSpec = {
    resource: url,
    authorizationServers: [issuer.issuer],
    verify: verify(jwtVerifier({ issuer: issuer.issuer, jwksUri: issuer.jwksUri, ...jwt })),
    ...options.authorization,
  };
  const transport = mountHttp();
  const name = systemName();
  const events = new SystemEvents(t, name);
  const system = await startSystem({
    name,
    children: [
      ...before,
      mcpNode('mcp', { servers: [server], transports: [{ transport, authorization }], limits, ...node }),
    ],
    onSend: deepFreeze,
    ...(clock === undefined ? {} : { clock }),
    ...(threads === undefined ? {} : { threads }),
  });
  t.after(() => killSystem(system));
  handler = transport.handler(system);
  const bearer = async (claims?: Record<string, unknown>): Promise<Record<string, string>> => ({
    authorization: `Bearer ${await issuer.token(url, claims)}`,
  });
  return { system, events, issuer, origin, url, bearer };
}
