import type { ErrorObject } from '../errors.ts';

/**
 * Why a request brought no result. `code`:
 *
 * - `ERR_MCP_RPC`: the server answered with an error; it is in `rpc`.
 * - `ERR_MCP_TIMEOUT`: no answer within the time; the server was told, and a late answer is dropped.
 * - `ERR_MCP_CANCELLED`: the signal was aborted; the server was told.
 * - `ERR_MCP_CONNECTION_LOST`: the connection ended after the request was sent. It may have been carried out.
 * - `ERR_MCP_UNAVAILABLE`: there is no connection, and it was not sent: the server keeps failing (`crash_loop`), or no
 *   client of that name runs.
 * - `ERR_MCP_UNSUPPORTED`: the agreed revision has no such request; it was not sent.
 * - `ERR_MCP_RESULT`: what the server answered is not what the specification says.
 * - `ERR_MCP_INPUT`: the server asked for input that no handler gives, or more often than `inputRoundsMax`.
 * - `ERR_MCP_BUSY`: `requestsMax` requests are under way; it was not sent.
 * - `ERR_MCP_HTTP`: an HTTP status without a JSON-RPC error; it is in `status`.
 * - `ERR_MCP_AUTH`: the server wants an authorization that there is none of.
 */
export interface McpFailure {
  readonly code:
    | 'ERR_MCP_RPC'
    | 'ERR_MCP_TIMEOUT'
    | 'ERR_MCP_CANCELLED'
    | 'ERR_MCP_CONNECTION_LOST'
    | 'ERR_MCP_UNAVAILABLE'
    | 'ERR_MCP_UNSUPPORTED'
    | 'ERR_MCP_RESULT'
    | 'ERR_MCP_INPUT'
    | 'ERR_MCP_BUSY'
    | 'ERR_MCP_HTTP'
    | 'ERR_MCP_AUTH';
  readonly message: string;
  /** The error as the server sent it. */
  readonly rpc?: ErrorObject;
  /** The HTTP status, if that is what went wrong. */
  readonly status?: number;
}

/** What a request brings. */
export type Reply<T> = { readonly ok: T } | { readonly error: McpFailure };

export function failure(code: McpFailure['code'], message: string, more: Partial<McpFailure> = {}): McpFailure {
  return { code, message, ...more };
}

export function failed(code: McpFailure['code'], message: string, more?: Partial<McpFailure>): { error: McpFailure } {
  return { error: failure(code, message, more) };
}
