/** Messages of the eras that have sessions, at a connection: which session they are of, and what they ask of it. */

import { describeExit, type Pid } from '../../runtime/index.ts';
import type { ConnectionContext } from '../../transports/transport.ts';
import { type Principal, principalKey } from '../authorization/principal.ts';
import type { SessionsRoute } from '../era.ts';
import { errorObject, INVALID_PARAMS, INVALID_REQUEST } from '../errors.ts';
import { SESSION_HEADER } from '../headers.ts';
import { errorMessage, type RequestId, type RequestMessage, resultMessage, type SingleMessage } from '../json-rpc.ts';
import { negotiatedFor, notifyMounted, openMounted } from '../mount/mount-leg.ts';
import { newestOf, revisionOf } from '../revision/registry.ts';
import { serveBatch } from './batch-leg.ts';
import {
  answer,
  answerUnavailable,
  type ConnectionState,
  endExchange,
  failedCall,
  forgetStream,
  rememberStream,
} from './connection-state.ts';
import { cancelWait } from './core-task-leg.ts';
import { SESSION_LOG_LEVEL } from './log.ts';
import type { Negotiated } from './methods/outcome.ts';
import { handleRequest } from './methods.ts';
import { sessionName } from './node-names.ts';
import { cancelRequest, catalogOf, serveRequest } from './request-leg.ts';
import type { SessionProtocol } from './session.ts';
import type { OpenResult } from './session-manager.ts';
import { forgetSession, logOf, type SessionRecord, sessionOf } from './session-store.ts';
import { attachStream } from './session-streams-leg.ts';
import { tooMany } from './usage.ts';

const notFound = 404;
const badRequest = 400;

export function serveSessionMessage(
  state: ConnectionState,
  exchange: number,
  { opens, sessionId, message }: SessionsRoute,
  acceptsStream: boolean,
  principal: Principal | undefined,
  ctx: ConnectionContext,
): Promise<void> | undefined {
  if (opens) return openSession(state, exchange, message as RequestMessage, principal, ctx);
  const id = message.kind === 'request' ? message.id : undefined;
  const known = state.kind === 'stream' ? state.streamSession : sessionId;
  if (known === undefined) return beforeSession(state, exchange, message, principal, ctx);
  const record = sessionOf(state.names, known, state.config.server, principal, ctx);
  if (record === undefined) {
    if (state.kind === 'stream') state.streamSession = undefined;
    refuse(state, exchange, id, 'there is no such session: open one with initialize', notFound, ctx);
    return undefined;
  }
  const pid = ctx.whereis(sessionName(state.config.node, known));
  if (pid !== undefined) return inSession(state, exchange, message, { record, pid, acceptsStream, principal }, ctx);
  return restoreSession(state, exchange, message, { record, acceptsStream, principal }, ctx);
}

/** Its process has crashed: the record brings it back, and the client does not notice. */
async function restoreSession(
  state: ConnectionState,
  exchange: number,
  message: SessionsRoute['message'],
  place: Omit<InSession, 'pid'>,
  ctx: ConnectionContext,
): Promise<void> {
  const { record } = place;
  const restored = await ctx.call(state.names.sessionManager, 'restore', record.id).catch(failedCall);
  const pid = ctx.whereis(sessionName(state.config.node, record.id));
  if (pid !== undefined) return inSession(state, exchange, message, { ...place, pid }, ctx);
  const why = restored === 'ok' ? 'it ended at once' : describeExit(restored.error);
  if (message.kind === 'request') answerUnavailable(state, exchange, message.id, why, ctx);
  else endExchange(state, ctx, exchange, 503);
}

/** The session of a message, whose process runs. */
interface InSession {
  readonly record: SessionRecord;
  readonly pid: Pid<SessionProtocol>;
  readonly acceptsStream: boolean;
  readonly principal: Principal | undefined;
}

