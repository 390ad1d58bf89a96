import { createHash } from 'node:crypto';
import {
  type Context,
  type GenServer,
  genServer,
  type HandlerResult,
  type InitResult,
  ignore,
  initOk,
  noreply,
  stop,
  stopInit,
} from '../../runtime/index.ts';
import type { Credentials } from '../../transports/transport.ts';
import { readBearer } from '../authorization/bearer.ts';
import { checkedPrincipal, type Principal } from '../authorization/principal.ts';
import type { Authorization } from '../authorization/resource-server.ts';
import { TokenError, type TokenErrorCode } from '../authorization/token-error.ts';
import type { McpLimits } from '../limits.ts';
import { wallMs } from './carried-state.ts';
import { verificationName } from './node-names.ts';
import { callersOf, occupy } from './usage.ts';

export interface VerificationStart {
  readonly node: string;
  readonly limits: McpLimits;
}

/** A token whose sender is to be found out. */
export interface VerificationRequest {
  /** See `tokenKey`. */
  readonly key: string;
  readonly authorization: Authorization;
  /** Not the token itself: what a process was started with stands in reports. */
  readonly credentials: Credentials;
}

/** Why a token was refused, as the reason of an exit. */
export interface TokenRefused {
  readonly token_refused: {
    readonly code: TokenErrorCode;
    readonly message: string;
    readonly scopes: readonly string[];
  };
}

export interface VerificationProtocol {
  readonly cast: {
    /** Somebody waits, and monitors it: from now on it may end. */
    readonly begin: void;
  };
  readonly info: { readonly verified: unknown; readonly failed: unknown; readonly deadline: void };
}

interface State extends VerificationStart {
  readonly request: VerificationRequest;
  begun: boolean;
}

type Ctx = Context<VerificationProtocol>;

/**
 * Runs `verify` for one token, for all requests that bring it: a hook that hangs, throws or never settles costs them,
 * and nobody else. Who waits monitors it: `'normal'` means that the answer is among the tokens that are remembered.
 */
export const TokenVerification: GenServer<VerificationProtocol, readonly [VerificationStart, VerificationRequest]> =
  genServer(import.meta, 'TokenVerification', {
    init([{ node, limits }, request], ctx): InitResult<State> {
      ctx.setLabel('verification of a token');
      const name = verificationName(node, request.key);
      // Another connection was quicker.
      if (ctx.whereis(name) !== undefined) return ignore();
      if (!occupy(node, 'verifications', limits.verificationsMax, limits, ctx)) {
        return stopInit({ shutdown: 'too_many_verifications' });
      }
      ctx.register(name);
      ctx.sendAfter(limits.verifyTimeoutMs, 'deadline');
      return initOk({ node, limits, request, begun: false });
    },
    handleCast: {
      begin: (state, _payload, ctx) => {
        if (state.begun) return noreply(state);
        state.begun = true;
        return verify(state, ctx);
      },
    },
    handleInfo: {
      verified: (state, returned, ctx) => verified(state, returned, ctx),
      failed: (state, error) => failed(state, error),
      deadline: (state) => stop({ verification_timeout: { timeoutMs: state.limits.verifyTimeoutMs } }, state),
    },
  });

/** The same token is good for one endpoint and not for another. Only a digest of it is kept. */
export function tokenKey(transport: string, { resource }: Authorization, token: string): string {
  return createHash('sha256')
    .update(JSON.stringify([transport, resource, token]))
    .digest('base64url');
}

function verify(state: State, ctx: Ctx): HandlerResult<State> {
  const { authorization, credentials } = state.request;
  const bearer = readBearer(credentials.reveal());
  if (typeof bearer === 'string') throw new Error('only a token can be verified');
  const abort = new AbortController();
  // Its listeners are the user's code: they run after the kernel has finished with the exit.
  ctx.openPort({ close: () => queueMicrotask(() => abort.abort()) });
  const info = { resource: authorization.resource, nowMs: wallMs(ctx), signal: abort.signal };
  let returned: unknown;
  try {
    returned = authorization.verify(bearer.token, info);
  } catch (error) {
    return failed(state, error);
  }
  const deliver = (tag: 'verified' | 'failed', value: unknown): void => {
    if (ctx.isAlive(ctx.self)) ctx.send(ctx.self, tag, value);
  };
  Promise.resolve(returned).then(
    (value) => deliver('verified', value),
    (error: unknown) => deliver('failed', error),
  );
  return noreply(state);
}

function verified(state: State, returned: unknown, ctx: Ctx): HandlerResult<State> {
  const { node, limits, request } = state;
  const { authorizationServers: servers } = request.authorization;
  const principal: Principal = checkedPrincipal(returned, servers.length === 1 ? servers[0] : undefined);
  const nowMs = wallMs(ctx);
  const { expiresAt = Number.POSITIVE_INFINITY } = principal;
  if (expiresAt <= nowMs) return failed(state, new TokenError('invalid_token', 'the token has expired'));
  const goodUntilMs = Math.min(expiresAt, nowMs + limits.tokenFreshMs);
  callersOf(node, limits, ctx)?.tokens.set(request.key, { principal, goodUntilMs });
  return stop('normal', state);
}

/** What is no `TokenError` says nothing of the token: it is a fault, which the reports should name. */
function failed(state: State, error: unknown): HandlerResult<State> {
  if (!(error instanceof TokenError)) throw error;
  const { code, message, scopes } = error;
  return stop({ shutdown: { token_refused: { code, message, scopes } } satisfies TokenRefused }, state);
}
