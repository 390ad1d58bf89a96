/** Why a token is not enough (RFC 6750, section 3.1). */
export type TokenErrorCode = 'invalid_request' | 'invalid_token' | 'insufficient_scope';

/**
 * What `verify` throws to refuse a token: `'invalid_token'` (HTTP 401: it is wrong, expired, revoked, for somebody
 * else), `'insufficient_scope'` (403: `scopes` names what is needed), `'invalid_request'` (400: it is none). The client
 * is told the message, so it must not hold the token. Anything else that `verify` throws means that nobody knows: the
 * client is told to try again (503), and the fault is reported. Source: RFC 6750, section 3.1.
 */
export class TokenError extends Error {
  override readonly name = 'TokenError';
  readonly code: TokenErrorCode;
  readonly scopes: readonly string[];

  constructor(code: TokenErrorCode, message: string, scopes: readonly string[] = []) {
    super(message);
    this.code = code;
    this.scopes = scopes;
  }
}
