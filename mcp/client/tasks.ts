/** A call that the server has made a task of, of a session or of the extension: it is followed to its end. */

import { isJsonObject, type JsonObject } from '../json-rpc.ts';
import { type Connection, report } from './connection-state.ts';
import { failed, type Reply } from './failure.ts';
import { resultProblem } from './methods.ts';
import { askAll } from './questions.ts';
import type { FollowedTask, Pending } from './request-call.ts';
import { dispatch, openInternal, pauseDeadline, settle, withdraw } from './requests.ts';
import { hasTasks, taskParameter } from './tools.ts';

/** `params.task` of a call; undefined: it goes out as an ordinary one. */
export function asTask({ agreed, tools }: Connection, { call, handshake }: Pending): JsonObject | undefined {
  if (handshake || agreed?.era !== 'sessions' || call.method !== 'tools/call') return undefined;
  return taskParameter(call.task, agreed.capabilities, tools?.get(String(call.params['name']))?.taskSupport);
}

/** A call that may have to be a task: only the list of tools says whether it must be one, or must not. */
export function needsTools({ agreed, tools }: Connection, { call, handshake, toolsRenewed }: Pending): boolean {
  if (handshake || agreed?.era !== 'sessions' || call.task === undefined) return false;
  return tools === undefined && !toolsRenewed && hasTasks(agreed.capabilities);
}

/** The server has answered with a handle instead of a result. The call goes on, also across connections. */
export function becameTask(c: Connection, pending: Pending, created: JsonObject, form: FollowedTask['form']): void {
  const { taskId } = created;
  const progressToken = pending.id;
  withdraw(c, pending);
  if (typeof taskId !== 'string') {
    settle(c, pending, failed('ERR_MCP_RESULT', `${pending.call.method}: a task must have a taskId`));
    return;
  }
  const nothing = { answered: new Set<string>(), asks: {}, awaitsResult: false, error: undefined, timer: undefined };
  const task: FollowedTask = { id: taskId, form, progressToken, ...nothing };
  pending.task = task;
  c.tasks.set(taskId, pending);
  if (progressToken !== undefined) c.tasks.set(progressToken, pending);
  // Who has named a time has meant all of it; the usual time is for answers, and the answer is here.
  if (pending.call.timeoutMs === undefined) {
    pauseDeadline(c, pending);
    c.ctx.cancelTimer(pending.hardTimer);
    const { taskTimeoutMaxMs } = c.start.limits;
    pending.hardTimer = c.ctx.sendAfter(taskTimeoutMaxMs, 'deadline', { token: pending.call.token, hard: true });
  }
  pollLater(c, pending, task, created);
}

export function forgetTask(c: Connection, { task }: Pending): void {
  if (task === undefined) return;
  if (task.timer !== undefined) c.ctx.cancelTimer(task.timer);
  c.tasks.delete(task.id);
  if (task.progressToken !== undefined) c.tasks.delete(task.progressToken);
}

/** An answer came to a call that nobody wants any more: its task is not wanted either. */
export function taskLost(c: Connection, result: unknown): void {
  const created = isJsonObject(result) && isJsonObject(result['task']) ? result['task'] : result;
  const isTask = isJsonObject(created) && (created !== result || created['resultType'] === 'task');
  if (isTask && typeof created['taskId'] === 'string') cancelTask(c, created['taskId']);
}

/** The next question after the time that the server asks for, within bounds. */
function pollLater(c: Connection, { call }: Pending, task: FollowedTask, status: JsonObject): void {
  const { pollInterval, pollIntervalMs = pollInterval } = status;
  const { taskPollMs, taskPollMinMs, taskPollMaxMs } = c.start.limits;
  const wanted = typeof pollIntervalMs === 'number' ? pollIntervalMs : taskPollMs;
  const waitMs = Math.min(Math.max(wanted, taskPollMinMs), taskPollMaxMs);
  if (task.timer !== undefined) c.ctx.cancelTimer(task.timer);
  task.timer = c.ctx.sendAfter(waitMs, 'poll', call.token);
}

