/** A call that the server has made a task of (extension io.modelcontextprotocol/tasks): it is followed to its end. */

import { isJsonObject, type JsonObject } from '../json-rpc.ts';
import { type Connection, report } from './connection-state.ts';
import { failed, type Reply } from './failure.ts';
import { resultProblem } from './methods.ts';
import { askAll } from './questions.ts';
import type { Pending } from './request-call.ts';
import { dispatch, openInternal, pauseDeadline, settle, withdraw } from './requests.ts';

/** The server has answered with a handle instead of a result. The call goes on, also across connections. */
export function becameTask(c: Connection, pending: Pending, created: JsonObject): void {
  const { taskId } = created;
  withdraw(c, pending);
  if (typeof taskId !== 'string') {
    settle(c, pending, failed('ERR_MCP_RESULT', `${pending.call.method}: a task must have a taskId`));
    return;
  }
  pending.task = { id: taskId, answered: new Set(), asks: {} };
  // Who has named a time has meant all of it; the usual time is for answers, and the answer is here.
  if (pending.call.timeoutMs === undefined) {
    pauseDeadline(c, pending);
    c.ctx.cancelTimer(pending.hardTimer);
    const { taskTimeoutMaxMs } = c.start.limits;
    pending.hardTimer = c.ctx.sendAfter(taskTimeoutMaxMs, 'deadline', { token: pending.call.token, hard: true });
  }
  pollLater(c, pending, created);
}

/** The next question after the time that the server asks for, within bounds. */
function pollLater(c: Connection, pending: Pending, { pollIntervalMs }: JsonObject): void {
  const { taskPollMs, taskPollMinMs, taskPollMaxMs } = c.start.limits;
  const wanted = typeof pollIntervalMs === 'number' ? pollIntervalMs : taskPollMs;
  const waitMs = Math.min(Math.max(wanted, taskPollMinMs), taskPollMaxMs);
  c.ctx.sendAfter(waitMs, 'poll', pending.call.token);
}

export function poll(c: Connection, token: string): void {
  const pending = c.requests.get(token);
  if (pending?.task === undefined) return;
  const { task } = pending;
  taskRequest(c, 'tasks/get', { taskId: task.id }, (reply) => {
    if (!pending.over) polled(c, pending, task, reply);
  });
}

/** It waits for a connection as any request does; what it brings is not what the caller waits for. */
function taskRequest(
  c: Connection,
  method: string,
  params: JsonObject,
  then: (reply: Reply<JsonObject>) => void,
): void {
  const request = openInternal(c, method, params, then);
  if (c.phase === 'ready') dispatch(c, request);
}

function polled(c: Connection, pending: Pending, task: NonNullable<Pending['task']>, reply: Reply<JsonObject>): void {
  const { method } = pending.call;
  if ('error' in reply) {
    const { code } = reply.error;
    // The connection may come back, and the task is still there then. An error of the server is about the task.
    if (code === 'ERR_MCP_RPC' || code === 'ERR_MCP_AUTH' || code === 'ERR_MCP_UNAVAILABLE') settle(c, pending, reply);
    else pollLater(c, pending, {});
    return;
  }
  const status = reply.ok;
  switch (status['status']) {
    case 'working':
      pollLater(c, pending, status);
      return;
    case 'input_required':
      task.asks = status;
      c.ctx.send(c.ctx.self, 'task_asks', pending.call.token);
      return;
    case 'completed':
      completed(c, pending, status['result']);
      return;
    case 'failed':
      settle(c, pending, failure(method, status));
      return;
    case 'cancelled':
      settle(c, pending, failed('ERR_MCP_CANCELLED', `the server has cancelled the task of ${method}`));
      return;
    default:
      settle(c, pending, failed('ERR_MCP_RESULT', `${method}: the task has no status of the specification`));
  }
}

function completed(c: Connection, pending: Pending, result: unknown): void {
  const { method } = pending.call;
  const problem = resultProblem(method, result);
  if (problem === undefined) settle(c, pending, { ok: result as JsonObject });
  else settle(c, pending, failed('ERR_MCP_RESULT', `the result of the task of ${method} is malformed: ${problem}`));
}

function failure(method: string, { error, statusMessage }: JsonObject): Reply<JsonObject> {
  if (isJsonObject(error) && Number.isSafeInteger(error['code']) && typeof error['message'] === 'string') {
    const rpc = { code: error['code'] as number, message: error['message'], data: error['data'] };
    return failed('ERR_MCP_RPC', `the task of ${method} failed with error ${rpc.code}: ${rpc.message}`, { rpc });
  }
  const why = typeof statusMessage === 'string' ? statusMessage : 'the server does not say why';
  return failed('ERR_MCP_RPC', `the task of ${method} failed: ${why}`);
}

/** Its questions that have not been answered yet. A key means one question as long as the task lives. */
export async function answerTask(c: Connection, token: string): Promise<void> {
  const pending = c.requests.get(token);
  if (pending?.task === undefined) return;
  const { task } = pending;
  const status = task.asks;
  const requests = isJsonObject(status['inputRequests']) ? status['inputRequests'] : {};
  const open = Object.entries(requests).filter(([key]) => !task.answered.has(key));
  for (const [key] of open) task.answered.add(key);
  if (open.length === 0) pollLater(c, pending, status);
  else if (!(await askAll(c, pending, open))) cancelTask(c, task.id);
}

/** All questions of one round have their answers. */
export function taskAnswered(c: Connection, pending: Pending): void {
  const { task } = pending;
  if (task === undefined) return;
  const inputResponses = pending.input['inputResponses'] ?? {};
  pending.input = {};
  taskRequest(c, 'tasks/update', { taskId: task.id, inputResponses }, (reply) => {
    if ('error' in reply) report(c, { event: 'task_update_failed', failure: reply.error });
    if (!pending.over) pollLater(c, pending, {});
  });
}

/** Nobody here wants it any more. */
export function cancelTask(c: Connection, taskId: string): void {
  taskRequest(c, 'tasks/cancel', { taskId }, (reply) => {
    if ('error' in reply) report(c, { event: 'task_update_failed', failure: reply.error });
  });
}
