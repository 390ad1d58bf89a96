/** An endpoint as an OAuth 2.1 resource server: what it is told, and what it publishes of itself. Pure. */

import type { MaybePromise } from '../../runtime/index.ts';
import { DefinitionError } from '../errors.ts';
import { isJsonObject, type JsonObject } from '../json-rpc.ts';
import { areScopes, type Principal } from './principal.ts';

/** What `verify` may use. */
export interface VerifyInfo {
  /** What the token must be good for: `AuthorizationSpec.resource`. */
  readonly resource: string;
  /** The time, in milliseconds since 1970. */
  readonly nowMs: number;
  /** Aborted when nobody waits any more: the time `verifyTimeoutMs` is over. */
  readonly signal: AbortSignal;
}

/**
 * Says who sends a token, or throws a `TokenError`. The token was issued for this resource, by one of its authorization
 * servers, and is good now: all of that is for this function to find out. The token is not to be sent to anybody but
 * the authorization server. `issuer` of the principal may be left out where there is one authorization server.
 */
export type VerifyToken = (
  token: string,
  info: VerifyInfo,
) => MaybePromise<Omit<Principal, 'issuer'> & Partial<Principal>>;

/** Who may use an endpoint that is reached over HTTP. */
export interface AuthorizationSpec {
  /**
   * The address of the endpoint as clients know it, which their tokens are for (RFC 8707): `https://mcp.example/mcp`;
   * `http:` on this machine only. No query and no fragment.
   */
  readonly resource: string;
  /** The issuers whose tokens are good here. At least one. */
  readonly authorizationServers: readonly string[];
  /** What every request needs. Default: none; tools, resources and prompts say for themselves what they need. */
  readonly scopes?: readonly string[];
  /** The scopes that clients may ask for. Default: those that every request needs. */
  readonly scopesSupported?: readonly string[];
  /** More members of the metadata of the resource (RFC 9728, section 2), such as `resource_documentation`. */
  readonly metadata?: { readonly [member: string]: unknown };
  readonly verify: VerifyToken;
}

/** A specification that has been checked. */
export interface Authorization {
  readonly resource: string;
  readonly authorizationServers: readonly string[];
  readonly scopes: readonly string[];
  readonly scopesSupported: readonly string[] | undefined;
  readonly verify: VerifyToken;
  /** Where clients find the metadata. */
  readonly metadataUrl: string;
  /** By path. */
  readonly documents: { readonly [path: string]: object };
}

const wellKnown = '/.well-known/oauth-protected-resource';

/** Throws `DefinitionError` (`ERR_AUTHORIZATION`). */
export function checkedAuthorization(spec: unknown, where: string): Authorization {
  const bad = (reason: string): DefinitionError =>
    new DefinitionError('ERR_AUTHORIZATION', `${where}, authorization: ${reason}`);
  if (!isJsonObject(spec)) throw bad('it must be { resource, authorizationServers, verify, … }');
  const { resource, authorizationServers: servers, scopes = [], scopesSupported, metadata = {}, verify } = spec;
  if (typeof resource !== 'string' || !isSafeUrl(resource) || /[?#]/.test(resource)) {
    throw bad('resource must be the address of the endpoint: https (http on this machine), no query, no fragment');
  }
  if (!Array.isArray(servers) || servers.length === 0 || !servers.every((each) => isSafeUrl(each))) {
    throw bad('authorizationServers must be an array of at least one address: https (http on this machine)');
  }
  for (const [name, value] of Object.entries({ scopes, scopesSupported })) {
    if (value === undefined || areScopes(value)) continue;
    throw bad(`${name} must be an array of texts like 'files:write', without spaces`);
  }
  if (!isJsonObject(metadata)) throw bad('metadata must be an object');
  if (typeof verify !== 'function') throw bad('verify must be a function, such as jwtVerifier(…)');
  const needed = scopes as readonly string[];
  const supported = (scopesSupported ?? (needed.length > 0 ? needed : undefined)) as readonly string[] | undefined;
  const { origin, pathname } = new URL(resource);
  const path = pathname === '/' ? wellKnown : `${wellKnown}${pathname}`;
  const document = Object.freeze({
    ...(metadata as JsonObject),
    resource,
    authorization_servers: servers as readonly string[],
    ...(supported === undefined ? {} : { scopes_supported: supported }),
    bearer_methods_supported: ['header'],
  });
  return Object.freeze({
    resource,
    authorizationServers: Object.freeze([...(servers as readonly string[])]),
    scopes: Object.freeze([...needed]),
    scopesSupported: supported,
    verify: verify as VerifyToken,
    metadataUrl: `${origin}${path}`,
    // Clients look at the path of the resource first, then here (RFC 9728, section 3.1; MCP 2025-11-25, Authorization).
    documents: { [path]: document, [wellKnown]: document },
  });
}

/** Whether an address may be spoken to: encrypted, or on this machine. */
function isSafeUrl(text: unknown): boolean {
  if (typeof text !== 'string' || !URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return protocol === 'https:' || (protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(hostname));
}
