/** Requests for a mounted server, at a connection: each has a process that the connection watches. */

import { startChild } from '../../runtime/index.ts';
import type { ConnectionContext } from '../../transports/transport.ts';
import type { Principal } from '../authorization/principal.ts';
import { errorObject, INVALID_PARAMS, METHOD_NOT_FOUND, quoted } from '../errors.ts';
import {
  errorMessage,
  isJsonObject,
  type JsonObject,
  type NotificationMessage,
  type RequestMessage,
} from '../json-rpc.ts';
import type { Implementation } from '../revision/contract.ts';
import { negotiate, newestOf } from '../revision/registry.ts';
import { answer, type ConnectionState, failedCall, placeOf } from '../server/connection-state.ts';
import { startListen } from '../server/listen-leg.ts';
import type { Negotiated } from '../server/methods/outcome.ts';
import type { RequestOrigin } from '../server/request-leg.ts';
import { refusesId, runBegan, unstarted } from '../server/runs.ts';
import { sessionOf } from '../server/session-store.ts';
import type { Asking } from './auth-info.ts';
import type { ForwardRequest } from './forward.ts';
import type { MountFor, Opened } from './mount.ts';
import { forwardSupOf, mountName, mountSupOf } from './mount-names.ts';
import { anonymous, withoutEnvelope, withoutTasks } from './translation.ts';

/** What a connection must know of a server that is mounted. Plain data. */
export interface MountBounds {
  readonly timeoutMs: number;
  readonly stateless: 'translated' | 'native';
}

/** What `initialize` agrees on with a client; the server hears of it when it is made. */
export function negotiatedFor(message: RequestMessage): Negotiated | { readonly problem: string } {
  const params = message.params ?? {};
  const rule = newestOf('sessions').requests.get('initialize')!;
  const problem = isJsonObject(params) ? rule.problem(params) : 'params must be an object';
  if (problem !== undefined) return { problem };
  const { protocolVersion, clientInfo, capabilities } = params as JsonObject;
  return {
    version: negotiate(protocolVersion as string).version,
    clientInfo: clientInfo as Implementation,
    clientCapabilities: capabilities as JsonObject,
  };
}

/** Makes the server of a new session. The result of `initialize`, or why there is none. */
export async function openMounted(
  state: ConnectionState,
  sessionId: string,
  opens: Negotiated,
  principal: Principal | undefined,
  ctx: ConnectionContext,
): Promise<{ readonly result: object } | { readonly error: unknown }> {
  const { node, server, limits } = state.config;
  const asking = askingOf(state, principal);
  const of: MountFor = { server, key: sessionId, opens, sessionId, again: false, owner: undefined, asking };
  const started = await startChild(ctx, mountSupOf(node), of).catch(unstarted);
  if ('error' in started) return { error: started.error };
  if (started.ok === undefined) return { error: 'ignored' };
  const opened: Opened | { readonly error: unknown } = await ctx
    .call(mountName(node, sessionId), 'opened', undefined, { timeoutMs: limits.mountStartMs })
    .catch(failedCall);
  return 'error' in opened ? opened : { result: { protocolVersion: opens.version, ...opened } };
}

function askingOf({ config }: ConnectionState, principal: Principal | undefined): Asking | undefined {
  return principal && { principal, resource: config.authorization?.resource };
}

