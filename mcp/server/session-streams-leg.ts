/** What a session has to say, at a connection: the exchange that takes it. */

import { describeExit } from '../../runtime/index.ts';
import type { ConnectionContext } from '../../transports/transport.ts';
import type { Principal } from '../authorization/principal.ts';
import { errorObject, INVALID_REQUEST } from '../errors.ts';
import { errorMessage } from '../json-rpc.ts';
import { answer, type ConnectionState, endExchange, failedCall } from './connection-state.ts';
import { sessionName } from './node-names.ts';
import { sessionOf } from './session-store.ts';
import { endWithToken, forgetExpiry } from './token-expiry.ts';

/**
 * GET (2025-11-25, basic/transports, Listening for Messages, Resumability): an event stream for what the session has to
 * say of its own accord, or for the rest of a stream that the client has lost.
 */
export async function listenToSession(
  state: ConnectionState,
  exchange: number,
  sessionId: string,
  lastEventId: string | undefined,
  principal: Principal | undefined,
  ctx: ConnectionContext,
): Promise<void> {
  const { config, names } = state;
  const refuse = (message: string, status: number): void =>
    answer(state, ctx, exchange, errorMessage(undefined, errorObject(INVALID_REQUEST, message)), { status });
  if (sessionOf(names, sessionId, config.server, principal, ctx) === undefined) {
    return refuse('there is no such session: open one with initialize', 404);
  }
  const name = sessionName(config.node, sessionId);
  if (ctx.whereis(name) === undefined) {
    const restored = await ctx.call(names.sessionManager, 'restore', sessionId).catch(failedCall);
    if (restored !== 'ok') return refuse(`the session is not available: ${describeExit(restored.error)}`, 503);
  }
  state.sinks.set(exchange, sessionId);
  endWithToken(state, exchange, principal, ctx);
  ctx.cast(name, 'attach', { sink: { connection: ctx.self, exchange }, lastEventId });
}

/** The whole of a stream takes what its session has to say. */
export function attachStream(state: ConnectionState, sessionId: string, ctx: ConnectionContext): void {
  const sink = { connection: ctx.self, exchange: 0 };
  ctx.cast(sessionName(state.config.node, sessionId), 'attach', { sink, lastEventId: undefined });
}

/** Its peer has left the exchange. */
export function forgetSink(state: ConnectionState, exchange: number, ctx: ConnectionContext): void {
  const sessionId = state.sinks.get(exchange);
  if (sessionId === undefined) return;
  state.sinks.delete(exchange);
  forgetExpiry(state, exchange, ctx);
  ctx.cast(sessionName(state.config.node, sessionId), 'detach', { connection: ctx.self, exchange });
}

/** This connection ends in order: clients that listen come back on another. */
export function endSinks(state: ConnectionState, ctx: ConnectionContext): void {
  for (const exchange of [...state.sinks.keys()]) endSink(state, exchange, ctx);
}

/** The exchange ends, if it takes what a session has to say; what comes then waits for the next one. */
export function endSink(state: ConnectionState, exchange: number, ctx: ConnectionContext): void {
  if (!state.sinks.has(exchange)) return;
  forgetSink(state, exchange, ctx);
  endExchange(state, ctx, exchange);
}
