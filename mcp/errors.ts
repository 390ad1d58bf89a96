/**
 * The JSON-RPC error codes of MCP, and the errors that the code of a server or a definition may raise.
 *
 * Policies. 2025-11-25 and older: any code of -32000 … -32099 may be used. 2026-07-28 (basic, Error Codes): -32000 …
 * -32019 are legacy and not for new use, -32020 … -32099 belong to the specification and only those below may be sent,
 * -32002 and -32042 must not be sent; codes of one's own lie outside -32768 … -32000. The revision modules enforce it
 * on what they encode.
 */

/** The text is not JSON. */
export const PARSE_ERROR = -32700;
/** The JSON is not a JSON-RPC message that may be sent here. */
export const INVALID_REQUEST = -32600;
/** No such method, or one of a capability that this server has not declared. */
export const METHOD_NOT_FOUND = -32601;
/** The parameters are malformed, or name a tool, a cursor … that does not exist. */
export const INVALID_PARAMS = -32602;
/** The server failed, not the request. */
export const INTERNAL_ERROR = -32603;
/** No such resource; 2025-11-25 and older only, -32602 since. */
export const RESOURCE_NOT_FOUND = -32002;
/** The user must visit a URL first; 2025-11-25 only. */
export const URL_ELICITATION_REQUIRED = -32042;
/** An HTTP header is missing, malformed, or says another thing than the body; 2026-07-28, HTTP 400. */
export const HEADER_MISMATCH = -32020;
/**
 * The request needs a capability that its client has not declared: `data.requiredCapabilities`; 2026-07-28, HTTP 400.
 */
export const MISSING_REQUIRED_CLIENT_CAPABILITY = -32021;
/** The request is of a revision that is not served here: `data.supported`, `data.requested`; 2026-07-28, HTTP 400. */
export const UNSUPPORTED_PROTOCOL_VERSION = -32022;

/** The `error` member of a JSON-RPC response. */
export interface ErrorObject {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/**
 * What the code of a server throws to be answered with a JSON-RPC error of that code. Any other error of a tool becomes
 * a result with `isError`, which the model sees and can act upon; of a resource, a prompt or a completion it is -32603.
 * `code` must be an integer; `data` must be JSON.
 */
export class McpError extends Error {
  override readonly name = 'McpError';
  readonly code: number;
  readonly data: unknown;

  constructor(code: number, message: string, data?: unknown) {
    if (!Number.isSafeInteger(code)) throw new TypeError(`the code of an McpError must be an integer, not ${code}`);
    super(message);
    this.code = code;
    this.data = data;
  }
}

/**
 * A server, a client or a limit that cannot be used as it is written. `code`:
 *
 * - `ERR_SERVER`: the name, info or instructions of a server.
 * - `ERR_TOOL`: a tool's name, description, annotations, icons, time limit or function.
 * - `ERR_RESOURCE`: a resource's URI, a template's name or URI template, what clients are told of them, or a function.
 * - `ERR_PROMPT`: a prompt's name, arguments, what clients are told of it, or a function.
 * - `ERR_SCHEMA`: the input or output schema of a tool; the message names the tool, the place and the reason.
 * - `ERR_CLIENT`: the name, transport, negotiation or a handler of a client.
 * - `ERR_AUTHORIZATION`: who may use an endpoint, and how a token is verified.
 * - `ERR_LIMIT`: a limit that does not exist or is not a positive whole number.
 */
export class DefinitionError extends Error {
  override readonly name = 'DefinitionError';
  readonly code:
    | 'ERR_SERVER'
    | 'ERR_TOOL'
    | 'ERR_RESOURCE'
    | 'ERR_PROMPT'
    | 'ERR_SCHEMA'
    | 'ERR_CLIENT'
    | 'ERR_AUTHORIZATION'
    | 'ERR_LIMIT';

  constructor(code: DefinitionError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

export function errorObject(code: number, message: string, data?: unknown): ErrorObject {
  return data === undefined ? { code, message } : { code, message, data };
}

const shownLength = 64;

/** A text of the other side as it may stand in an error message: escaped, and never longer than a line. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > shownLength ? `${text.slice(0, shownLength)}…` : text);
}