/** Starts the process that passes a request on. */
export function serveMounted(
  state: ConnectionState,
  exchange: number,
  message: RequestMessage,
  origin: RequestOrigin,
  bounds: MountBounds,
  ctx: ConnectionContext,
): Promise<void> | undefined {
  const { id } = message;
  const { config, kind } = state;
  const { revision, session, acceptsStream, clientCapabilities, principal } = origin;
  const asked = session === undefined ? statelessly(state, message, origin, bounds, ctx) : undefined;
  if (asked !== undefined && 'refused' in asked) {
    const { code, why } = asked.refused;
    const status = revision.httpStatus(code, 'protocol');
    answer(state, ctx, exchange, errorMessage(id, errorObject(code, why)), { status });
    return undefined;
  }
  // There is nothing that it could be told of without a session.
  if (session === undefined && message.method === 'subscriptions/listen') {
    startListen(state, exchange, id, {}, { revision, clientCapabilities, principal }, ctx);
    return undefined;
  }
  if (refusesId(state, exchange, id, ctx)) return undefined;
  const place = placeOf(state, ctx, exchange);
  const endsWithConnection = kind === 'stream' || session === undefined;
  const request: ForwardRequest = {
    server: config.server,
    version: revision.version,
    id,
    method: message.method,
    timeoutMs: bounds.timeoutMs,
    connection: place.to,
    exchange: place.exchange,
    endsWithConnection,
    session,
    principal,
    counted: true,
    resumption: kind === 'http' && exchange > 0 && session && acceptsStream ? revision.resumption : 'none',
    ...(asked ?? {
      mount: mountOf(state, session?.id ?? '', principal, ctx),
      params: message.params,
      translates: false,
    }),
  };
  const run = { exchange, id, work: { kind: message.method, name: config.server }, revision, endsWithConnection };
  return startChild(ctx, forwardSupOf(config.node), request)
    .catch(unstarted)
    .then((started) => runBegan(state, started, run, ctx));
}

/** The server of a session; if there is none any more, it is made again from the record. */
function mountOf(
  state: ConnectionState,
  sessionId: string,
  principal: Principal | undefined,
  ctx: ConnectionContext,
): MountFor {
  const { config, names } = state;
  const record = sessionOf(names, sessionId, config.server, principal, ctx);
  const opens = record ?? anonymous(newestOf('sessions').version, undefined);
  const { version, clientInfo, clientCapabilities } = opens;
  return {
    server: config.server,
    key: sessionId,
    opens: { version, clientInfo, clientCapabilities },
    sessionId,
    again: true,
    owner: undefined,
    asking: askingOf(state, principal),
  };
}

/** The process of the request fills it in. */
const ofRequest = { key: '', owner: undefined };

type Stateless = Pick<ForwardRequest, 'mount' | 'params' | 'translates'>;

/** Its tasks are known to the server alone: whether anybody can ask for those of others cannot be seen from here. */
function tasksUnknown(method: string): string {
  const why = "a mounted server with stateless: 'native' has no tasks where there are principals";
  return `no method ${quoted(method)} here: ${why}; use tasks in a session`;
}

/** A request without a session: for the server of its stream, or one of its own. */
function statelessly(
  state: ConnectionState,
  { method, params }: RequestMessage,
  { revision, principal }: RequestOrigin,
  { stateless }: MountBounds,
  ctx: ConnectionContext,
): Stateless | { readonly refused: { readonly code: number; readonly why: string } } {
  const { config, kind } = state;
  const rule = revision.requests.get(method);
  if (rule === undefined || (stateless === 'translated' && method.startsWith('tasks/'))) {
    return { refused: { code: METHOD_NOT_FOUND, why: `no method ${quoted(method)} here` } };
  }
  const problem = isJsonObject(params) ? rule.problem(params) : 'params must be an object';
  if (problem !== undefined) return { refused: { code: INVALID_PARAMS, why: problem } };
  const native = stateless === 'native';
  if (native && principal !== undefined && method.startsWith('tasks/')) {
    return { refused: { code: METHOD_NOT_FOUND, why: tasksUnknown(method) } };
  }
  const opens = native ? undefined : anonymous(newestOf('sessions').version, undefined);
  const asking = askingOf(state, principal);
  const shared = { server: config.server, opens, sessionId: undefined, again: true, asking };
  const given = params as JsonObject;
  return {
    mount: kind === 'stream' ? { ...shared, key: `stream ${ctx.self}`, owner: ctx.self } : { ...shared, ...ofRequest },
    params: native ? (principal === undefined ? given : withoutTasks(given)) : withoutEnvelope(given),
    translates: !native,
  };
}

/** A notification of the client of a session, beside cancellations. */
export function notifyMounted(
  { config }: ConnectionState,
  sessionId: string,
  { method, params }: NotificationMessage,
  ctx: ConnectionContext,
): void {
  ctx.cast(mountName(config.node, sessionId), 'notification', { method, params });
}
