/** The requests of a client, from the call to its end: sent once there is a connection, settled exactly once. */

import { type From, isNormalExit, type Pid, startChild } from '../../runtime/index.ts';
import type { JsonObject } from '../json-rpc.ts';
import { notificationMessage } from '../json-rpc.ts';
import { type Connection, report, transmit } from './connection-state.ts';
import { enveloped, sessionHeaders, statelessHeaders, withProgressToken } from './envelope.ts';
import { failed, type Reply } from './failure.ts';
import type { ListenerProtocol, ListenerStart } from './listener.ts';
import { ruleOf } from './methods.ts';
import type { Pending, RequestCall } from './request-call.ts';
import { asTask, cancelTask, forgetTask, needsTools } from './tasks.ts';

/** A request of a user. */
export async function acceptRequest(c: Connection, call: RequestCall, from: From<Reply<JsonObject>>): Promise<void> {
  const { ctx } = c;
  const refusal = refusalOf(c, call);
  if (refusal !== undefined) {
    ctx.replyTo(from, refusal);
    return;
  }
  const settle = (reply: Reply<JsonObject>): void => ctx.replyTo(from, reply);
  const pending = open(c, call, settle, { from });
  if (typeof call.progress === 'function') await listenTo(c, pending, call.progress as ListenerStart['run']);
  if (c.phase === 'ready') dispatch(c, pending);
}

function refusalOf(c: Connection, { token, method }: RequestCall): Reply<JsonObject> | undefined {
  const { requestsMax } = c.start.limits;
  if (c.requests.has(token)) return failed('ERR_MCP_BUSY', `a request with the token ${token} is under way already`);
  if (c.requests.size >= requestsMax) {
    return failed('ERR_MCP_BUSY', `${requestsMax} requests are under way; wait for some of them, or raise requestsMax`);
  }
  if (c.phase === 'unauthorized') {
    const why = JSON.stringify(c.lastEnd);
    return failed('ERR_MCP_AUTH', `${method} was not sent: ${why}; reconnect() asks for authorization again`);
  }
  if (c.phase === 'crash_loop') {
    const times = `${c.failures} attempts in a row have failed`;
    return failed('ERR_MCP_UNAVAILABLE', `${method} was not sent: ${times} to connect to ${c.start.target}`);
  }
  return undefined;
}

/**
 * A request of the client itself: to make the connection (`handshake`, with the revision it is of), or to restore what
 * was there before.
 */
export function openInternal(
  c: Connection,
  method: string,
  params: JsonObject,
  settle: (reply: Reply<JsonObject>) => void,
  more: { readonly handshake?: string; readonly timeoutMs?: number; readonly allPages?: boolean } = {},
): Pending {
  const { handshake, ...rest } = more;
  const call: RequestCall = { token: `internal ${c.nextId} ${method} ${c.attempt}`, method, params, ...rest };
  return open(c, call, settle, handshake === undefined ? {} : { handshake });
}

function open(
  c: Connection,
  call: RequestCall,
  settle: Pending['settle'],
  { from, handshake }: { readonly from?: From<Reply<JsonObject>>; readonly handshake?: string },
): Pending {
  const { ctx, start } = c;
  const { limits } = start;
  const pending: Pending = {
    call,
    settle,
    handshake: handshake !== undefined,
    version: handshake,
    id: undefined,
    exchange: undefined,
    retries: 0,
    rounds: 0,
    input: {},
    questions: new Map(),
    pages: call.allPages === true ? { items: [], cursors: new Set() } : undefined,
    held: false,
    authorizations: 0,
    toolsRenewed: false,
    taskParameter: undefined,
    task: undefined,
    timer: undefined,
    hardTimer: 0,
    callerRef: from === undefined ? undefined : ctx.monitor(from.pid),
    from,
    listener: undefined,
    over: false,
  };
  // What listens has no end of its own.
  if (call.method !== 'subscriptions/listen') {
    pending.hardTimer = ctx.sendAfter(limits.requestTimeoutMaxMs, 'deadline', { token: call.token, hard: true });
    startDeadline(c, pending);
  }
  c.requests.set(call.token, pending);
  return pending;
}

