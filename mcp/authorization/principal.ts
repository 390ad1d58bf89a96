import { DefinitionError } from '../errors.ts';
import { describeExcess, excessOf } from '../json-bounds.ts';
import { isJsonObject } from '../json-rpc.ts';

/** Who asks: whom a token speaks of, or the name that a transport has verified. Plain data. */
export interface Principal {
  /** Who it is, to the issuer. */
  readonly subject: string;
  /** Who says so: the authorization server. Absent if the transport has said it. */
  readonly issuer?: string;
  /** The client that acts for the subject. */
  readonly clientId?: string;
  /** What the client may do; none without a token. */
  readonly scopes: readonly string[];
  /** When the token ends, in milliseconds since 1970. */
  readonly expiresAt?: number;
  /** What else is known of the subject. JSON. */
  readonly claims?: { readonly [name: string]: unknown };
}

/**
 * Names an authorization context: whoever has another key has other sessions, tasks and states of requests. One client
 * of a person has no share in what the same person has granted another.
 */
export function principalKey(principal: Principal): string;
export function principalKey(principal: Principal | undefined): string | undefined;
export function principalKey(principal: Principal | undefined): string | undefined {
  if (principal === undefined) return undefined;
  const { issuer, subject, clientId } = principal;
  return JSON.stringify([issuer ?? null, subject, clientId ?? null]);
}

/** Whom a transport has verified, of whom no token speaks. */
export function transportPrincipal(name: string): Principal {
  return Object.freeze({ subject: name, scopes: Object.freeze([]) });
}

/** RFC 6749, appendix A.4: a scope is of printable characters without space, `"` and `\`. */
const scopeRule = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

export function areScopes(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((scope) => typeof scope === 'string' && scopeRule.test(scope));
}

/** The scopes of a tool, a resource or a prompt; undefined: it needs none. */
export function requiredScopes(
  scopes: unknown,
  place: string,
  code: DefinitionError['code'],
): readonly string[] | undefined {
  if (scopes === undefined) return undefined;
  if (areScopes(scopes)) return Object.freeze([...scopes]);
  throw new DefinitionError(code, `${place}: scopes must be an array of texts like 'files:write', without spaces`);
}

const claimsDepthMax = 16;
const claimsNodesMax = 1_000;
const nameLengthMax = 1_024;

/**
 * What a hook has returned, checked, copied and frozen: every request of its token shares it. Throws a `TypeError` that
 * says what is wrong. `issuer`: who it is if the hook does not say.
 */
export function checkedPrincipal(value: unknown, issuer: string | undefined): Principal {
  const given: unknown = value;
  if (!isJsonObject(given)) throw new TypeError('verify must return a principal: { subject, scopes, … }');
  const { subject, clientId, scopes, expiresAt, claims } = given;
  const said = given['issuer'] ?? issuer;
  if (!isName(subject)) throw new TypeError('the subject of a principal must be a text that is not empty');
  if (!isName(said)) throw new TypeError('a principal must name its issuer: there are several authorization servers');
  if (clientId !== undefined && !isName(clientId)) throw new TypeError('the clientId of a principal must be a text');
  if (!areScopes(scopes)) throw new TypeError('the scopes of a principal must be an array of texts without spaces');
  if (expiresAt !== undefined && !Number.isFinite(expiresAt)) {
    throw new TypeError('expiresAt of a principal must be a number: milliseconds since 1970');
  }
  if (claims !== undefined && !isJsonObject(claims)) throw new TypeError('the claims of a principal must be an object');
  const excess = excessOf(claims, claimsDepthMax, claimsNodesMax);
  if (excess !== undefined) {
    throw new TypeError(`the claims of a principal: ${describeExcess(excess, claimsDepthMax, claimsNodesMax)}`);
  }
  return frozen({
    subject,
    issuer: said,
    ...(clientId === undefined ? {} : { clientId }),
    scopes: [...scopes],
    ...(expiresAt === undefined ? {} : { expiresAt: expiresAt as number }),
    // As JSON: what it cannot be could not go to another thread either.
    ...(claims === undefined ? {} : { claims: JSON.parse(JSON.stringify(claims)) as NonNullable<Principal['claims']> }),
  });
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= nameLengthMax;
}

/** The depth is bounded. */
function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const each of Object.values(value)) frozen(each);
  return Object.freeze(value);
}
