/**
 * Requests at a connection: answered at once, or by a process that the connection watches, so that an answer is
 * certain.
 */

import { type Pid, startChildAtOnce } from '../../runtime/index.ts';
import type { ConnectionContext } from '../../transports/transport.ts';
import type { Principal } from '../authorization/principal.ts';
import { errorObject, INVALID_PARAMS } from '../errors.ts';
import type { Headers } from '../headers.ts';
import {
  errorMessage,
  isJsonObject,
  type JsonObject,
  type RequestId,
  type RequestMessage,
  resultMessage,
} from '../json-rpc.ts';
import type { McpLimits } from '../limits.ts';
import { serveMounted } from '../mount/mount-leg.ts';
import type { LogLevel } from '../request-context.ts';
import type { Revision } from '../revision/contract.ts';
import { scopeChallenge } from './authorization-leg.ts';
import type { Catalog } from './catalog.ts';
import { answer, answerUnavailable, type ConnectionState, grantedTo, placeOf } from './connection-state.ts';
import { startListen } from './listen-leg.ts';
import { failed, type Run, type SessionChange } from './methods/outcome.ts';
import { handleRequest } from './methods.ts';
import { refusesId, runBegan, unstarted } from './runs.ts';
import type { SessionProtocol } from './session.ts';
import { type SessionRecord, sessionOf } from './session-store.ts';
import { becomesTask, serveTask, startTask } from './task-leg.ts';
import type { WorkRequest } from './work-request.ts';

/** What is known of a request beside its message. */
export interface RequestOrigin {
  readonly revision: Revision;
  /** Of a stateless request over HTTP. */
  readonly headers: Headers | undefined;
  readonly clientCapabilities: JsonObject;
  /** See `WorkRequest`. */
  readonly logLevel: LogLevel | undefined;
  readonly session: { readonly id: string; readonly pid: Pid } | undefined;
  /** Whether what comes before the answer can be sent. */
  readonly acceptsStream: boolean;
  readonly principal: Principal | undefined;
}

export function catalogOf({ config, names }: ConnectionState, ctx: ConnectionContext): Catalog | undefined {
  return ctx.table<string, Catalog>(names.catalogTable)?.get(config.server);
}

export function serveRequest(
  state: ConnectionState,
  exchange: number,
  message: RequestMessage,
  origin: RequestOrigin,
  ctx: ConnectionContext,
): Promise<void> | undefined {
  const { id } = message;
  const { mounted } = state.config;
  if (mounted !== undefined) return serveMounted(state, exchange, message, origin, mounted, ctx);
  const catalog = catalogOf(state, ctx);
  if (catalog === undefined) {
    answerUnavailable(state, exchange, id, 'its registry is being restarted', ctx);
    return undefined;
  }
  const { headers, principal } = origin;
  const given = { headers, granted: grantedTo(state, principal) };
  const outcome = handleRequest(message, catalog, origin.revision, state.config.limits, given);
  if (outcome.kind === 'run') {
    const becomes = becomesTask(outcome.run, origin);
    if (becomes === true) return startTask(state, exchange, id, outcome.run, origin, catalog, ctx);
    if (becomes === false) return startRun(state, exchange, id, outcome.run, origin, catalog, ctx);
    const { error, status } = failed(becomes, origin.revision);
    answer(state, ctx, exchange, errorMessage(id, error), { status });
    return undefined;
  }
  if (outcome.kind === 'result') {
    const problem = outcome.change && changeSession(state, origin, outcome.change, ctx);
    if (problem === undefined) answer(state, ctx, exchange, resultMessage(id, outcome.result));
    else answer(state, ctx, exchange, errorMessage(id, errorObject(INVALID_PARAMS, problem)));
  } else if (outcome.kind === 'listen') {
    startListen(state, exchange, id, outcome.filter, origin, ctx);
  } else if (outcome.kind === 'task') {
    return serveTask(state, exchange, id, outcome.access, origin, catalog, ctx);
  } else {
    const { error, status, scopes } = outcome;
    const challenge = scopes === undefined ? {} : scopeChallenge(state, scopes, principal);
    answer(state, ctx, exchange, errorMessage(id, error), { status, ...challenge });
  }
  return undefined;
}

