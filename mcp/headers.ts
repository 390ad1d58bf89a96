/**
 * The HTTP headers of MCP: the ladder of 2026-07-28 (basic/transports/streamable-http, Server Validation), session
 * ids.
 */

import { type ErrorObject, errorObject, HEADER_MISMATCH, INVALID_REQUEST, quoted } from './errors.ts';
import { isJsonObject, type NotificationMessage, type RequestMessage } from './json-rpc.ts';
import type { McpLimits } from './limits.ts';
import type { Revision } from './revision/contract.ts';

/** Header names are lower-case, as Node has them. */
export type Headers = Readonly<Record<string, string>>;

export const VERSION_HEADER = 'mcp-protocol-version';
export const SESSION_HEADER = 'mcp-session-id';
const methodHeader = 'mcp-method';
const nameHeader = 'mcp-name';

const sentinelStart = '=?base64?';
const sentinelEnd = '?=';

/**
 * The value that a header stands for: plain, or `=?base64?…?=` around base64 of UTF-8. Undefined if it is malformed:
 * other characters than visible ASCII, space and tab, base64 that is not canonical, bytes that are no UTF-8.
 */
export function decodeHeader(raw: string): string | undefined {
  const value = trimmed(raw);
  if (!/^[\t\x20-\x7e]*$/.test(value)) return undefined;
  if (!value.startsWith(sentinelStart) || !value.endsWith(sentinelEnd)) return value;
  if (value.length < sentinelStart.length + sentinelEnd.length) return value;
  const encoded = value.slice(sentinelStart.length, -sentinelEnd.length);
  const bytes = Buffer.from(encoded, 'base64');
  // Buffer skips what is not base64 and forgives padding; what it then writes back differs.
  if (bytes.toString('base64') !== encoded) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined; // not UTF-8
  }
}

/** A value as a header: as it is where HTTP and the sentinel allow it, else in base64. */
export function encodeHeader(value: string): string {
  const plain = /^[\x20-\x7e]*$/.test(value) && value === value.trim();
  const ambiguous = value.startsWith(sentinelStart) && value.endsWith(sentinelEnd);
  return plain && !ambiguous ? value : `${sentinelStart}${Buffer.from(value).toString('base64')}${sentinelEnd}`;
}

/** Without the optional white space around it (RFC 9110, 5.5). */
function trimmed(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && isSpace(value.charCodeAt(start))) start += 1;
  while (end > start && isSpace(value.charCodeAt(end - 1))) end -= 1;
  return value.slice(start, end);
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

export function mismatch(message: string): ErrorObject {
  return errorObject(HEADER_MISMATCH, message);
}

/** `MCP-Protocol-Version`, undefined if it is absent. */
export function versionHeader(headers: Headers): string | undefined {
  const value = headers[VERSION_HEADER];
  return value === undefined ? undefined : trimmed(value);
}

/**
 * Whether the standard headers of a stateless message say what its body says: -32020 if not. Requests must have
 * `MCP-Protocol-Version`, `Mcp-Method` and, when their method has a name, `Mcp-Name`; what a notification has must
 * agree.
 */
export function standardHeadersProblem(
  headers: Headers,
  message: RequestMessage | NotificationMessage,
  revision: Revision,
): ErrorObject | undefined {
  const required = message.kind === 'request';
  if (required && versionHeader(headers) === undefined) return mismatch('the MCP-Protocol-Version header is missing');
  const method = headers[methodHeader];
  if (method === undefined) {
    if (required) return mismatch('the Mcp-Method header is missing');
  } else if (trimmed(method) !== message.method) {
    return mismatch(`Mcp-Method is ${quoted(method)}, the method of the body is ${quoted(message.method)}`);
  }
  return required ? nameHeaderProblem(headers, message, revision) : undefined;
}

function nameHeaderProblem(headers: Headers, request: RequestMessage, revision: Revision): ErrorObject | undefined {
  const source = revision.requests.get(request.method)?.nameHeader;
  if (source === undefined || !isJsonObject(request.params)) return undefined;
  const named = request.params[source];
  // Without a name in the body there is nothing to agree with; the check of the parameters says so.
  if (typeof named !== 'string') return undefined;
  const raw = headers[nameHeader];
  if (raw === undefined) return mismatch(`the Mcp-Name header is missing; it must repeat params.${source}`);
  const value = decodeHeader(raw);
  if (value === undefined) return mismatch('the Mcp-Name header is malformed');
  if (value === named) return undefined;
  return mismatch(`Mcp-Name is ${quoted(value)}, params.${source} of the body is ${quoted(named)}`);
}

/** The id of a session in `Mcp-Session-Id`: visible ASCII (2025-11-25, basic/transports, Session Management). */
export function sessionIdOf(
  headers: Headers,
  { sessionIdLengthMax }: McpLimits,
): { readonly sessionId: string | undefined } | { readonly error: ErrorObject } {
  const raw = headers[SESSION_HEADER];
  if (raw === undefined) return { sessionId: undefined };
  const sessionId = trimmed(raw);
  if (sessionId.length <= sessionIdLengthMax && /^[\x21-\x7e]+$/.test(sessionId)) return { sessionId };
  const rule = `Mcp-Session-Id must be 1 to ${sessionIdLengthMax} visible ASCII characters`;
  return { error: errorObject(INVALID_REQUEST, rule) };
}
