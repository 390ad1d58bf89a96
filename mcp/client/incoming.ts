/** What comes from the server: each text is a message, a batch, or malformed; it finds its request or its listener. */

import type { CarrierText } from '../../transports/client-transport.ts';
import { type ErrorObject, HEADER_MISMATCH, METHOD_NOT_FOUND } from '../errors.ts';
import {
  isJsonObject,
  type JsonObject,
  type NotificationMessage,
  parseMessage,
  type ResponseMessage,
  type SingleMessage,
} from '../json-rpc.ts';
import type { Progress, ServerNotification } from './callbacks.ts';
import { type Connection, paramsOf, report, shown, tell } from './connection-state.ts';
import { failed } from './failure.ts';
import { resultProblem, ruleOf } from './methods.ts';
import { answerServer, cancelledByServer, inputRequired } from './questions.ts';
import type { Pending } from './request-call.ts';
import { dispatch, listTools, progressed, settle, startListener, withdraw } from './requests.ts';
import { acknowledged } from './subscriptions.ts';
import { becameTask, statusTold, taskLost } from './tasks.ts';
import { hasTasks, readTools } from './tools.ts';

export async function handleText(c: Connection, { exchange, text, fault }: CarrierText): Promise<void> {
  const open = c.exchanges.get(exchange);
  const awaited = open?.pending;
  // What a server says to a refused stream or notification is no message of the conversation.
  const refused = open?.status !== undefined && open.status >= 400;
  // What 401 and 403 mean, their headers say.
  if (refused && (awaited === undefined || open.status === 401 || open.status === 403)) return;
  if (fault !== undefined) return malformed(c, fault, '', awaited);
  const message = parseMessage(text, c.start.limits);
  // A page for people, or of a proxy: the status is the answer.
  if (refused && message.kind === 'invalid') return;
  if (message.kind === 'batch') {
    for (const each of message.messages) await handleMessage(c, each, text, awaited);
  } else await handleMessage(c, message, text, awaited);
}

async function handleMessage(
  c: Connection,
  message: SingleMessage,
  text: string,
  awaited: Pending | undefined,
): Promise<void> {
  switch (message.kind) {
    case 'response':
      return handleResponse(c, message, awaited);
    case 'notification':
      return handleNotification(c, message);
    case 'request':
      return answerServer(c, message);
    case 'invalid': {
      const named = typeof message.id === 'number' ? c.byId.get(message.id) : undefined;
      return malformed(c, message.error.message, text, named ?? awaited);
    }
  }
}

/** What is no message. The request that it should have answered fails at once: nothing better will come. */
function malformed(c: Connection, problem: string, text: string, pending: Pending | undefined): void {
  report(c, { event: 'malformed', problem, text: shown(c, text) });
  if (pending === undefined) return;
  settle(c, pending, failed('ERR_MCP_RESULT', `the answer to ${pending.call.method} is no message: ${problem}`));
}

async function handleResponse(
  c: Connection,
  { id, outcome }: ResponseMessage,
  awaited: Pending | undefined,
): Promise<void> {
  // An error without an id is about the one message of its exchange.
  const pending = id === undefined ? awaited : typeof id === 'number' ? c.byId.get(id) : undefined;
  if (pending === undefined) {
    if (c.answered.has(id) && 'result' in outcome) taskLost(c, outcome.result);
    report(c, {
      event: c.answered.has(id) ? 'late_response' : 'unknown_response',
      ...(id === undefined ? {} : { id }),
    });
    return;
  }
  if ('error' in outcome) return handleError(c, pending, outcome.error);
  const { method, params } = pending.call;
  const created = isJsonObject(outcome.result) ? outcome.result['task'] : undefined;
  if (method === 'tools/call' && isJsonObject(created)) {
    if (pending.taskParameter !== undefined) return becameTask(c, pending, created, 'core');
    // Who has sent the parameter himself wants the task and not what comes of it.
    if (params['task'] !== undefined) return settle(c, pending, { ok: outcome.result as JsonObject });
  }
  const problem = resultProblem(method, outcome.result);
  if (problem !== undefined) {
    settle(c, pending, failed('ERR_MCP_RESULT', `the result of ${method} is malformed: ${problem}`));
    return;
  }
  const result = outcome.result as JsonObject;
  if (result['resultType'] === 'input_required') return inputRequired(c, pending, result);
  if (result['resultType'] === 'task' && method === 'tools/call') {
    becameTask(c, pending, result, 'extension');
    return;
  }
  if (pending.pages !== undefined) return nextPage(c, pending, pending.pages, result);
  settle(c, pending, { ok: result });
}

