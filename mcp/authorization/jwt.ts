/**
 * Tokens that say themselves who sends them, signed (RFC 9068): `beamish/mcp/authorization/jwt`. It needs the package
 * `jose`, which an application installs that uses this.
 */

import { DefinitionError } from '../errors.ts';
import { areScopes, type Principal } from './principal.ts';
import type { VerifyToken } from './resource-server.ts';
import { TokenError } from './token-error.ts';

const { createRemoteJWKSet, errors, jwtVerify } = await import('jose').catch((cause: unknown) => {
  if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
  throw new Error('beamish/mcp/authorization/jwt needs the package jose: npm install jose', { cause });
});

/** What `jwtVerifier` is told. */
export interface JwtVerifierOptions {
  /** The authorization server: the claim `iss` must be equal. */
  readonly issuer: string;
  /** Where its keys are: https, or http on this machine. */
  readonly jwksUri: string;
  /**
   * What the claim `aud` must name, or name one of. Default: the resource that the endpoint is (RFC 8707). Give it if
   * the authorization server knows the resource by another name.
   */
  readonly audience?: string | readonly string[];
  /**
   * The signatures that are good. Default: RS256, PS256, ES256, ES384, ES512, EdDSA. Those that sign with a secret
   * (HS256 …) and `none` are refused: whoever can verify such a token could make one.
   */
  readonly algorithms?: readonly string[];
  /** How far clocks may differ. Default 30 s. */
  readonly clockToleranceS?: number;
  /** What the header `typ` must be, such as `'at+jwt'` (RFC 9068). Default: anything. */
  readonly type?: string;
  /** How long keys are good before they are fetched again. Default 600,000. */
  readonly jwksFreshMs?: number;
  /** For how long after a fetch an unknown key is not fetched: forged tokens name any. Default 30,000. */
  readonly jwksCooldownMs?: number;
  /** How long a fetch of keys may take. Default 5,000. */
  readonly jwksTimeoutMs?: number;
}

const defaultAlgorithms = ['RS256', 'PS256', 'ES256', 'ES384', 'ES512', 'EdDSA'];
const asymmetric = /^(?:(?:RS|PS|ES)(?:256|384|512)|EdDSA|Ed25519|ML-DSA-(?:44|65|87))$/;

/**
 * A `verify` for JSON Web Tokens: signature by a key of the authorization server (JWKS; a key that is not known is
 * looked for once per `jwksCooldownMs`), `iss`, `aud`, `exp`, `nbf`, `sub`. Scopes are those of the claim `scope` or
 * `scp`, the client that of `client_id` or `azp`; all claims are in `principal.claims`.
 *
 * It throws `TokenError` (`invalid_token`) for what is wrong with a token; if the keys cannot be had, another error:
 * nobody knows then whether the token is good. Throws `DefinitionError` (`ERR_AUTHORIZATION`) for options that cannot
 * be. Source: RFC 7519, RFC 8725, RFC 9068.
 */
export function jwtVerifier(options: JwtVerifierOptions): VerifyToken {
  const { issuer, jwksUri, audience, algorithms = defaultAlgorithms, clockToleranceS = 30, type } = checked(options);
  const { jwksFreshMs = 600_000, jwksCooldownMs = 30_000, jwksTimeoutMs = 5_000 } = options;
  const keys = createRemoteJWKSet(new URL(jwksUri), {
    cacheMaxAge: jwksFreshMs,
    cooldownDuration: jwksCooldownMs,
    timeoutDuration: jwksTimeoutMs,
  });
  const expected = {
    issuer,
    algorithms: [...algorithms],
    clockTolerance: clockToleranceS,
    requiredClaims: ['exp', 'sub'],
    ...(type === undefined ? {} : { typ: type }),
  };
  return async (token, { resource, nowMs }) => {
    const wanted = audience ?? resource;
    const { payload } = await jwtVerify(token, keys, {
      ...expected,
      audience: typeof wanted === 'string' ? wanted : [...wanted],
      currentDate: new Date(nowMs),
    }).catch(refused);
    const { sub, exp, client_id: clientId, azp } = payload as typeof payload & { client_id?: unknown; azp?: unknown };
    const client = clientId ?? azp;
    if (sub === '' || sub === undefined) throw new TokenError('invalid_token', 'the token names nobody: sub is empty');
    const principal: Principal = {
      subject: sub,
      issuer,
      ...(typeof client === 'string' && client !== '' ? { clientId: client } : {}),
      scopes: scopesOf(payload['scope'] ?? payload['scp']),
      expiresAt: (exp! + clockToleranceS) * 1_000,
      claims: payload,
    };
    return principal;
  };
}

