/** What the server asks: a process answers each question, with the function of the user that is there for it. */

import { type Pid, startChild } from '../../runtime/index.ts';
import { errorObject, INTERNAL_ERROR, METHOD_NOT_FOUND } from '../errors.ts';
import { errorMessage, isJsonObject, type JsonObject, type RequestMessage, resultMessage } from '../json-rpc.ts';
import { RELATED_TASK_KEY } from '../revision/contract.ts';
import type { Answered, Question } from './answerer.ts';
import { handlerOf } from './callbacks.ts';
import { type Connection, paramsOf, report, transmit } from './connection-state.ts';
import { failed } from './failure.ts';
import type { Pending } from './request-call.ts';
import { again, ownSessionHeaders, pauseDeadline, settle, withdraw } from './requests.ts';
import { taskAnswered } from './tasks.ts';

/** A request of the server, in the era of sessions. */
export async function answerServer(c: Connection, { id, method, params }: RequestMessage): Promise<void> {
  if (method === 'ping') return reply(c, resultMessage(id, {}));
  const handler = handlerOf(c.start.handlers, method);
  if (handler === undefined || c.agreed?.era === 'stateless') {
    report(c, { event: 'unhandled_request', method, id });
    return reply(c, errorMessage(id, errorObject(METHOD_NOT_FOUND, `this client does not answer ${method}`)));
  }
  const { handlersMax, handlerTimeoutMs } = c.start.limits;
  if (c.serverRequests.size >= handlersMax) {
    const message = `${handlersMax} requests are being answered already`;
    return reply(c, errorMessage(id, errorObject(INTERNAL_ERROR, message)));
  }
  const answerer = await ask(c, method, paramsOf(params));
  if (answerer === undefined) return reply(c, errorMessage(id, errorObject(INTERNAL_ERROR, 'nobody can answer now')));
  const timer = c.ctx.sendAfter(handlerTimeoutMs, 'answer_deadline', answerer);
  const meta = paramsOf(paramsOf(params)['_meta']);
  c.serverRequests.set(answerer, { id, method, timer, related: meta[RELATED_TASK_KEY] });
}

async function ask(c: Connection, method: string, params: JsonObject): Promise<Pid | undefined> {
  const question: Question = { method, params, asker: c.ctx.self };
  const result = await startChild(c.ctx, c.start.answererSup, question);
  if ('error' in result || result.ok === undefined) return undefined;
  c.ctx.monitor(result.ok);
  c.ctx.cast(result.ok, 'run');
  return result.ok;
}

function reply(c: Connection, message: object): void {
  const http = { method: 'POST', headers: ownSessionHeaders(c, 'POST') } as const;
  transmit(c, { message, http }, { kind: 'notification' });
}

/** The server does not want an answer any more. */
export function cancelledByServer(c: Connection, requestId: unknown): void {
  for (const [answerer, request] of c.serverRequests) {
    if (request.id === requestId) stopAnswering(c, answerer);
  }
}

function stopAnswering(c: Connection, answerer: Pid): void {
  const request = c.serverRequests.get(answerer);
  if (request !== undefined) c.ctx.cancelTimer(request.timer);
  c.serverRequests.delete(answerer);
  c.ctx.exitProcess(answerer, 'shutdown');
}

/** The connection on which the answers were expected has gone. */
export function stopAnsweringAll(c: Connection): void {
  for (const answerer of [...c.serverRequests.keys()]) stopAnswering(c, answerer);
}

export function answerDeadline(c: Connection, answerer: Pid): void {
  const request = c.serverRequests.get(answerer);
  if (request === undefined) return;
  stopAnswering(c, answerer);
  const message = `${request.method} was not answered within ${c.start.limits.handlerTimeoutMs} ms`;
  reply(c, errorMessage(request.id, errorObject(INTERNAL_ERROR, message, { reason: 'timeout' })));
}

