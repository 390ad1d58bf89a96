/** How a connection is made, agreed on, lost and made again. */

import { type Name, startChild } from '../../runtime/index.ts';
import type { CarrierStart } from '../../transports/client-transport.ts';
import { isJsonObject } from '../json-rpc.ts';
import { firstToken } from './authorize.ts';
import { backoffMs, failuresAfter, isCrashLoop } from './backoff.ts';
import { type Connection, enter, report, statusOf, transmit } from './connection-state.ts';
import { failed, type Reply } from './failure.ts';
import {
  type Agreed,
  afterDiscover,
  afterDiscoverFailed,
  afterInitialize,
  firstStep,
  type Step,
} from './negotiation.ts';
import { stopAnsweringAll } from './questions.ts';
import type { Pending, Resumption } from './request-call.ts';
import { dispatch, dispatchWaiting, lost, notifyServer, openInternal, ownSessionHeaders, settle } from './requests.ts';
import { restore } from './subscriptions.ts';

/** Makes the connection: its carrier, then the revision. */
export async function connect(c: Connection): Promise<void> {
  const { ctx, start } = c;
  c.attempt += 1;
  enter(c, 'connecting');
  if (c.carrier === undefined) {
    const result = await startChild(ctx, carrierSupOf(c), carrierStart(c));
    if ('error' in result || result.ok === undefined) {
      const why = 'error' in result ? result.error : 'ignore';
      return connectionEnded(c, c.older === undefined ? why : { refused: c.older, http_sse: why });
    }
    c.carrier = { pid: result.ok, ref: ctx.monitor(result.ok) };
  }
  await firstToken(c);
  negotiate(c, firstStep(start.negotiation, c.legacyBefore || c.older !== undefined));
}

function carrierSupOf({ older, start }: Connection): Name {
  return older !== undefined && start.olderSup !== undefined ? start.olderSup : start.carrierSup;
}

function carrierStart({ older, token, ctx }: Connection): CarrierStart {
  if (older === undefined || token === undefined) return { owner: ctx.self };
  return { owner: ctx.self, headers: { authorization: `Bearer ${token}` } };
}

/**
 * The server does not open sessions over Streamable HTTP: perhaps it knows HTTP+SSE only (2024-11-05). Who is pinned to
 * a revision gets that or nothing. Says whether that is tried.
 */
function fallsBack(c: Connection, problem: string): boolean {
  const { negotiation, olderSup } = c.start;
  const refused = c.refusal === 400 || c.refusal === 404 || c.refusal === 405;
  if (!refused || c.older !== undefined || olderSup === undefined || typeof negotiation === 'object') return false;
  c.older = { initialize: problem, status: c.refusal };
  report(c, { event: 'older_transport', problem });
  dropCarrier(c);
  c.kind = 'stream';
  c.ctx.send(c.ctx.self, 'fall_back', c.attempt);
  return true;
}

function negotiate(c: Connection, step: Step): void {
  c.ctx.sendAfter(c.start.limits.connectTimeoutMs, 'connect_deadline', c.attempt);
  perform(c, step, 0);
}

/** `asked`: how often the server was asked with server/discover. */
function perform(c: Connection, step: Step, asked: number): void {
  const { negotiation, identity, limits } = c.start;
  c.probing = step.do === 'discover';
  switch (step.do) {
    case 'discover': {
      const timeoutMs = negotiation === 'auto' ? limits.probeTimeoutMs : limits.connectTimeoutMs;
      handshake(c, 'server/discover', {}, step.version, timeoutMs, (reply) => {
        discovered(c, step.version, asked + 1, reply);
      });
      break;
    }
    case 'initialize': {
      const params = {
        protocolVersion: step.version,
        capabilities: identity.capabilities,
        clientInfo: identity.info,
      };
      c.refusal = undefined;
      handshake(c, 'initialize', params, step.version, limits.connectTimeoutMs, (reply) => {
        if ('ok' in reply) perform(c, afterInitialize(negotiation, reply.ok), asked);
        else if (reply.error.code === 'ERR_MCP_AUTH') unauthorized(c, reply.error.message);
        else if (!fallsBack(c, reply.error.message)) {
          connectionEnded(c, { initialize: reply.error.message, code: reply.error.code }, c.kind === 'http');
        }
      });
      break;
    }
    case 'agree':
      agree(c, step.agreed);
      break;
    case 'give_up':
      connectionEnded(c, { no_common_revision: step.problem });
  }
}

function handshake(
  c: Connection,
  method: string,
  params: { readonly [name: string]: unknown },
  version: string,
  timeoutMs: number,
  then: (reply: Reply<object>) => void,
): void {
  const { attempt } = c;
  const current = (reply: Reply<object>): void => {
    // What belongs to an earlier attempt says nothing about this one.
    if (attempt === c.attempt && c.phase === 'connecting') then(reply);
  };
  dispatch(c, openInternal(c, method, params, current, { handshake: version, timeoutMs }));
}

function discovered(c: Connection, version: string, asked: number, reply: Reply<object>): void {
  const { negotiation, kind } = c.start;
  if ('ok' in reply) {
    perform(c, afterDiscover(negotiation, version, reply.ok), asked);
    return;
  }
  const { code, rpc, message } = reply.error;
  if (code === 'ERR_MCP_CONNECTION_LOST') connectionEnded(c, { probe: message }, kind === 'http');
  else if (code === 'ERR_MCP_AUTH') unauthorized(c, message);
  else perform(c, afterDiscoverFailed(negotiation, rpc, asked, message), asked);
}

