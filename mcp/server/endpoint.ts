import type {
  ConnectionContext,
  ConnectionDown,
  ConnectionInfo,
  Endpoint,
  EndpointSpec,
  HttpRequestHead,
  Inbound,
} from '../../transports/transport.ts';
import type { Principal } from '../authorization/principal.ts';
import {
  type MessageRoute,
  type RefusedRoute,
  routePost,
  routeStream,
  routeVerb,
  type StatelessRoute,
} from '../era.ts';
import { errorObject, PARSE_ERROR } from '../errors.ts';
import type { Headers } from '../headers.ts';
import { errorMessage, type Message, parseMessage } from '../json-rpc.ts';
import { forgetWaiting, serveAuthorized, verificationEnded } from './authorization-leg.ts';
import { batchEnded } from './batch-leg.ts';
import {
  answer,
  type ConnectionState,
  type Done,
  type EndpointConfig,
  endExchange,
  openConnection,
  rememberStream,
} from './connection-state.ts';
import { endWaits, forgetWait, waitEnded } from './core-task-leg.ts';
import { cancelListen, endListen, endListens, forgetListen } from './listen-leg.ts';
import { cancelRequest, catalogOf, serveRequest } from './request-leg.ts';
import { abortRun, runEnded } from './runs.ts';
import { closeStreamSession, endSession, serveSessionMessage } from './session-leg.ts';
import { attachStream, endSink, endSinks, forgetSink, listenToSession } from './session-streams-leg.ts';
import { type Expired, hasExpired } from './token-expiry.ts';

/**
 * The protocol at one connection: reads a message, decides which era it is of, and answers or starts the process that
 * will. It runs in the connection's own process and keeps only what is under way there.
 */
export const McpEndpoint: Endpoint<EndpointConfig, ConnectionState> = {
  init: (config: EndpointConfig, info: ConnectionInfo, ctx) => {
    const state = openConnection(config, info, ctx);
    // The stream was there before this connection, and its session with it.
    if (state.streamSession !== undefined) attachStream(state, state.streamSession, ctx);
    return state;
  },

  handleInbound(state, inbound, ctx) {
    const done =
      inbound.http === undefined ? fromStream(state, inbound, ctx) : fromHttp(state, inbound, inbound.http, ctx);
    return done === undefined ? state : done.then(() => state);
  },

  handleAbort(state, exchange, ctx) {
    abortRun(state, exchange, ctx);
    forgetWaiting(state, exchange, ctx);
    forgetListen(state, exchange, ctx);
    forgetWait(state, exchange, ctx);
    forgetSink(state, exchange, ctx);
    return state;
  },

  handleDrain(state, ctx) {
    endListens(state, catalogOf(state, ctx), ctx);
    endSinks(state, ctx);
    endWaits(state, ctx);
    return state;
  },

  handleDown(state, down: ConnectionDown, ctx) {
    const verified = verificationEnded(state, down, serveHttp, ctx);
    if (verified instanceof Promise) return verified.then(() => state);
    if (!verified && !batchEnded(state, down, ctx) && !waitEnded(state, down, ctx)) runEnded(state, down, ctx);
    return state;
  },

  handleTold(state, what, ctx) {
    const expired = what as Expired;
    if (!hasExpired(state, expired, ctx)) return state;
    endListen(state, expired.exchange, catalogOf(state, ctx), ctx);
    endSink(state, expired.exchange, ctx);
    return state;
  },

  handleClose(state, reason, ctx) {
    // The stream goes on with the next connection, and its session with it.
    if (state.resumable !== undefined && reason === 'shutdown') return;
    closeStreamSession(state, ctx);
  },
};

/** What a transport needs to run the endpoint in its connections. */
export function endpointSpec(config: EndpointConfig): EndpointSpec {
  const { documents } = config.authorization ?? {};
  return { module: import.meta.url, exportName: 'McpEndpoint', config, ...(documents && { documents }) };
}

function fromStream(state: ConnectionState, inbound: Inbound, ctx: ConnectionContext): Done {
  const { route, pin } = routeStream(read(state, inbound), state.pin);
  if (pin !== state.pin) {
    state.pin = pin;
    rememberStream(state, ctx);
  }
  return follow(state, inbound.exchange, route, undefined, true, state.peer, ctx);
}

function fromHttp(state: ConnectionState, inbound: Inbound, http: HttpRequestHead, ctx: ConnectionContext): Done {
  const { authorization } = state.config;
  if (authorization === undefined) return serveHttp(state, inbound, http, state.peer, ctx);
  return serveAuthorized(state, authorization, inbound, http, serveHttp, ctx);
}

function serveHttp(
  state: ConnectionState,
  inbound: Inbound,
  http: HttpRequestHead,
  principal: Principal | undefined,
  ctx: ConnectionContext,
): Done {
  const headers = http.headers as Headers;
  const { limits } = state.config;
  if (http.method === 'POST') {
    const route = routePost(read(state, inbound), headers, limits);
    return follow(state, inbound.exchange, route, headers, http.acceptsStream, principal, ctx);
  }
  const route = routeVerb(http.method, headers, limits);
  if (route.kind === 'refused') return refuse(state, inbound.exchange, route, ctx);
  if (route.kind === 'end') return endSession(state, inbound.exchange, route.sessionId, principal, ctx);
  return listenToSession(state, inbound.exchange, route.sessionId, headers['last-event-id'], principal, ctx);
}

function read(state: ConnectionState, { text, fault }: Inbound): Message {
  if (fault === undefined) return parseMessage(text, state.config.limits);
  const what =
    fault === 'message_too_long' ? 'the message is longer than this server reads' : 'the message is not UTF-8';
  return { kind: 'invalid', id: undefined, error: errorObject(PARSE_ERROR, what) };
}

function follow(
  state: ConnectionState,
  exchange: number,
  route: MessageRoute,
  headers: Headers | undefined,
  acceptsStream: boolean,
  principal: Principal | undefined,
  ctx: ConnectionContext,
): Done {
  if (route.kind === 'stateless') return stateless(state, exchange, route, headers, acceptsStream, principal, ctx);
  if (route.kind === 'sessions') return serveSessionMessage(state, exchange, route, acceptsStream, principal, ctx);
  return refuse(state, exchange, route, ctx);
}

function stateless(
  state: ConnectionState,
  exchange: number,
  { message, revision, envelope }: StatelessRoute,
  headers: Headers | undefined,
  acceptsStream: boolean,
  principal: Principal | undefined,
  ctx: ConnectionContext,
): Done {
  if (message.kind === 'request') {
    const { clientCapabilities = {}, logLevel } = envelope ?? {};
    const session = undefined;
    const origin = { revision, headers, clientCapabilities, logLevel, session, acceptsStream, principal };
    return serveRequest(state, exchange, message, origin, ctx);
  }
  // On a stream a connection cancels what it asked for; over HTTP it closes the response instead.
  if (message.method === 'notifications/cancelled' && state.kind === 'stream') {
    cancelRequest(state, undefined, message.params, ctx);
    cancelListen(state, message.params, ctx);
  }
  endExchange(state, ctx, exchange);
  return undefined;
}

function refuse(state: ConnectionState, exchange: number, route: RefusedRoute, ctx: ConnectionContext): undefined {
  const { id, error, status, reply, allow } = route;
  const http = { status, ...(allow === undefined ? {} : { headers: { allow } }) };
  if (reply || state.kind === 'http') answer(state, ctx, exchange, errorMessage(id, error), http);
  else endExchange(state, ctx, exchange);
}