function inSession(
  state: ConnectionState,
  exchange: number,
  message: SessionsRoute['message'],
  place: InSession,
  ctx: ConnectionContext,
): Promise<void> | undefined {
  const { record, pid, acceptsStream, principal } = place;
  ctx.cast(pid, 'touch');
  if (message.kind === 'batch') {
    if (revisionOf(record.version)?.batches === true) {
      return serveBatch(state, exchange, message, (part, each) => ofBatch(state, part, each, place, ctx), ctx);
    }
    refuse(state, exchange, undefined, 'this revision has no batches: send one message at a time', badRequest, ctx);
    return undefined;
  }
  if (message.kind === 'request') {
    const revision = revisionOf(record.version) ?? newestOf('sessions');
    const { id, clientCapabilities, logLevel = SESSION_LOG_LEVEL } = record;
    const origin = {
      revision,
      headers: undefined,
      clientCapabilities,
      logLevel,
      session: { id, pid },
      acceptsStream,
      principal,
    };
    return serveRequest(state, exchange, message, origin, ctx);
  }
  if (message.kind === 'notification' && message.method === 'notifications/cancelled') {
    cancelRequest(state, pid, message.params, ctx);
    if (state.kind === 'stream') cancelWait(state, message.params, ctx);
  } else if (message.kind === 'notification' && state.config.mounted !== undefined) {
    notifyMounted(state, record.id, message, ctx);
  }
  if (message.kind === 'response' && typeof message.id === 'string') {
    ctx.cast(pid, 'answered', { id: message.id, outcome: message.outcome });
  }
  // Other notifications ask for nothing.
  endExchange(state, ctx, exchange);
  return undefined;
}

/** A message of a batch. */
function ofBatch(
  state: ConnectionState,
  exchange: number,
  message: SingleMessage,
  place: InSession,
  ctx: ConnectionContext,
): Promise<void> | undefined {
  if (message.kind === 'invalid') {
    answer(state, ctx, exchange, errorMessage(message.id, message.error));
    return undefined;
  }
  if (message.kind === 'request' && message.method === 'initialize') {
    refuse(state, exchange, message.id, 'initialize must not be part of a batch', badRequest, ctx);
    return undefined;
  }
  return inSession(state, exchange, message, place, ctx);
}

async function openSession(
  state: ConnectionState,
  exchange: number,
  message: RequestMessage,
  principal: Principal | undefined,
  ctx: ConnectionContext,
): Promise<void> {
  const { id } = message;
  if (state.streamSession !== undefined)
    return refuse(state, exchange, id, 'this stream has a session already', badRequest, ctx);
  const { mounted } = state.config;
  if (mounted !== undefined) return openMountedSession(state, exchange, message, principal, ctx);
  const catalog = catalogOf(state, ctx);
  if (catalog === undefined) return answerUnavailable(state, exchange, id, 'its registry is being restarted', ctx);
  const outcome = handleRequest(message, catalog, newestOf('sessions'), state.config.limits, {
    headers: undefined,
    granted: undefined,
  });
  if (outcome.kind === 'error')
    return answer(state, ctx, exchange, errorMessage(id, outcome.error), { status: outcome.status });
  if (outcome.kind !== 'result' || outcome.negotiated === undefined) throw new Error('initialize must negotiate');
  const { negotiated, result } = outcome;
  const opened = await openRecord(state, negotiated, principal, ctx);
  if ('error' in opened && opened.error === 'too_many_of_principal') return tooManySessions(state, exchange, id, ctx);
  if ('error' in opened) return answerUnavailable(state, exchange, id, describeExit(opened.error), ctx);
  welcome(state, exchange, id, opened.ok, result, ctx);
}

function tooManySessions(state: ConnectionState, exchange: number, id: RequestId, ctx: ConnectionContext): void {
  const { error, status } = tooMany('sessions', 'principalSessionsMax', state.config.limits);
  answer(state, ctx, exchange, errorMessage(id, error), { status });
}

function openRecord(
  state: ConnectionState,
  negotiated: Negotiated,
  asking: Principal | undefined,
  ctx: ConnectionContext,
): Promise<OpenResult> {
  const { server } = state.config;
  const stream = state.kind === 'stream' && state.resumable === undefined ? ctx.self : undefined;
  const principal = principalKey(asking);
  return ctx.call(state.names.sessionManager, 'open', { server, negotiated, stream, principal }).catch(failedCall);
}