function agree(c: Connection, agreed: Agreed): void {
  c.agreed = agreed;
  const { attempt } = c;
  const isCurrent = (): boolean => attempt === c.attempt && c.phase === 'connecting';
  if (agreed.era === 'stateless') {
    ready(c);
    return;
  }
  if (c.kind === 'stream') {
    notifyServer(c, 'notifications/initialized', {});
    ready(c);
    return;
  }
  // Over HTTP a request could overtake it.
  notifyServer(c, 'notifications/initialized', {}, () => {
    if (isCurrent()) ready(c);
  });
}

function ready(c: Connection): void {
  c.readyAtMs = c.ctx.clock.now();
  c.listenFailures = 0;
  enter(c, 'ready');
  restore(c);
  if (c.kind === 'http' && c.agreed?.era === 'sessions' && c.agreed.version !== '2024-11-05') {
    openStream(c, {
      sessionId: c.sessionId,
      lastEventId: undefined,
      token: undefined,
      failures: 0,
      retryMs: undefined,
    });
  }
  dispatchWaiting(c);
  tellWaiting(c);
}

/** Opens the listening stream of a session, or goes on with a stream that has ended. */
export function openStream(c: Connection, resumption: Resumption): void {
  const { sessionId, lastEventId, token, failures } = resumption;
  const pending = token === undefined ? undefined : c.requests.get(token);
  const isOver = token !== undefined && pending === undefined;
  if (sessionId !== c.sessionId || c.agreed?.era !== 'sessions' || isOver) return;
  const http = { method: 'GET', headers: ownSessionHeaders(c, 'GET', lastEventId) } as const;
  const exchange = transmit(c, { http }, { kind: 'stream', pending, failures });
  if (pending !== undefined) pending.exchange = exchange;
}

/**
 * The connection has ended, or could not be made. `keepCarrier`: it may carry the next one, and what is under way on
 * other sockets may still come to its end.
 */
export function connectionEnded(c: Connection, reason: unknown, keepCarrier = false): void {
  const { ctx, start } = c;
  const { limits } = start;
  // A server that ends when it is asked is not asked next time; if that fails too, it is asked again.
  c.legacyBefore = c.readyAtMs === undefined ? c.probing && !keepCarrier : c.legacyBefore;
  c.probing = false;
  const upForMs = c.readyAtMs === undefined ? undefined : ctx.clock.now() - c.readyAtMs;
  c.failures = failuresAfter(c.failures, upForMs, limits);
  c.lastEnd = reason;
  if (c.older !== undefined && c.readyAtMs === undefined) {
    // It is asked anew for what is newer.
    c.older = undefined;
    c.kind = start.kind;
  }
  c.readyAtMs = undefined;
  c.agreed = undefined;
  c.sessionId = undefined;
  const delayMs = backoffMs(c.failures, start.chance(), limits);
  // The phase first: what is settled now must not be sent, nor go on with the handshake.
  enter(c, isCrashLoop(c.failures, limits) ? 'crash_loop' : 'waiting', delayMs);
  c.attempt += 1;
  ctx.sendAfter(delayMs, 'connect', c.attempt);
  if (!keepCarrier) dropCarrier(c);
  stopAnsweringAll(c);
  const why = isJsonObject(reason) || typeof reason !== 'string' ? JSON.stringify(reason) : reason;
  for (const pending of [...c.requests.values()]) endOf(c, pending, why, keepCarrier);
  c.listen = undefined;
  c.tools = undefined;
  if (c.phase === 'crash_loop') tellWaiting(c);
}

function endOf(c: Connection, pending: Pending, why: string, keepCarrier: boolean): void {
  const sent = pending.id !== undefined;
  const inFlight = keepCarrier && pending.exchange !== undefined && c.exchanges.has(pending.exchange);
  if (pending.handshake || pending.call.method === 'subscriptions/listen' || (sent && !inFlight)) {
    if (lost(c, pending, why, false) === 'failed') return;
  }
  // A task goes on without us.
  if (c.phase !== 'crash_loop' || inFlight || pending.task !== undefined) return;
  const message = `${pending.call.method} was not sent: ${c.failures} attempts in a row have failed, last: ${why}`;
  settle(c, pending, failed('ERR_MCP_UNAVAILABLE', message));
}

function dropCarrier(c: Connection): void {
  const { carrier, ctx } = c;
  c.carrier = undefined;
  c.exchanges.clear();
  if (carrier === undefined) return;
  ctx.demonitor(carrier.ref, { flush: true });
  ctx.cast(carrier.pid, 'close');
}

/** To connect again by itself would ask a person again and again. */
function unauthorized(c: Connection, message: string): void {
  c.lastEnd = { unauthorized: message };
  c.attempt += 1;
  enter(c, 'unauthorized');
  for (const pending of [...c.requests.values()]) settle(c, pending, failed('ERR_MCP_AUTH', message));
  tellWaiting(c);
}

function tellWaiting(c: Connection): void {
  for (const tellReady of c.waitingForReady.splice(0)) tellReady(statusOf(c));
}

/** The server has forgotten the session: another one is opened on the same carrier. */
export function sessionLost(c: Connection, sessionId: string): void {
  if (c.sessionId !== sessionId || c.phase !== 'ready') return; // known already
  report(c, { event: 'session_lost' });
  c.sessionId = undefined;
  c.agreed = undefined;
  c.attempt += 1;
  enter(c, 'connecting');
  const { negotiation } = c.start;
  negotiate(c, firstStep(negotiation === 'auto' ? 'legacy' : negotiation, true));
}