function handleError(c: Connection, pending: Pending, error: ErrorObject): void {
  const { method } = pending.call;
  if (method === 'tools/call' && !pending.toolsRenewed && wantsOtherwise(c, pending, error)) {
    // It was not called: the list says how.
    withdraw(c, pending);
    listTools(c, pending);
    return;
  }
  const message = `the server answered ${method} with error ${error.code}: ${error.message}`;
  settle(c, pending, failed('ERR_MCP_RPC', message, { rpc: error }));
}

/** The headers of its arguments are not what the tool wants now; or it must be a task of the session, or must not. */
function wantsOtherwise({ agreed }: Connection, { call }: Pending, { code }: ErrorObject): boolean {
  if (code === HEADER_MISMATCH) return true;
  const mayBeTask = call.task !== undefined && agreed?.era === 'sessions' && hasTasks(agreed.capabilities);
  return code === METHOD_NOT_FOUND && mayBeTask;
}

/** A page of a list that is wanted whole. */
function nextPage(c: Connection, pending: Pending, pages: NonNullable<Pending['pages']>, result: JsonObject): void {
  const { method } = pending.call;
  const member = ruleOf(method).items!;
  // One by one: a page may have more items than a call may have arguments.
  for (const item of result[member] as unknown[]) pages.items.push(item);
  const cursor = result['nextCursor'];
  if (typeof cursor !== 'string') {
    settle(c, pending, { ok: { ...result, [member]: method === 'tools/list' ? usable(c, pages.items) : pages.items } });
    return;
  }
  const { pagesMax } = c.start.limits;
  if (pages.cursors.has(cursor) || pages.cursors.size + 1 >= pagesMax) {
    const why = pages.cursors.has(cursor) ? 'its cursors go in a circle' : `it has more than ${pagesMax} pages`;
    settle(c, pending, failed('ERR_MCP_RESULT', `${method} does not end: ${why}`));
    return;
  }
  pages.cursors.add(cursor);
  withdraw(c, pending);
  if (c.phase === 'ready') dispatch(c, pending);
}

function usable(c: Connection, items: readonly unknown[]): readonly unknown[] {
  const headers = c.kind === 'http' && c.agreed?.era === 'stateless';
  const tools = readTools(items, headers);
  for (const problem of tools.problems) report(c, { event: 'malformed', problem });
  c.tools = tools.known;
  return tools.usable;
}

async function handleNotification(c: Connection, { method, params: raw }: NotificationMessage): Promise<void> {
  const params = paramsOf(raw);
  switch (method) {
    case 'notifications/progress':
      return handleProgress(c, params);
    case 'notifications/cancelled':
      return cancelledByServer(c, params['requestId']);
    case 'notifications/subscriptions/acknowledged':
      return acknowledged(c, params);
    case 'notifications/tools/list_changed':
      c.tools = undefined;
      break;
    case 'notifications/tasks/status':
      statusTold(c, params);
      break;
    default:
  }
  const notification: ServerNotification = { client: c.start.name, method, params };
  tell(c, 'mcp_notification', notification);
  const { notification: run } = c.start.handlers;
  if (run === undefined) return;
  if (c.notifier === undefined || !c.ctx.isAlive(c.notifier)) {
    c.notifier = await startListener(c, { client: c.start.name, what: 'notifications', run });
  }
  if (c.notifier !== undefined) c.ctx.cast(c.notifier, 'event', notification);
}

function handleProgress(c: Connection, params: JsonObject): void {
  const { progressToken, progress, total, message } = params;
  const known = typeof progressToken === 'number';
  const pending = known ? (c.byId.get(progressToken) ?? c.tasks.get(progressToken)) : undefined;
  if (pending === undefined || typeof progress !== 'number') {
    report(c, { event: 'unknown_progress', text: shown(c, String(progressToken)) });
    return;
  }
  progressed(c, pending);
  const told: Progress = {
    progress,
    ...(typeof total === 'number' ? { total } : {}),
    ...(typeof message === 'string' ? { message } : {}),
  };
  const { listener, call } = pending;
  if (listener !== undefined) c.ctx.cast(listener, 'event', told);
  else if (call.progress !== undefined && typeof call.progress !== 'function') {
    const dest = call.progress;
    if (typeof dest === 'string' && c.ctx.whereis(dest) === undefined) return;
    c.ctx.send(dest, 'mcp_progress', { client: c.start.name, token: call.token, ...told } as never);
  }
}