/** Errors that say that the token is wrong; all others say that it could not be looked at. */
const aboutTheToken: readonly string[] = [
  'ERR_JOSE_ALG_NOT_ALLOWED',
  'ERR_JOSE_NOT_SUPPORTED',
  'ERR_JWKS_MULTIPLE_MATCHING_KEYS',
  'ERR_JWKS_NO_MATCHING_KEY',
  'ERR_JWS_INVALID',
  'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
  'ERR_JWT_CLAIM_VALIDATION_FAILED',
  'ERR_JWT_EXPIRED',
  'ERR_JWT_INVALID',
];

function refused(error: unknown): never {
  if (!(error instanceof errors.JOSEError) || !aboutTheToken.includes(error.code)) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`the keys of the authorization server cannot be had: ${why}`, { cause: error });
  }
  if (error instanceof errors.JWTExpired) throw new TokenError('invalid_token', 'the token has expired');
  if (error instanceof errors.JWTClaimValidationFailed) {
    throw new TokenError('invalid_token', `the claim ${error.claim} of the token is not what it must be here`);
  }
  throw new TokenError('invalid_token', 'the token is no JWT that a key of the authorization server has signed');
}

function scopesOf(value: unknown): readonly string[] {
  const words = typeof value === 'string' ? value.split(' ') : Array.isArray(value) ? (value as unknown[]) : [];
  return words.filter((word): word is string => areScopes([word]));
}

function checked(options: JwtVerifierOptions): JwtVerifierOptions {
  const bad = (reason: string): DefinitionError => new DefinitionError('ERR_AUTHORIZATION', `jwtVerifier: ${reason}`);
  const { issuer, jwksUri, audience, algorithms, clockToleranceS, jwksFreshMs, jwksCooldownMs, jwksTimeoutMs } =
    options ?? {};
  if (typeof issuer !== 'string' || issuer === '') throw bad('issuer must be the address of the authorization server');
  const keys = typeof jwksUri === 'string' && URL.canParse(jwksUri) ? new URL(jwksUri) : undefined;
  const near = ['localhost', '127.0.0.1', '[::1]'].includes(keys?.hostname ?? '');
  if (keys?.protocol !== 'https:' && !(keys?.protocol === 'http:' && near)) {
    throw bad('jwksUri must be an https address, or http on this machine');
  }
  const audiences: unknown = typeof audience === 'string' ? [audience] : (audience ?? ['default']);
  if (
    !Array.isArray(audiences) ||
    audiences.length === 0 ||
    audiences.some((each) => !each || typeof each !== 'string')
  ) {
    throw bad('audience must be a text, or an array of them, that is not empty');
  }
  if (algorithms !== undefined && (!Array.isArray(algorithms) || algorithms.length === 0)) {
    throw bad('algorithms must be an array of at least one');
  }
  const wrong = algorithms?.find((each) => !asymmetric.test(each));
  if (wrong !== undefined) throw bad(`algorithms: ${String(wrong)} is no signature with a public key`);
  for (const [name, value] of Object.entries({ clockToleranceS, jwksFreshMs, jwksCooldownMs, jwksTimeoutMs })) {
    if (value === undefined || (Number.isFinite(value) && value >= 0)) continue;
    throw bad(`${name} must be a number of at least 0`);
  }
  return options;
}