function startDeadline(c: Connection, pending: Pending): void {
  const { requestTimeoutMs, requestTimeoutMaxMs } = c.start.limits;
  const timeoutMs = Math.min(pending.call.timeoutMs ?? requestTimeoutMs, requestTimeoutMaxMs);
  if (pending.timer !== undefined) c.ctx.cancelTimer(pending.timer);
  pending.timer = c.ctx.sendAfter(timeoutMs, 'deadline', { token: pending.call.token, hard: false });
}

async function listenTo(c: Connection, pending: Pending, run: ListenerStart['run']): Promise<void> {
  const start: ListenerStart = { client: c.start.name, what: `progress of ${pending.call.method}`, run };
  const listener = await startListener(c, start);
  if (listener !== undefined && !pending.over) pending.listener = listener;
}

/** A process that runs a function of the user for events. */
export async function startListener(c: Connection, start: ListenerStart): Promise<Pid<ListenerProtocol> | undefined> {
  const result = await startChild(c.ctx, c.start.listenerSup, start);
  if ('error' in result || result.ok === undefined) {
    report(c, { event: 'handler_failed', reason: 'error' in result ? result.error : 'ignore' });
    return undefined;
  }
  c.ctx.monitor(result.ok);
  return result.ok;
}

/** Sends a request that waits; over the agreed connection, or while it is made. */
export function dispatch(c: Connection, pending: Pending): void {
  const { method } = pending.call;
  const era = pending.handshake ? undefined : c.agreed?.era;
  const rule = ruleOf(method);
  if (era !== undefined && rule.era !== undefined && rule.era !== era) {
    const message = `${method} is no request of ${c.agreed?.version}; nothing was sent`;
    settle(c, pending, failed('ERR_MCP_UNSUPPORTED', message));
    return;
  }
  if (needsTools(c, pending)) {
    listTools(c, pending);
    return;
  }
  const id = c.nextId++;
  pending.id = id;
  c.byId.set(id, pending);
  const params = paramsOnWire(c, pending, id);
  const message = { jsonrpc: '2.0', id, method, ...(Object.keys(params).length === 0 ? {} : { params }) };
  const http = { method: 'POST', headers: headersOf(c, pending, params) } as const;
  pending.exchange = transmit(c, { message, http }, { kind: 'request', pending });
}

/** Fetches the list of tools, then sends the request; all that wait for the list wait for the same one. */
export function listTools(c: Connection, pending: Pending): void {
  c.awaitingTools.add(pending);
  if (c.awaitingTools.size > 1) return;
  const listed = (): void => {
    const waiting = [...c.awaitingTools];
    c.awaitingTools.clear();
    for (const each of waiting) {
      each.toolsRenewed = true;
      if (!each.over && each.id === undefined) again(c, each);
    }
  };
  const list = openInternal(c, 'tools/list', {}, listed, { allPages: true });
  if (c.phase === 'ready') dispatch(c, list);
}

function versionOf(c: Connection, pending: Pending): string {
  return pending.version ?? c.agreed?.version ?? '';
}

function isStateless(c: Connection, pending: Pending): boolean {
  return pending.handshake ? pending.call.method === 'server/discover' : c.agreed?.era === 'stateless';
}

function paramsOnWire(c: Connection, pending: Pending, id: number): JsonObject {
  const { call, pages, input } = pending;
  const cursor = pages === undefined ? undefined : [...pages.cursors].at(-1);
  const wantsProgress = call.progress !== undefined || call.resetOnProgress === true;
  const task = asTask(c, pending);
  pending.taskParameter = task;
  const more = { ...(cursor === undefined ? {} : { cursor }), ...(task === undefined ? {} : { task }) };
  const params = withProgressToken({ ...call.params, ...input, ...more }, wantsProgress ? id : undefined);
  if (!isStateless(c, pending)) return params;
  return enveloped(params, versionOf(c, pending), c.start.identity, c.logLevel);
}

