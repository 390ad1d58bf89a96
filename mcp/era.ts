/**
 * Which era a message belongs to, and whether it may be served at all. Pure: the message, and the HTTP headers or what
 * the stream has decided before. What a message says of itself decides, headers must agree; nothing malformed falls
 * back from one era to the other.
 */

import { type ErrorObject, errorObject, INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND } from './errors.ts';
import { type Headers, mismatch, sessionIdOf, standardHeadersProblem, versionHeader } from './headers.ts';
import {
  isJsonObject,
  type JsonObject,
  type Message,
  type NotificationMessage,
  type RequestId,
  type RequestMessage,
  type ResponseMessage,
} from './json-rpc.ts';
import type { McpLimits } from './limits.ts';
import { type Envelope, type Era, type Revision, VERSION_KEY } from './revision/contract.ts';
import { newestOf, revisionOf, unsupportedVersion } from './revision/registry.ts';

/** Serve it by itself. Requests have an envelope, notifications may have none. */
export interface StatelessRoute {
  readonly kind: 'stateless';
  readonly revision: Revision;
  readonly message: RequestMessage | NotificationMessage;
  readonly envelope: Envelope | undefined;
}

/** Hand it to a session: the one named, or on a stream the stream's own. `opens`: an `initialize`, which makes one. */
export interface SessionsRoute {
  readonly kind: 'sessions';
  readonly opens: boolean;
  readonly sessionId: string | undefined;
  readonly message: Exclude<Message, { kind: 'invalid' }>;
}

/** A GET or DELETE of a session. */
export interface SessionVerbRoute {
  readonly kind: 'listen' | 'end';
  readonly sessionId: string;
}

/** Answer with this error. `reply: false`: on a stream say nothing, HTTP still needs the status. */
export interface RefusedRoute {
  readonly kind: 'refused';
  readonly id: RequestId | undefined;
  readonly error: ErrorObject;
  readonly status: number;
  readonly reply: boolean;
  /** Of a 405: the methods that are allowed. */
  readonly allow?: string;
}

export type MessageRoute = StatelessRoute | SessionsRoute | RefusedRoute;

/** The era that a stream has decided for; undefined before. */
export type Pin = Era | undefined;

const versionPlace = `params._meta["${VERSION_KEY}"]`;

/** Routes a message that came as the body of an HTTP POST. */
export function routePost(message: Message, headers: Headers, limits: McpLimits): MessageRoute {
  const named = versionHeader(headers);
  const namedRevision = named === undefined ? undefined : revisionOf(named);
  if (message.kind === 'invalid') return refused(message.id, message.error);
  if (message.kind === 'batch' || message.kind === 'response') {
    if (namedRevision?.era === 'stateless' || hasClaim(message)) return refusedByShape(message);
    return routeToSession(message, headers, limits);
  }
  const claim = claimOf(message);
  if (claim === undefined) {
    if (namedRevision?.era !== 'stateless') return routeToSession(message, headers, limits);
    if (message.kind === 'request') return refused(message.id, missingEnvelope());
    return checkedHeaders({ kind: 'stateless', revision: namedRevision, message, envelope: undefined }, headers);
  }
  if (typeof claim === 'string' && named !== undefined && named !== claim) {
    return refused(idOf(message), mismatch(`MCP-Protocol-Version and ${versionPlace} differ`));
  }
  const route = routeClaim(message, claim);
  if (route === 'sessions') return routeToSession(message, headers, limits);
  return route.kind === 'stateless' ? checkedHeaders(route, headers) : route;
}

/** Routes an HTTP GET or DELETE, which only sessions have. */
export function routeVerb(
  verb: 'GET' | 'DELETE',
  headers: Headers,
  limits: McpLimits,
): SessionVerbRoute | RefusedRoute {
  const named = versionHeader(headers);
  if (named !== undefined && revisionOf(named)?.era === 'stateless') {
    const error = errorObject(METHOD_NOT_FOUND, `${verb} is not a method of this revision; send a POST`);
    return { ...refused(undefined, error, 405), allow: 'POST' };
  }
  const session = sessionIdOf(headers, limits);
  if ('error' in session) return refused(undefined, session.error);
  const { sessionId } = session;
  const problem = sessionProblem(headers, sessionId);
  if (problem !== undefined || sessionId === undefined) return refused(undefined, problem ?? missingSession());
  return { kind: verb === 'GET' ? 'listen' : 'end', sessionId };
}

/** Routes a message of a stream; `pin` is what the stream has decided after it. */
export function routeStream(message: Message, pin: Pin): { readonly route: MessageRoute; readonly pin: Pin } {
  if (message.kind === 'invalid') return { route: refused(message.id, message.error), pin };
  if (pin === 'stateless') return { route: routeStateless(message), pin };
  if (pin === undefined && (message.kind === 'request' || message.kind === 'notification')) {
    const claim = claimOf(message);
    const route = claim === undefined ? 'sessions' : routeClaim(message, claim);
    // A probe decides nothing: whoever finds no common revision may still open a session.
    const decides = route !== 'sessions' && route.kind === 'stateless' && message.method !== 'server/discover';
    if (route !== 'sessions') return { route, pin: decides && message.kind === 'request' ? 'stateless' : undefined };
  }
  const route = sessionsRoute(message, undefined);
  return { route, pin: pin ?? (route.opens ? 'sessions' : undefined) };
}

