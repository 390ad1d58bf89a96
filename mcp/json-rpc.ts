/** JSON-RPC 2.0 as MCP uses it: text in, one classified message out; results and errors to messages. Pure. */

import { type ErrorObject, errorObject, INVALID_REQUEST, PARSE_ERROR } from './errors.ts';
import { describeExcess, excessOf, mayNestDeeper } from './json-bounds.ts';
import { MCP_LIMITS, type McpLimits } from './limits.ts';

/** A string or an integer; MCP does not have `null`. */
export type RequestId = string | number;

/** An object that came as JSON: it may have any key, `__proto__` and `constructor` as its own. */
export type JsonObject = { readonly [key: string]: unknown };

export interface RequestMessage {
  readonly kind: 'request';
  readonly id: RequestId;
  readonly method: string;
  readonly params: JsonObject | readonly unknown[] | undefined;
}

export interface NotificationMessage {
  readonly kind: 'notification';
  readonly method: string;
  readonly params: JsonObject | readonly unknown[] | undefined;
}

/** An answer to a request of ours; without an id if the other side could not read ours. */
export interface ResponseMessage {
  readonly kind: 'response';
  readonly id: RequestId | undefined;
  readonly outcome: { readonly result: unknown } | { readonly error: ErrorObject };
}

export interface BatchMessage {
  readonly kind: 'batch';
  readonly messages: readonly SingleMessage[];
}

/** What cannot be handled, with the error to answer and the id to answer it with, if one could be read. */
export interface InvalidMessage {
  readonly kind: 'invalid';
  readonly id: RequestId | undefined;
  readonly error: ErrorObject;
}

export type SingleMessage = RequestMessage | NotificationMessage | ResponseMessage | InvalidMessage;
export type Message = SingleMessage | BatchMessage;

type ParseLimits = Pick<McpLimits, 'messageDepthMax' | 'batchMax' | 'requestIdLengthMax'>;

/**
 * Reads one JSON text. It never throws: text that is not JSON is `invalid` with -32700, JSON that is no JSON-RPC
 * message, nests too deeply or is a batch of the wrong size is `invalid` with -32600.
 */
export function parseMessage(text: string, limits: ParseLimits = MCP_LIMITS): Message {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The reason quotes the text, which may be huge or secret: it is not passed on.
    return { kind: 'invalid', id: undefined, error: errorObject(PARSE_ERROR, 'the message is not valid JSON') };
  }
  const depthMax = limits.messageDepthMax;
  if (mayNestDeeper(text, depthMax) && excessOf(value, depthMax, Number.POSITIVE_INFINITY) !== undefined) {
    return invalid(readableId(value, limits), `the message ${describeExcess('depth', depthMax, 0)}`);
  }
  return Array.isArray(value) ? classifyBatch(value, limits) : classify(value, limits);
}

function classifyBatch(values: readonly unknown[], limits: ParseLimits): Message {
  if (values.length === 0) return invalid(undefined, 'a batch must have at least one message');
  if (values.length > limits.batchMax) {
    return invalid(undefined, `a batch must have at most ${limits.batchMax} messages, this one has ${values.length}`);
  }
  return { kind: 'batch', messages: values.map((value) => classify(value, limits)) };
}

function classify(value: unknown, limits: ParseLimits): SingleMessage {
  if (!isJsonObject(value)) return invalid(undefined, 'a message must be a JSON object');
  const { jsonrpc, method, params, result, error } = value;
  const hasId = value['id'] !== undefined;
  const id = readableId(value, limits);
  if (jsonrpc !== '2.0') return invalid(id, 'jsonrpc must be "2.0"');
  if (method === undefined) return classifyResponse(value, id);
  if (typeof method !== 'string') return invalid(id, 'method must be a string');
  if (result !== undefined || error !== undefined) return invalid(id, 'a message has a method, a result or an error');
  if (params !== undefined && (typeof params !== 'object' || params === null)) {
    return invalid(id, 'params must be an object or an array');
  }
  if (!hasId) return { kind: 'notification', method, params: params as RequestMessage['params'] };
  if (id === undefined) return invalid(undefined, idRule(limits));
  return { kind: 'request', id, method, params: params as RequestMessage['params'] };
}

function classifyResponse({ id: rawId, result, error }: JsonObject, id: RequestId | undefined): SingleMessage {
  if (result === undefined && error === undefined) return invalid(id, 'a message has a method, a result or an error');
  if (result !== undefined && error !== undefined) return invalid(id, 'a response has a result or an error, not both');
  if (result !== undefined) {
    if (id === undefined) return invalid(undefined, 'a result must have the id of its request');
    return { kind: 'response', id, outcome: { result } };
  }
  const idUnread = rawId === undefined || rawId === null;
  if (id === undefined && !idUnread) return invalid(undefined, 'the id of a response must be the id of a request');
  if (!isJsonObject(error) || !Number.isSafeInteger(error['code']) || typeof error['message'] !== 'string') {
    return invalid(id, 'an error must have an integer code and a message');
  }
  const { code, message, data } = error as unknown as ErrorObject;
  return { kind: 'response', id, outcome: { error: errorObject(code, message, data) } };
}

/** The id of a message if it has one that can be answered: a number that JSON has rounded would be another id. */
function readableId(value: unknown, limits: ParseLimits): RequestId | undefined {
  if (!isJsonObject(value)) return undefined;
  const id = value['id'];
  if (typeof id === 'string') return id.length <= limits.requestIdLengthMax ? id : undefined;
  return Number.isSafeInteger(id) ? (id as number) : undefined;
}

function idRule(limits: ParseLimits): string {
  return `id must be an integer, or a string of at most ${limits.requestIdLengthMax} characters`;
}

function invalid(id: RequestId | undefined, message: string): InvalidMessage {
  return { kind: 'invalid', id, error: errorObject(INVALID_REQUEST, message) };
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The message that answers a request with its result. */
export function resultMessage(id: RequestId, result: object): object {
  return { jsonrpc: '2.0', id, result };
}

/** The message that answers with an error; without an id when none could be read (MCP, basic, Error Responses). */
export function errorMessage(id: RequestId | undefined, error: ErrorObject): object {
  return id === undefined ? { jsonrpc: '2.0', error } : { jsonrpc: '2.0', id, error };
}

export function notificationMessage(method: string, params?: object): object {
  return params === undefined ? { jsonrpc: '2.0', method } : { jsonrpc: '2.0', method, params };
}