/** The session is there: its id, and what the server says of itself. */
function welcome(
  state: ConnectionState,
  exchange: number,
  id: RequestId,
  sessionId: string,
  result: object,
  ctx: ConnectionContext,
): void {
  if (state.kind === 'stream') {
    state.streamSession = sessionId;
    rememberStream(state, ctx);
    attachStream(state, sessionId, ctx);
  }
  answer(state, ctx, exchange, resultMessage(id, result), { headers: { [SESSION_HEADER]: sessionId } });
}

/** A session with a server that is made for it. */
async function openMountedSession(
  state: ConnectionState,
  exchange: number,
  message: RequestMessage,
  principal: Principal | undefined,
  ctx: ConnectionContext,
): Promise<void> {
  const { id } = message;
  const negotiated = negotiatedFor(message);
  if ('problem' in negotiated) {
    return answer(state, ctx, exchange, errorMessage(id, errorObject(INVALID_PARAMS, negotiated.problem)));
  }
  const opened = await openRecord(state, negotiated, principal, ctx);
  if ('error' in opened && opened.error === 'too_many_of_principal') return tooManySessions(state, exchange, id, ctx);
  if ('error' in opened) return answerUnavailable(state, exchange, id, describeExit(opened.error), ctx);
  const made = await openMounted(state, opened.ok, negotiated, principal, ctx);
  if ('result' in made) return welcome(state, exchange, id, opened.ok, made.result, ctx);
  end(state, opened.ok, ctx);
  answerUnavailable(state, exchange, id, describeExit(made.error), ctx);
}

/** DELETE (2025-11-25, Session Management). */
export function endSession(
  state: ConnectionState,
  exchange: number,
  sessionId: string,
  principal: Principal | undefined,
  ctx: ConnectionContext,
): undefined {
  if (sessionOf(state.names, sessionId, state.config.server, principal, ctx) === undefined) {
    refuse(state, exchange, undefined, 'there is no such session', notFound, ctx);
    return;
  }
  end(state, sessionId, ctx);
  endExchange(state, ctx, exchange, 204);
}

/** A stream ends with its session: nobody else knows of it. */
export function closeStreamSession(state: ConnectionState, ctx: ConnectionContext): void {
  if (state.streamSession !== undefined) end(state, state.streamSession, ctx);
  forgetStream(state, ctx);
}

function end(state: ConnectionState, sessionId: string, ctx: ConnectionContext): void {
  // At once, not by its process: the next request must find no session, even if that process is gone.
  const sends = logOf(state.names, sessionId, undefined, ctx)?.close() ?? [];
  for (const { to, outbound } of sends) ctx.cast(to, 'send', outbound);
  forgetSession(state.names, sessionId, ctx);
  ctx.cast(sessionName(state.config.node, sessionId), 'end');
}

/** Before its initialize a stream may only be pinged. */
function beforeSession(
  state: ConnectionState,
  exchange: number,
  message: SessionsRoute['message'],
  principal: Principal | undefined,
  ctx: ConnectionContext,
): Promise<void> | undefined {
  if (message.kind === 'request' && message.method === 'ping') {
    const revision = newestOf('sessions');
    const none = {
      headers: undefined,
      logLevel: undefined,
      session: undefined,
      acceptsStream: false,
      principal,
    };
    const origin = { revision, clientCapabilities: {}, ...none };
    return serveRequest(state, exchange, message, origin, ctx);
  }
  if (message.kind === 'request')
    refuse(state, exchange, message.id, 'open a session with initialize first', badRequest, ctx);
  else endExchange(state, ctx, exchange);
  return undefined;
}

function refuse(
  state: ConnectionState,
  exchange: number,
  id: RequestId | undefined,
  why: string,
  status: number,
  ctx: ConnectionContext,
): void {
  answer(state, ctx, exchange, errorMessage(id, errorObject(INVALID_REQUEST, why)), { status });
}
