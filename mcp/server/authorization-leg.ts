/** Who sends a request, at a connection: known at once, or found out by a process that the connection watches. */

import { CallError, type Pid, startChild } from '../../runtime/index.ts';
import type { ConnectionContext, ConnectionDown, HttpRequestHead, Inbound } from '../../transports/transport.ts';
import { challengeOf, missingScopes, type Refusal, readBearer, statusOf } from '../authorization/bearer.ts';
import type { Principal } from '../authorization/principal.ts';
import type { Authorization } from '../authorization/resource-server.ts';
import { errorObject, INTERNAL_ERROR, INVALID_REQUEST } from '../errors.ts';
import { errorMessage } from '../json-rpc.ts';
import { wallMs } from './carried-state.ts';
import { answer, type ConnectionState, type Done } from './connection-state.ts';
import { verificationName } from './node-names.ts';
import { type TokenRefused, tokenKey, type VerificationProtocol } from './token-verification.ts';
import { callersOf } from './usage.ts';

/** What is done with a request when it is known who sends it. */
export type Serve = (
  state: ConnectionState,
  inbound: Inbound,
  http: HttpRequestHead,
  principal: Principal,
  ctx: ConnectionContext,
) => Done;

/** A request whose sender is being found out. */
export interface Waiting {
  readonly inbound: Inbound;
  readonly http: HttpRequestHead;
  readonly key: string;
  /** Its token was verified, and forgotten before this connection could look. */
  readonly again: boolean;
}

/** Serves a request for the principal of its token, now or when that is known; or refuses it. */
export function serveAuthorized(
  state: ConnectionState,
  authorization: Authorization,
  inbound: Inbound,
  http: HttpRequestHead,
  serve: Serve,
  ctx: ConnectionContext,
): Done {
  const { authorization: credentials } = http;
  const nowMs = wallMs(ctx);
  const { lastCaller: last } = state;
  // The requests of one client bring the same token: no digest is made of it again.
  if (last !== undefined && credentials?.equals(last.credentials) === true && nowMs < last.verified.goodUntilMs) {
    return admit(state, authorization, inbound, http, last.verified.principal, serve, ctx);
  }
  const bearer = readBearer(credentials?.reveal());
  if (bearer === 'none') return refuse(state, authorization, inbound, { scopes: authorization.scopes }, ctx);
  if (bearer === 'malformed') {
    const description = 'Authorization must be: Bearer, a space, and a token';
    return refuse(state, authorization, inbound, { error: 'invalid_request', description, scopes: [] }, ctx);
  }
  const key = tokenKey(state.config.transport, authorization, bearer.token);
  const waiting = { inbound, http, key, again: false };
  const principal = knownBy(state, waiting, ctx);
  if (principal === undefined) return findOut(state, authorization, waiting, ctx);
  return admit(state, authorization, inbound, http, principal, serve, ctx);
}

function knownBy(state: ConnectionState, { http, key }: Waiting, ctx: ConnectionContext): Principal | undefined {
  const { node, limits } = state.config;
  const verified = callersOf(node, limits, ctx)?.tokens.get(key, wallMs(ctx));
  const { authorization: credentials } = http;
  if (verified !== undefined && credentials !== undefined) state.lastCaller = { credentials, verified };
  return verified?.principal;
}

function admit(
  state: ConnectionState,
  authorization: Authorization,
  inbound: Inbound,
  http: HttpRequestHead,
  principal: Principal,
  serve: Serve,
  ctx: ConnectionContext,
): Done {
  const missing = missingScopes(authorization.scopes, principal.scopes);
  if (missing.length === 0) return serve(state, inbound, http, principal, ctx);
  const description = `every request needs ${authorization.scopes.join(' ')}`;
  const refusal = { error: 'insufficient_scope', description, scopes: authorization.scopes } as const;
  return refuse(state, authorization, inbound, refusal, ctx);
}