/** What keeps the change from being made; undefined if nothing does. */
function changeSession(
  { config, names }: ConnectionState,
  { session, principal }: Pick<RequestOrigin, 'session' | 'principal'>,
  change: SessionChange,
  ctx: ConnectionContext,
): string | undefined {
  const record = session && sessionOf(names, session.id, config.server, principal, ctx);
  if (record === undefined) return undefined; // it has ended meanwhile
  const changed = changedSession(record, change, config.limits);
  if (typeof changed === 'string') return changed;
  ctx.table<string, SessionRecord>(names.sessionTable)?.set(record.id, changed);
  return undefined;
}

function changedSession(
  record: SessionRecord,
  change: SessionChange,
  { subscriptionsMax }: McpLimits,
): SessionRecord | string {
  if ('logLevel' in change) return { ...record, ...change };
  const { subscriptions = [] } = record;
  if ('unsubscribe' in change) {
    return { ...record, subscriptions: subscriptions.filter((uri) => uri !== change.unsubscribe) };
  }
  if (subscriptions.includes(change.subscribe)) return record;
  if (subscriptions.length >= subscriptionsMax) return `a session may subscribe to ${subscriptionsMax} resources`;
  return { ...record, subscriptions: [...subscriptions, change.subscribe] };
}

function startRun(
  state: ConnectionState,
  exchange: number,
  id: RequestId,
  { work, timeoutMs, progressToken, input }: Run,
  { revision, clientCapabilities, logLevel, session, acceptsStream, principal }: RequestOrigin,
  catalog: Catalog,
  ctx: ConnectionContext,
): Promise<void> | undefined {
  const { config, kind, names } = state;
  if (refusesId(state, exchange, id, ctx)) return undefined;
  // Of a session over HTTP the peer may leave without meaning to cancel (2025-11-25, Sending Messages).
  const endsWithConnection = kind === 'stream' || session === undefined;
  const place = placeOf(state, ctx, exchange);
  const request: WorkRequest = {
    server: config.server,
    version: revision.version,
    id,
    work,
    timeoutMs,
    progressToken,
    input,
    clientCapabilities,
    asks: revision.era === 'sessions' ? 'on_stream' : 'in_rounds',
    logLevel,
    connection: place.to,
    exchange: place.exchange,
    endsWithConnection,
    session,
    // A part of a batch has no event stream of its own.
    resumption: kind === 'http' && exchange > 0 && session && acceptsStream ? revision.resumption : 'none',
    catalogVersion: catalog.version,
    principal,
    granted: grantedTo(state, principal),
    counted: true,
  };
  const starting = startChildAtOnce(ctx, names.requestSup, request);
  const run = { exchange, id, work, revision, endsWithConnection };
  if (!('then' in starting)) {
    runBegan(state, starting, run, ctx);
    return undefined;
  }
  return Promise.resolve(starting)
    .catch(unstarted)
    .then((started) => runBegan(state, started, run, ctx));
}

/** `notifications/cancelled`: of a request that has ended, or never was, it means nothing. */
export function cancelRequest(
  state: ConnectionState,
  session: Pid<SessionProtocol> | undefined,
  params: unknown,
  ctx: ConnectionContext,
): void {
  const id = isJsonObject(params) ? params['requestId'] : undefined;
  if (typeof id !== 'string' && typeof id !== 'number') return;
  if (state.kind === 'stream') {
    const run = state.runOfId.get(id);
    if (run !== undefined) ctx.cast(run.pid, 'cancel', { answered: false });
    // Another connection may have it.
  } else if (session !== undefined) ctx.cast(session, 'cancel', id);
}
