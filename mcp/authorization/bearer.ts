/** What stands in the headers `Authorization` and `WWW-Authenticate` (RFC 6750, RFC 9728). Pure. */

import type { TokenErrorCode } from './token-error.ts';

/** Base64 or its like, as tokens are (RFC 6750, section 2.1). */
const tokenRule = /^[A-Za-z0-9._~+/-]+=*$/;

/** The token of a header. `'none'`: it brings no token at all. `'malformed'`: it says Bearer, and no token follows. */
export function readBearer(header: string | undefined): { readonly token: string } | 'none' | 'malformed' {
  const [, scheme, rest = ''] = /^\s*([^\s,]+)(?:\s+(.*?))?\s*$/s.exec(header ?? '') ?? [];
  if (scheme?.toLowerCase() !== 'bearer') return 'none';
  return tokenRule.test(rest) ? { token: rest } : 'malformed';
}

/** What a client is told that must bring a token, or another one. */
export interface Refusal {
  /** Undefined: it has brought none, which is no error (RFC 6750, section 3). */
  readonly error?: TokenErrorCode;
  readonly description?: string;
  readonly scopes: readonly string[];
}

const STATUS: { readonly [code in TokenErrorCode]: number } = {
  invalid_request: 400,
  invalid_token: 401,
  insufficient_scope: 403,
};

export function statusOf({ error }: Refusal): number {
  return error === undefined ? 401 : STATUS[error];
}

/** The value of `WWW-Authenticate`. */
export function challengeOf(metadataUrl: string, { error, description, scopes }: Refusal): string {
  const parameters = [
    ...(error === undefined ? [] : [`error="${error}"`]),
    ...(description === undefined ? [] : [`error_description="${printable(description)}"`]),
    ...(scopes.length === 0 ? [] : [`scope="${scopes.join(' ')}"`]),
    `resource_metadata="${metadataUrl}"`,
  ];
  return `Bearer ${parameters.join(', ')}`;
}

const descriptionLengthMax = 200;

/** RFC 6750, section 3: no quotes, no backslash, nothing that is not printable ASCII. */
function printable(text: string): string {
  return text
    .slice(0, descriptionLengthMax)
    .replaceAll('"', "'")
    .replaceAll(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, '?');
}

/** Every scope that is needed and was not granted. */
export function missingScopes(needed: readonly string[], granted: readonly string[]): readonly string[] {
  return needed.filter((scope) => !granted.includes(scope));
}