function headersOf(c: Connection, pending: Pending, params: JsonObject): Readonly<Record<string, string>> {
  if (isStateless(c, pending)) {
    const { method } = pending.call;
    const tool = method === 'tools/call' ? c.tools?.get(String(params['name'])) : undefined;
    return statelessHeaders(method, params, versionOf(c, pending), tool?.paramHeaders ?? []);
  }
  // Nothing is agreed on while a session is opened.
  return pending.handshake ? sessionHeaders('POST', undefined, undefined) : ownSessionHeaders(c, 'POST');
}

export function ownSessionHeaders(
  c: Connection,
  verb: 'POST' | 'GET' | 'DELETE',
  lastEventId?: string,
): Readonly<Record<string, string>> {
  return sessionHeaders(verb, c.sessionId, c.agreed?.version, lastEventId);
}

/** Sends all that wait, in the order in which they came. */
export function dispatchWaiting(c: Connection): void {
  for (const pending of [...c.requests.values()]) {
    const goes =
      pending.id === undefined && pending.questions.size === 0 && !pending.held && pending.task === undefined;
    if (goes && !pending.handshake) dispatch(c, pending);
  }
}

/** It has left the wire: what still comes for it is late. */
export function withdraw(c: Connection, pending: Pending): void {
  if (pending.id === undefined) return;
  c.byId.delete(pending.id);
  c.answered.add(pending.id);
  pending.id = undefined;
  pending.exchange = undefined;
}

/** The end of a request; a second one is ignored. */
export function settle(c: Connection, pending: Pending, reply: Reply<JsonObject>): void {
  if (pending.over) return;
  pending.over = true;
  const { ctx } = c;
  withdraw(c, pending);
  c.requests.delete(pending.call.token);
  forgetTask(c, pending);
  for (const timer of [pending.timer, pending.hardTimer]) if (timer !== undefined) ctx.cancelTimer(timer);
  if (pending.callerRef !== undefined) ctx.demonitor(pending.callerRef, { flush: true });
  for (const answerer of pending.questions.keys()) {
    c.inputs.delete(answerer);
    ctx.exitProcess(answerer, 'shutdown');
  }
  const { listener, from } = pending;
  if (listener === undefined || from === undefined || !ctx.isAlive(listener)) {
    pending.settle(reply);
    return;
  }
  // Through the listener, so that the answer does not overtake the progress; and by us, should it fail before.
  c.finishing.set(listener, () => pending.settle(reply));
  ctx.cast(listener, 'finish', { from: from as From<unknown>, reply });
}

/** A listener has ended. */
export function listenerDown(c: Connection, listener: Pid, reason: unknown): void {
  const answer = c.finishing.get(listener);
  c.finishing.delete(listener);
  if (isNormalExit(reason)) return;
  report(c, { event: 'handler_failed', reason });
  answer?.();
}

/** Somebody here does not want the answer any more: the server is told, in the way of its era and transport. */
export function giveUp(c: Connection, pending: Pending, reason: string, reply: Reply<JsonObject>): void {
  const { id, exchange, handshake } = pending;
  const { task } = pending;
  settle(c, pending, reply);
  if (task !== undefined) cancelTask(c, task.id);
  if (id === undefined || c.carrier === undefined) return;
  if (pending.taskParameter !== undefined) {
    // A task is cancelled by its handle (2025-11-25), which is on its way.
    if (exchange !== undefined) c.ctx.sendAfter(c.start.limits.requestTimeoutMs, 'abandon', exchange);
    return;
  }
  const http = c.kind === 'http';
  // Without a session the closed stream is the cancellation; opening a session must not be cancelled.
  if (!handshake && !(http && c.agreed?.era === 'stateless'))
    notifyServer(c, 'notifications/cancelled', { requestId: id, reason });
  if (http && exchange !== undefined) abandonExchange(c, exchange);
}

