/** Who asks, as the official SDKs tell the handlers of a server (`AuthInfo`). Pure. */

import type { Principal } from '../authorization/principal.ts';

/** Who asks, and what his token is for. Plain data: it goes to the thread of the server. */
export interface Asking {
  readonly principal: Principal;
  /** `AuthorizationSpec.resource`; undefined if the transport has said who it is. */
  readonly resource: string | undefined;
}

/** What handlers find in `extra.authInfo` (v1) and `ctx.http.authInfo` (v2). */
export interface AuthInfo {
  /** Always empty: a token is for this endpoint, and no code of a server gets it. */
  readonly token: '';
  /** Empty if the token names no client. */
  readonly clientId: string;
  readonly scopes: string[];
  /** In seconds since 1970. */
  readonly expiresAt?: number;
  readonly resource?: URL;
  readonly extra: { readonly subject: string; readonly issuer?: string; readonly claims?: Principal['claims'] };
}

/** A new one for each message: it belongs to the code of the server, which may change it. */
export function authInfoOf({ principal, resource }: Asking): AuthInfo {
  const { subject, issuer, clientId, scopes, expiresAt, claims } = principal;
  // Whom no token speaks of is the holder of a certificate: he is the client.
  const client = issuer === undefined ? (clientId ?? subject) : (clientId ?? '');
  return {
    token: '',
    clientId: client,
    scopes: [...scopes],
    ...(expiresAt === undefined ? {} : { expiresAt: Math.floor(expiresAt / 1_000) }),
    ...(resource === undefined ? {} : { resource: new URL(resource) }),
    extra: {
      subject,
      ...(issuer === undefined ? {} : { issuer }),
      ...(claims === undefined ? {} : { claims: structuredClone(claims) }),
    },
  };
}
