/** What happens on the HTTP exchanges of a client: sessions, streams that go on, answers that never come. */

import type { CarrierEnd, CarrierHead } from '../../transports/client-transport.ts';
import { SESSION_HEADER } from '../headers.ts';
import { challenged, streamChallenged } from './authorize.ts';
import { backoffMs } from './backoff.ts';
import { connectionEnded, sessionLost } from './connect.ts';
import type { Connection, Exchange } from './connection-state.ts';
import { failed } from './failure.ts';
import type { Pending, Resumption } from './request-call.ts';
import { dispatch, isRepeatable, lost, settle, withdraw } from './requests.ts';

/** Statuses that say: not now. */
const passing = new Set([429, 502, 503, 504]);

export function handleHead(c: Connection, { exchange: number, status, headers }: CarrierHead): void {
  const exchange = c.exchanges.get(number);
  if (exchange === undefined) return;
  exchange.status = status;
  exchange.challenge = headers['www-authenticate'];
  if (exchange.pending?.call.method !== 'initialize') return;
  const session = headers[SESSION_HEADER];
  if (!isGood(status)) c.refusal = status;
  else if (session !== undefined) c.sessionId = session;
}

function isGood(status: number | undefined): boolean {
  return status !== undefined && status >= 200 && status < 300;
}

export function handleEnd(c: Connection, end: CarrierEnd): void {
  const exchange = c.exchanges.get(end.exchange);
  if (exchange === undefined) return;
  c.exchanges.delete(end.exchange);
  const { pending, sessionId, status, kind } = exchange;
  if (status === 404 && sessionId !== undefined && kind !== 'end_session') {
    if (pending !== undefined && pending.exchange === end.exchange) sessionGone(c, pending);
    sessionLost(c, sessionId);
  } else if (pending !== undefined) {
    if (!pending.over && pending.exchange === end.exchange) unanswered(c, pending, exchange, end);
  } else if (kind === 'stream') streamEnded(c, exchange, end);
  else if (kind === 'notification' && end.error?.sent === false && c.phase === 'ready') {
    connectionEnded(c, unreachable(end), true);
  }
  exchange.ended?.();
}

/** Its session had ended before it came: it was not carried out, and goes to the next session. */
function sessionGone(c: Connection, pending: Pending): void {
  pending.retries += 1;
  if (pending.retries > c.start.limits.retriesMax) {
    const message = `${pending.call.method}: the server does not know the sessions that it opens (HTTP 404)`;
    settle(c, pending, failed('ERR_MCP_HTTP', message, { status: 404 }));
  } else withdraw(c, pending);
}

function unreachable({ error }: CarrierEnd): unknown {
  return { unreachable: error?.code, message: error?.message };
}

/** The exchange of a request is over, and its answer has not come. */
function unanswered(c: Connection, pending: Pending, exchange: Exchange, end: CarrierEnd): void {
  const { status, failures } = exchange;
  const { method } = pending.call;
  const { error, lastEventId, retryMs } = end;
  if (error?.code.startsWith('ERR_') === true) {
    // Node.js refuses to send it: so it would the next time.
    settle(c, pending, failed('ERR_MCP_HTTP', `${method} cannot be sent: ${error.message}`));
    return;
  }
  if (error?.sent === false) {
    const wasReady = c.phase === 'ready';
    lost(c, pending, error.message, true);
    if (wasReady) connectionEnded(c, unreachable(end), true);
    return;
  }
  if ((status === 401 || status === 403) && !challenged(c, pending, exchange)) {
    const message = `${method}: the server wants an authorization that this client does not have (HTTP ${status})`;
    settle(c, pending, failed('ERR_MCP_AUTH', message, { status }));
    return;
  }
  if (pending.held) return;
  if (status !== undefined && !isGood(status)) {
    if (passing.has(status) && isRepeatable(c, pending) && pending.retries < c.start.limits.retriesMax) {
      resendLater(c, pending, `HTTP ${status}`);
      return;
    }
    const message = `${method}: HTTP ${status} without a JSON-RPC error`;
    settle(c, pending, failed('ERR_MCP_HTTP', message, { status }));
    return;
  }
  if (lastEventId !== undefined && c.agreed?.era !== 'stateless') {
    // The stream of an answer may end before it, and go on with another request (2025-11-25, Resumability).
    const goOn = { sessionId: c.sessionId, lastEventId, token: pending.call.token, failures, retryMs };
    resumeLater(c, goOn, error !== undefined);
    return;
  }
  resendLater(c, pending, error?.message ?? 'the response ended without an answer');
}

function resendLater(c: Connection, pending: Pending, why: string): void {
  if (lost(c, pending, why, false) === 'failed') return;
  // A connection that the server had closed while it was idle fails once: the first time nothing is waited for.
  if (pending.retries <= 1) {
    if (c.phase === 'ready') dispatch(c, pending);
    return;
  }
  c.ctx.sendAfter(backoffMs(pending.retries - 1, c.start.chance(), c.start.limits), 'resend', pending.call.token);
}

function streamEnded(c: Connection, exchange: Exchange, end: CarrierEnd): void {
  const { status, failures, sessionId } = exchange;
  if (status === 401 && streamChallenged(c, exchange)) return;
  // 405: the server has no listening stream. Other refusals will not change either.
  if (status !== undefined && !isGood(status) && !passing.has(status)) return;
  const { lastEventId, retryMs } = end;
  const next = { sessionId, lastEventId, token: undefined, failures: isGood(status) ? 0 : failures, retryMs };
  resumeLater(c, next, !isGood(status) || end.error !== undefined);
}

function resumeLater(c: Connection, resumption: Resumption, hasFailed: boolean): void {
  const { limits, chance } = c.start;
  const failures = hasFailed ? resumption.failures + 1 : resumption.failures;
  const waitMs = resumption.retryMs ?? backoffMs(Math.max(1, failures), chance(), limits);
  c.ctx.sendAfter(Math.min(waitMs, limits.requestTimeoutMaxMs), 'resume', { ...resumption, failures });
}