/** One process for a token, however many requests bring it, on however many connections. */
function findOut(state: ConnectionState, authorization: Authorization, waiting: Waiting, ctx: ConnectionContext): Done {
  const name = verificationName(state.config.node, waiting.key);
  const running = ctx.whereis(name);
  if (running !== undefined) {
    waitFor(state, running, waiting, ctx);
    return undefined;
  }
  const { key, http } = waiting;
  const request = { key, authorization, credentials: http.authorization };
  return startChild(ctx, state.names.verificationSup, request).then(
    (started) => {
      const pid = ('ok' in started ? started.ok : undefined) ?? ctx.whereis(name);
      if (pid !== undefined) waitFor(state, pid, waiting, ctx);
      else unknown(state, waiting, ctx);
    },
    (error: unknown) => {
      if (!(error instanceof CallError)) throw error;
      unknown(state, waiting, ctx); // its supervisor is being restarted
    },
  );
}

/** It begins when it is monitored: how it ends must not be missed. */
function waitFor(
  state: ConnectionState,
  verification: Pid<VerificationProtocol>,
  waiting: Waiting,
  ctx: ConnectionContext,
): void {
  state.verifying.set(ctx.monitor(verification), waiting);
  ctx.cast(verification, 'begin');
}

/** Whether it was a verification that has ended; then what was waited for goes on. */
export function verificationEnded(
  state: ConnectionState,
  { ref, reason }: ConnectionDown,
  serve: Serve,
  ctx: ConnectionContext,
): boolean | Promise<void> {
  const waiting = state.verifying.get(ref);
  const { authorization } = state.config;
  if (waiting === undefined || authorization === undefined) return false;
  state.verifying.delete(ref);
  const { inbound, http, again } = waiting;
  const refused = (reason as { readonly shutdown?: Partial<TokenRefused> } | null)?.shutdown?.token_refused;
  if (refused !== undefined) {
    const { code: error, message: description, scopes } = refused;
    const asked = error === 'invalid_token' && scopes.length === 0 ? authorization.scopes : scopes;
    refuse(state, authorization, inbound, { error, description, scopes: asked }, ctx);
    return true;
  }
  const principal = knownBy(state, waiting, ctx);
  if (principal !== undefined) return admit(state, authorization, inbound, http, principal, serve, ctx) ?? true;
  if (!again && reason === 'normal') return findOut(state, authorization, { ...waiting, again: true }, ctx) ?? true;
  unknown(state, waiting, ctx);
  return true;
}

/** The peer has left an exchange. */
export function forgetWaiting(state: ConnectionState, exchange: number, ctx: ConnectionContext): void {
  for (const [ref, { inbound }] of state.verifying) {
    if (inbound.exchange !== exchange) continue;
    state.verifying.delete(ref);
    ctx.demonitor(ref, { flush: true });
  }
}

/** Nobody knows whether the token is good: that is no fault of it. */
function unknown(state: ConnectionState, { inbound }: Waiting, ctx: ConnectionContext): void {
  const error = errorObject(INTERNAL_ERROR, 'the token cannot be verified now; try again', { reason: 'unverified' });
  answer(state, ctx, inbound.exchange, errorMessage(undefined, error), { status: 503 });
}

const PROBLEM = 'this server needs a token: see WWW-Authenticate';

function refuse(
  state: ConnectionState,
  { metadataUrl }: Authorization,
  { exchange }: Inbound,
  refusal: Refusal,
  ctx: ConnectionContext,
): undefined {
  const { error = 'unauthorized', description = PROBLEM } = refusal;
  const told = errorMessage(undefined, errorObject(INVALID_REQUEST, description, { reason: error }));
  const headers = { 'WWW-Authenticate': challengeOf(metadataUrl, refusal) };
  answer(state, ctx, exchange, told, { status: statusOf(refusal), headers });
}

/** The header of the answer to a request that needs other scopes; those that there are go on being asked for. */
export function scopeChallenge(
  { config: { authorization } }: ConnectionState,
  needed: readonly string[],
  principal: Principal | undefined,
): { readonly headers?: Readonly<Record<string, string>> } {
  if (authorization === undefined) return {};
  const { scopesSupported: offered } = authorization;
  const kept = (principal?.scopes ?? []).filter((scope) => offered?.includes(scope) ?? true);
  const scopes = [...new Set([...authorization.scopes, ...kept, ...needed])];
  const description = `this needs ${needed.join(' ')}`;
  const refusal = { error: 'insufficient_scope', description, scopes } as const;
  return { headers: { 'WWW-Authenticate': challengeOf(authorization.metadataUrl, refusal) } };
}