/** What may still come on it is not waited for. */
export function abandonExchange(c: Connection, exchange: number): void {
  if (c.exchanges.delete(exchange) && c.carrier !== undefined) c.ctx.cast(c.carrier.pid, 'abort', exchange);
}

export function notifyServer(c: Connection, method: string, params: JsonObject, ended?: () => void): void {
  if (c.carrier === undefined || c.agreed === undefined) return;
  const { version, era } = c.agreed;
  const stateless = era === 'stateless';
  const full = stateless ? enveloped(params, version, c.start.identity, undefined) : params;
  const headers = stateless ? statelessHeaders(method, full, version, []) : ownSessionHeaders(c, 'POST');
  const message = notificationMessage(method, Object.keys(full).length === 0 ? undefined : full);
  transmit(c, { message, http: { method: 'POST', headers } }, { kind: 'notification', ended });
}

export function deadlinePassed(c: Connection, token: string, hard: boolean): void {
  const pending = c.requests.get(token);
  if (pending === undefined) return;
  const { requestTimeoutMs, requestTimeoutMaxMs, taskTimeoutMaxMs } = c.start.limits;
  const hardMs =
    pending.task !== undefined && pending.call.timeoutMs === undefined ? taskTimeoutMaxMs : requestTimeoutMaxMs;
  const ms = hard ? hardMs : Math.min(pending.call.timeoutMs ?? requestTimeoutMs, requestTimeoutMaxMs);
  const sent =
    pending.id === undefined && pending.task === undefined
      ? '; it was not on its way, the connection is not ready'
      : '';
  const message = `${pending.call.method} was not answered within ${ms} ms${sent}`;
  giveUp(c, pending, 'timeout', failed('ERR_MCP_TIMEOUT', message));
}

/** Progress came for a request. */
export function progressed(c: Connection, pending: Pending): void {
  if (pending.call.resetOnProgress === true) startDeadline(c, pending);
}

/** A new round: the time for the answer begins anew. */
export function again(c: Connection, pending: Pending): void {
  startDeadline(c, pending);
  if (c.phase === 'ready' || pending.handshake) dispatch(c, pending);
}

/** The time for the answer stands still: others have the word. */
export function pauseDeadline(c: Connection, pending: Pending): void {
  if (pending.timer !== undefined) c.ctx.cancelTimer(pending.timer);
  pending.timer = undefined;
}

/** Whether a request may be sent again although the server may have carried it out. */
export function isRepeatable(c: Connection, { call }: Pending): boolean {
  if (ruleOf(call.method).safe) return true;
  if (call.method !== 'tools/call' || call.retryIdempotent !== true) return false;
  return c.tools?.get(String(call.params['name']))?.repeatable === true;
}

/**
 * Its connection was lost, and its answer with it. `unsent`: the server cannot have seen it. What may be repeated waits
 * for the next connection, the rest fails.
 */
export function lost(c: Connection, pending: Pending, why: string, unsent: boolean): 'waits' | 'failed' {
  const { method } = pending.call;
  const keeps = !pending.handshake && method !== 'subscriptions/listen'; // what listens is opened anew by itself
  if (keeps && (unsent || isRepeatable(c, pending)) && pending.retries < c.start.limits.retriesMax) {
    if (!unsent) pending.retries += 1;
    withdraw(c, pending);
    report(c, { event: 'retry', method, problem: why });
    return 'waits';
  }
  const message = `the connection ended before ${method} was answered: ${why}`;
  settle(c, pending, failed('ERR_MCP_CONNECTION_LOST', message));
  return 'failed';
}
