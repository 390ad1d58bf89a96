/** Who protects a server: the metadata of the resource, and of its authorization server. */

import type { AuthorizationServer } from 'oauth4webapi';
import { processDiscoveryResponse } from 'oauth4webapi';
import { isJsonObject, type JsonObject } from '../../json-rpc.ts';
import { coversResource, isSafeUrl, resourceMetadataUrls, serverMetadataUrls } from './challenge.ts';

export interface Discovered {
  readonly server: AuthorizationServer;
  /** What tokens must be good for. */
  readonly resource: string;
  readonly resourceScopes: readonly string[] | undefined;
}

/** Rejects with an error that says what is wrong, where. */
export async function discover(mcpServer: string, named: string | undefined, signal: AbortSignal): Promise<Discovered> {
  const metadata = await protectedResource(mcpServer, named, signal);
  // Servers from before there was such metadata are their own authorization servers (2025-03-26).
  if (metadata === undefined) {
    const { origin } = new URL(mcpServer);
    return { server: await authorizationServer(origin, signal), resource: mcpServer, resourceScopes: undefined };
  }
  const { resource, authorization_servers: servers, scopes_supported: scopes } = metadata;
  if (!coversResource(resource, mcpServer)) {
    throw new Error(`the metadata is of the resource ${String(resource)}, not of ${mcpServer}`);
  }
  const issuer = Array.isArray(servers) ? (servers[0] as unknown) : undefined;
  if (typeof issuer !== 'string') throw new Error(`the metadata of ${String(resource)} names no authorization server`);
  return {
    server: await authorizationServer(issuer, signal),
    resource: resource as string,
    resourceScopes: Array.isArray(scopes) ? scopes.filter((scope) => typeof scope === 'string') : undefined,
  };
}

async function protectedResource(
  mcpServer: string,
  named: string | undefined,
  signal: AbortSignal,
): Promise<JsonObject | undefined> {
  for (const url of resourceMetadataUrls(mcpServer, named)) {
    const response = await get(url, signal);
    if (!response.ok) continue;
    const metadata: unknown = await response.json();
    if (!isJsonObject(metadata)) throw new Error(`the resource metadata at ${url} is no object`);
    return metadata;
  }
  if (named === undefined) return undefined;
  throw new Error(`there is no resource metadata at ${named}, where the server says that it is`);
}

async function authorizationServer(issuer: string, signal: AbortSignal): Promise<AuthorizationServer> {
  for (const url of serverMetadataUrls(issuer)) {
    const response = await get(url, signal);
    // It checks that the metadata is of that issuer (RFC 8414, 3.3).
    if (response.ok) return processDiscoveryResponse(new URL(issuer), response);
  }
  throw new Error(`the authorization server ${issuer} has no metadata`);
}

async function get(url: string, signal: AbortSignal): Promise<Response> {
  if (!isSafeUrl(url)) throw new Error(`${url} is neither https nor on this machine`);
  return fetch(url, { headers: { accept: 'application/json' }, redirect: 'manual', signal });
}