/** A process has found the answer to its question. */
export function answered(c: Connection, { answerer, result }: Answered): void {
  const request = c.serverRequests.get(answerer);
  if (request !== undefined) {
    c.ctx.cancelTimer(request.timer);
    c.serverRequests.delete(answerer);
    reply(c, resultMessage(request.id, named(result, request.related)));
    return;
  }
  const pending = c.inputs.get(answerer);
  if (pending === undefined) return;
  const key = pending.questions.get(answerer)!;
  c.inputs.delete(answerer);
  pending.questions.delete(answerer);
  const responses = paramsOf(pending.input['inputResponses']);
  pending.input = { ...pending.input, inputResponses: { ...responses, [key]: result } };
  if (pending.questions.size > 0) return;
  if (pending.task === undefined) again(c, pending);
  else taskAnswered(c, pending);
}

/** What is about a task says so, answers too (2025-11-25). */
function named(result: object, related: unknown): object {
  if (related === undefined) return result;
  const meta = paramsOf((result as JsonObject)['_meta']);
  return { ...result, _meta: { ...meta, [RELATED_TASK_KEY]: related } };
}

/** A process ended without an answer. Says whether it was one of these. */
export function answererDown(c: Connection, answerer: Pid, reason: unknown): boolean {
  const request = c.serverRequests.get(answerer);
  const pending = c.inputs.get(answerer);
  if (request === undefined && pending === undefined) return false;
  report(c, { event: 'handler_failed', reason });
  if (request !== undefined) {
    c.ctx.cancelTimer(request.timer);
    c.serverRequests.delete(answerer);
    // What a handler throws may be private: the server learns that it failed, the report says why.
    reply(c, errorMessage(request.id, errorObject(INTERNAL_ERROR, `the handler of ${request.method} failed`)));
  }
  if (pending !== undefined) {
    c.inputs.delete(answerer);
    pending.questions.delete(answerer);
    const message = `${pending.call.method} needs input, and the handler that should give it failed`;
    settle(c, pending, failed('ERR_MCP_INPUT', message));
  }
  return true;
}

/** A result that asks for input first (2026-07-28): the questions are answered, then the request is sent again. */
export async function inputRequired(c: Connection, pending: Pending, result: JsonObject): Promise<void> {
  const { limits } = c.start;
  const { method } = pending.call;
  const requests = result['inputRequests'] === undefined ? {} : result['inputRequests'];
  const state = result['requestState'];
  withdraw(c, pending);
  if (!isJsonObject(requests) || (state !== undefined && typeof state !== 'string')) {
    const message = `${method}: inputRequests must be an object, requestState a text`;
    return settle(c, pending, failed('ERR_MCP_RESULT', message));
  }
  pending.rounds += 1;
  if (pending.rounds > limits.inputRoundsMax) {
    const message = `${method}: the server has asked for input ${limits.inputRoundsMax} times; it is not asked again`;
    return settle(c, pending, failed('ERR_MCP_INPUT', message));
  }
  pending.input = {
    ...(Object.keys(requests).length === 0 ? {} : { inputResponses: {} }),
    ...(state === undefined ? {} : { requestState: state }),
  };
  const asked = await askAll(c, pending, Object.entries(requests));
  if (asked && pending.questions.size === 0) again(c, pending);
}

/** Starts a process for each question; says whether all could be asked. Else the request has failed. */
export async function askAll(
  c: Connection,
  pending: Pending,
  questions: readonly (readonly [key: string, request: unknown])[],
): Promise<boolean> {
  const { limits, handlers } = c.start;
  const { method } = pending.call;
  const fail = (message: string): false => {
    settle(c, pending, failed('ERR_MCP_INPUT', `${method} ${message}`));
    return false;
  };
  for (const [, request] of questions) {
    if (isJsonObject(request) && handlerOf(handlers, String(request['method'])) !== undefined) continue;
    const wanted = isJsonObject(request) ? String(request['method']) : 'something malformed';
    return fail(`needs ${wanted}, for which this client has no handler`);
  }
  if (questions.length > limits.handlersMax) {
    return fail(`brings ${questions.length} questions at once, at most ${limits.handlersMax} are answered`);
  }
  for (const [key, request] of questions as [string, JsonObject][]) {
    const answerer = await ask(c, String(request['method']), paramsOf(request['params']));
    if (answerer === undefined) return fail('needs input, and nobody can answer now');
    pending.questions.set(answerer, key);
    c.inputs.set(answerer, pending);
  }
  // The time of people is not the server's: the deadline runs again from the next round on.
  pauseDeadline(c, pending);
  return true;
}
