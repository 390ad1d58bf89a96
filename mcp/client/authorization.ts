import type { Call, Dest } from '../../runtime/index.ts';

/** What a server has answered to a request: HTTP 401 or 403, and why. */
export interface Challenge {
  readonly status: 401 | 403;
  /** The header `WWW-Authenticate`. */
  readonly header: string | undefined;
  /** The token that the request had; undefined if it had none. */
  readonly token: string | undefined;
  /** Somebody wants it tried again although a person has refused before. */
  readonly insists: boolean;
}

/** What a challenge brings: a token to try again with, or why there is none. */
export type Authorized = { readonly ok: string } | { readonly error: { readonly message: string } };

/**
 * What a client asks the process that keeps its tokens; `oauthTokens` makes one. Any process that answers these calls
 * can take its place.
 */
export interface AuthorizationProtocol {
  readonly call: {
    /** The token to begin with; undefined if there is none yet. */
    readonly current: Call<void, string | undefined>;
    /** The server wants another token than that one. */
    readonly challenged: Call<Challenge, Authorized>;
  };
}

/** Where the tokens are kept. */
export type Authorization = Dest<AuthorizationProtocol>;
