import { STATUS_CODES } from 'node:http';
import { TURNED_AWAY, type TurnedAway } from '../arrival.ts';

/** JSON-RPC 2.0 error codes that a transport answers with itself. */
const INVALID_REQUEST = -32_600;
const PARSE_ERROR = -32_700;
const INTERNAL_ERROR = -32_603;

/**
 * A request answered by the transport, before or instead of the endpoint. The body is a JSON-RPC error without an id
 * (MCP 2025-11-25, transports: Streamable HTTP); `reason` in its data is stable, the message is for people.
 */
export interface Refusal {
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly string[];
  readonly body: string;
  /** Whether the connection is of no further use. */
  readonly close: boolean;
}

function refusal(
  status: number,
  reason: string,
  message: string,
  options: { code?: number; close?: boolean; headers?: readonly string[] } = {},
): Refusal {
  const { code = status >= 500 ? INTERNAL_ERROR : INVALID_REQUEST, close = false, headers = [] } = options;
  const body = JSON.stringify({ jsonrpc: '2.0', error: { code, message, data: { reason } } });
  return { status, reason, headers, body, close };
}

export const hostNotAllowed: Refusal = refusal(
  403,
  'host_not_allowed',
  'The Host header names a host that this server does not answer for. Add it to allowedHosts if it should.',
);
export const originNotAllowed: Refusal = refusal(
  403,
  'origin_not_allowed',
  'The Origin header names a site that may not use this server. Add it to allowedOrigins if it may.',
);
export const methodNotAllowed: Refusal = refusal(
  405,
  'method_not_allowed',
  'This endpoint takes POST; GET and DELETE as far as the protocol revision has them.',
  { headers: ['Allow', 'POST, GET, DELETE'] },
);
export const upgradeRequired: Refusal = refusal(426, 'upgrade_required', 'This endpoint speaks WebSocket only.', {
  close: true,
  headers: ['Upgrade', 'websocket'],
});
export const subprotocolRequired: Refusal = refusal(
  400,
  'subprotocol_required',
  "The client must offer the WebSocket subprotocol 'mcp'.",
  { close: true },
);
export const documentMethodNotAllowed: Refusal = refusal(405, 'method_not_allowed', 'This is only to be read: GET.', {
  headers: ['Allow', 'GET, HEAD'],
});
export const sessionNotFound: Refusal = refusal(
  404,
  'session_not_found',
  'There is no such session. Open an event stream, and send to the address in its endpoint event.',
);
export const notAcceptable: Refusal = refusal(
  406,
  'not_acceptable',
  'The Accept header must allow application/json or text/event-stream; MCP clients send both.',
);
export const streamNotAcceptable: Refusal = refusal(
  406,
  'not_acceptable',
  'GET opens an event stream: the Accept header must allow text/event-stream.',
);
export const unsupportedMediaType: Refusal = refusal(
  415,
  'unsupported_media_type',
  'The body must be Content-Type: application/json, in UTF-8.',
);
export const unsupportedEncoding: Refusal = refusal(
  415,
  'unsupported_content_encoding',
  'The body must not be compressed: send it without Content-Encoding.',
);
export const invalidUtf8: Refusal = refusal(400, 'invalid_utf8', 'The body is not valid UTF-8.', {
  code: PARSE_ERROR,
});
export const requestTimeout: Refusal = refusal(
  408,
  'request_timeout',
  'The request did not arrive in time: its head or its body took too long.',
  { close: true },
);
export const malformedRequest: Refusal = refusal(400, 'malformed_request', 'This is not a well-formed HTTP request.', {
  close: true,
});
export const tooManyExchanges: Refusal = refusal(
  503,
  'too_many_exchanges',
  'This connection has too many requests open. Wait for their answers, or use another connection.',
);
export const unavailable: Refusal = refusal(503, 'unavailable', TURNED_AWAY.unavailable, {
  close: true,
  headers: ['Retry-After', '1'],
});
export const internalError: Refusal = refusal(
  500,
  'internal_error',
  'The connection failed while it handled this request.',
  {
    close: true,
  },
);

/** What the requests of a connection without a process are told. */
export const turnedAway: Readonly<Record<TurnedAway, Refusal>> = {
  too_many_connections: full('too_many_connections'),
  too_many_connections_of_address: full('too_many_connections_of_address'),
  out_of_descriptors: full('out_of_descriptors'),
  unavailable,
  internal_error: internalError,
};

function full(why: TurnedAway): Refusal {
  return refusal(503, why, TURNED_AWAY[why], { close: true, headers: ['Retry-After', '5'] });
}

/** No refusal, but answered in the same way: what everybody may read here. */
export function document(content: object): Refusal {
  const headers = ['Cache-Control', 'max-age=3600'];
  return { status: 200, reason: 'document', headers, body: JSON.stringify(content), close: false };
}

/** The path is part of the configuration, so it may be named; what the peer asked for is not repeated to it. */
export function notFound(path: string): Refusal {
  return refusal(404, 'not_found', `There is nothing here: the MCP endpoint is ${path}`);
}

export function bodyTooLarge(bytesMax: number): Refusal {
  return refusal(413, 'body_too_large', `The body is larger than the ${bytesMax} bytes that this server takes.`, {
    close: true,
  });
}

export function headersTooLarge(fieldsMax: number, bytesMax: number): Refusal {
  return refusal(
    431,
    'headers_too_large',
    `The head of the request exceeds ${fieldsMax} fields or ${bytesMax} bytes.`,
    { close: true },
  );
}

/** The whole response as text, for a socket whose request Node.js could not parse. */
export function rawResponse(refused: Refusal): string {
  const fields = ['Content-Type', 'application/json', 'Content-Length', String(Buffer.byteLength(refused.body))];
  let head = `HTTP/1.1 ${refused.status} ${STATUS_CODES[refused.status]}\r\nConnection: close\r\n`;
  for (const list of [refused.headers, fields]) {
    for (let i = 0; i < list.length; i += 2) head += `${list[i]}: ${list[i + 1]}\r\n`;
  }
  return `${head}\r\n${refused.body}`;
}