/** A message of a stream that has decided to be stateless. */
function routeStateless(message: Exclude<Message, { kind: 'invalid' }>): StatelessRoute | RefusedRoute {
  if (message.kind === 'batch' || message.kind === 'response') return refusedByShape(message);
  const claim = claimOf(message);
  const route = claim === undefined ? 'sessions' : routeClaim(message, claim);
  if (route !== 'sessions') return route;
  if (message.kind === 'notification') {
    return { kind: 'stateless', revision: newestOf('stateless'), message, envelope: undefined };
  }
  const { method, id, params } = message;
  // Clients that can only open sessions have nothing but this message to learn from.
  if (method === 'initialize') return refused(id, unsupportedVersion(requestedBy(params)));
  return refused(id, missingEnvelope());
}

function requestedBy(params: RequestMessage['params']): string {
  const requested = isJsonObject(params) ? params['protocolVersion'] : undefined;
  return typeof requested === 'string' ? requested : 'unknown';
}

/** A message that names the revision it is of. */
function routeClaim(
  message: RequestMessage | NotificationMessage,
  claim: unknown,
): StatelessRoute | RefusedRoute | 'sessions' {
  const id = idOf(message);
  if (typeof claim !== 'string') return refused(id, errorObject(INVALID_PARAMS, `${versionPlace} must be a string`));
  const revision = revisionOf(claim);
  if (revision === undefined) return refused(id, unsupportedVersion(claim));
  if (revision.readEnvelope === undefined) return 'sessions';
  if (message.kind === 'notification') return { kind: 'stateless', revision, message, envelope: undefined };
  const read = revision.readEnvelope(metaOf(message)!);
  if ('error' in read) return refused(id, read.error);
  return { kind: 'stateless', revision, message, envelope: read.envelope };
}

function checkedHeaders(route: StatelessRoute, headers: Headers): StatelessRoute | RefusedRoute {
  const problem = standardHeadersProblem(headers, route.message, route.revision);
  return problem === undefined ? route : refused(idOf(route.message), problem);
}

function routeToSession(
  message: SessionsRoute['message'],
  headers: Headers,
  limits: McpLimits,
): SessionsRoute | RefusedRoute {
  const id = message.kind === 'request' ? message.id : undefined;
  const session = sessionIdOf(headers, limits);
  if ('error' in session) return refused(id, session.error);
  const route = sessionsRoute(message, session.sessionId);
  // The version of a session is what its initialize agrees on; a header on it says nothing yet.
  const problem = route.opens ? undefined : sessionProblem(headers, session.sessionId);
  return problem === undefined ? route : refused(id, problem);
}

function sessionsRoute(message: SessionsRoute['message'], sessionId: string | undefined): SessionsRoute {
  const opens = message.kind === 'request' && message.method === 'initialize';
  return { kind: 'sessions', opens, sessionId, message };
}

/**
 * What is wrong with the headers of a message that must belong to a session. Without a version any of ours is meant.
 */
function sessionProblem(headers: Headers, sessionId: string | undefined): ErrorObject | undefined {
  const named = versionHeader(headers);
  if (named !== undefined && revisionOf(named) === undefined) return unsupportedVersion(named);
  return sessionId === undefined ? missingSession() : undefined;
}

function missingSession(): ErrorObject {
  return errorObject(INVALID_REQUEST, 'the Mcp-Session-Id header is missing: open a session with initialize first');
}

function missingEnvelope(): ErrorObject {
  return errorObject(INVALID_PARAMS, `${versionPlace} is missing: every request must name the revision it is of`);
}

function refused(id: RequestId | undefined, error: ErrorObject, status = 400): RefusedRoute {
  return { kind: 'refused', id, error, status, reply: true };
}

function refusedByShape(message: { readonly kind: 'batch' | 'response' }): RefusedRoute {
  if (message.kind === 'batch') {
    return refused(undefined, errorObject(INVALID_REQUEST, 'this revision has no batches: send one message at a time'));
  }
  // An answer to an answer could go on for ever.
  const error = errorObject(INVALID_REQUEST, 'this revision has no requests that a client could respond to');
  return { ...refused(undefined, error), reply: false };
}

function idOf(message: RequestMessage | NotificationMessage): RequestId | undefined {
  return message.kind === 'request' ? message.id : undefined;
}

function metaOf({ params }: RequestMessage | NotificationMessage): JsonObject | undefined {
  if (!isJsonObject(params)) return undefined;
  return isJsonObject(params['_meta']) ? params['_meta'] : undefined;
}

/** The revision that a message names in `_meta`, whatever that is. */
function claimOf(message: RequestMessage | NotificationMessage): unknown {
  return metaOf(message)?.[VERSION_KEY];
}

function hasClaim(message: Message | ResponseMessage): boolean {
  if (message.kind === 'batch') return message.messages.some(hasClaim);
  return (message.kind === 'request' || message.kind === 'notification') && claimOf(message) !== undefined;
}