export function poll(c: Connection, token: string): void {
  const pending = c.requests.get(token);
  if (pending?.task === undefined) return;
  const { task } = pending;
  taskRequest(c, 'tasks/get', { taskId: task.id }, (reply) => {
    if (!pending.over && !task.awaitsResult) polled(c, pending, task, reply);
  });
}

/** It waits for a connection as any request does; what it brings is not what the caller waits for. */
function taskRequest(
  c: Connection,
  method: string,
  params: JsonObject,
  then: (reply: Reply<JsonObject>) => void,
  timeoutMs?: number,
): void {
  const request = openInternal(c, method, params, then, timeoutMs === undefined ? {} : { timeoutMs });
  if (c.phase === 'ready') dispatch(c, request);
}

/** The connection may come back, and the task is still there then. Any other error is about the task. */
function mayPass(code: string): boolean {
  return code === 'ERR_MCP_CONNECTION_LOST' || code === 'ERR_MCP_TIMEOUT' || code === 'ERR_MCP_HTTP';
}

function polled(c: Connection, pending: Pending, task: FollowedTask, reply: Reply<JsonObject>): void {
  if ('error' in reply) {
    if (mayPass(reply.error.code)) pollLater(c, pending, task, {});
    else settle(c, pending, task.error ?? reply);
    return;
  }
  const { ok: status } = reply;
  if (status['status'] === 'working') pollLater(c, pending, task, status);
  else if (status['status'] === 'cancelled') {
    const message = `the server has cancelled the task of ${pending.call.method}`;
    settle(c, pending, failed('ERR_MCP_CANCELLED', message));
  } else if (task.error !== undefined) settle(c, pending, task.error);
  else reached(c, pending, task, status);
}

function reached(c: Connection, pending: Pending, task: FollowedTask, status: JsonObject): void {
  const { method, token } = pending.call;
  const { status: now } = status;
  if (now !== 'input_required' && now !== 'completed' && now !== 'failed') {
    settle(c, pending, failed('ERR_MCP_RESULT', `${method}: the task has no status of the specification`));
  } else if (task.form === 'core') awaitResult(c, pending, task, now === 'input_required');
  else if (now === 'completed') completed(c, pending, status['result']);
  else if (now === 'failed') settle(c, pending, failure(method, status));
  else {
    task.asks = status;
    c.ctx.send(c.ctx.self, 'task_asks', token);
  }
}

/**
 * `tasks/result` (2025-11-25) is answered when the task is over, as the call would have been; what the task asks comes
 * meanwhile. `asks`: it is not over yet.
 */
function awaitResult(c: Connection, pending: Pending, task: FollowedTask, asks: boolean): void {
  task.awaitsResult = true;
  if (task.timer !== undefined) c.ctx.cancelTimer(task.timer);
  const then = (reply: Reply<JsonObject>): void => {
    task.awaitsResult = false;
    if (pending.over) return;
    if ('ok' in reply) completed(c, pending, reply.ok);
    else if (mayPass(reply.error.code)) pollLater(c, pending, task, {});
    else if (asks) {
      // Its status says whether it has failed or was cancelled meanwhile.
      task.error = reply;
      poll(c, pending.call.token);
    } else settle(c, pending, reply);
  };
  taskRequest(c, 'tasks/result', { taskId: task.id }, then, c.start.limits.requestTimeoutMaxMs);
}

/** `notifications/tasks/status`: sooner than the next question. */
export function statusTold(c: Connection, status: JsonObject): void {
  const pending = typeof status['taskId'] === 'string' ? c.tasks.get(status['taskId']) : undefined;
  const task = pending?.task;
  if (pending === undefined || task?.form !== 'core' || task.awaitsResult || status['status'] === 'working') return;
  polled(c, pending, task, { ok: status });
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
  if (open.length === 0) pollLater(c, pending, task, status);
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
    if (!pending.over) pollLater(c, pending, task, {});
  });
}

/** Nobody here wants it any more. */
export function cancelTask(c: Connection, taskId: string): void {
  taskRequest(c, 'tasks/cancel', { taskId }, (reply) => {
    if ('error' in reply) report(c, { event: 'task_update_failed', failure: reply.error });
  });
}
