/** Tasks of a session (2025-11-25) at a connection: what is asked of them, and who waits for their result. */

import { describeExit } from '../../runtime/index.ts';
import type { ConnectionContext, ConnectionDown } from '../../transports/transport.ts';
import type { Principal } from '../authorization/principal.ts';
import { errorObject, INTERNAL_ERROR, INVALID_PARAMS, METHOD_NOT_FOUND, quoted } from '../errors.ts';
import { errorMessage, isJsonObject, type RequestId, resultMessage } from '../json-rpc.ts';
import type { Catalog } from './catalog.ts';
import { answer, answerUnavailable, type ConnectionState, endExchange, failedCall } from './connection-state.ts';
import { coreOutcome, coreTask, coreTaskPage } from './core-task.ts';
import type { TaskAccess } from './methods/outcome.ts';
import { taskName } from './node-names.ts';
import { type TaskJournal, taskJournal } from './task-journal.ts';
import { isOver, isTaskOf } from './task-record.ts';

/** Who asks. */
interface Asking {
  readonly session: { readonly id: string };
  readonly acceptsStream: boolean;
  readonly principal: Principal | undefined;
}

/** `tasks/get`, `tasks/result`, `tasks/list`, `tasks/cancel`. */
export async function serveCoreTask(
  state: ConnectionState,
  exchange: number,
  id: RequestId,
  access: TaskAccess,
  { session, acceptsStream, principal }: Asking,
  catalog: Catalog,
  ctx: ConnectionContext,
): Promise<void> {
  const { config, names } = state;
  const refuse = (code: number, message: string): void =>
    answer(state, ctx, exchange, errorMessage(id, errorObject(code, message)));
  const succeed = (body: object): void => answer(state, ctx, exchange, resultMessage(id, body));

  const journal = taskJournal(names, ctx);
  if (journal === undefined) return answerUnavailable(state, exchange, id, 'its tasks are being restarted', ctx);
  if (access.method === 'list') {
    if (!catalog.hasTasks) return refuse(METHOD_NOT_FOUND, 'no method "tasks/list" here');
    const page = coreTaskPage(journal.records(), session.id, access.cursor, config.limits.listPageMax);
    if (page !== undefined) return succeed(page);
    return refuse(INVALID_PARAMS, 'params.cursor is of no list that there is: begin without one');
  }
  const record = journal.read(access.id);
  if (record === undefined || !isTaskOf(record, config.server, session.id, principal)) {
    // Tools change while the server serves: tasks of tools that are gone are still there.
    if (!catalog.hasTasks) return refuse(METHOD_NOT_FOUND, `no method "tasks/${access.method}" here`);
    return refuse(INVALID_PARAMS, noTask(access.id));
  }
  if (access.method === 'get') return succeed(coreTask(record));
  if (access.method === 'result') return waitForTask(state, exchange, id, access.id, acceptsStream, journal, ctx);
  const over = `the task ${quoted(access.id)} is over: it cannot be cancelled any more`;
  if (isOver(record)) return refuse(INVALID_PARAMS, over);
  const done = await ctx.call(taskName(config.node, access.id), 'cancel').catch(failedCall);
  const now = journal.read(access.id);
  if (now?.status === 'cancelled') return succeed(coreTask(now));
  // It has ended meanwhile, or was forgotten.
  if (now === undefined || isOver(now)) return refuse(INVALID_PARAMS, over);
  return answerUnavailable(state, exchange, id, done === 'ok' ? 'it is at work' : describeExit(done.error), ctx);
}

function noTask(id: string): string {
  return `there is no task ${quoted(id)}, or not any more`;
}

/** The answer comes from the process of the task, when it is over; this connection sees to it that one comes. */
function waitForTask(
  state: ConnectionState,
  exchange: number,
  id: RequestId,
  taskId: string,
  acceptsStream: boolean,
  journal: TaskJournal,
  ctx: ConnectionContext,
): void {
  const record = journal.read(taskId);
  if (record !== undefined && isOver(record)) {
    answer(state, ctx, exchange, coreOutcome(record, id));
    return;
  }
  const name = taskName(state.config.node, taskId);
  state.waits.set(ctx.monitor(name), { exchange, id, taskId });
  ctx.cast(name, 'join', { connection: ctx.self, exchange, id, acceptsStream });
}

/** Whether it was the process of a task that has ended. If it has not answered, the record or this connection does. */
export function waitEnded(state: ConnectionState, { ref, reason }: ConnectionDown, ctx: ConnectionContext): boolean {
  const wait = state.waits.get(ref);
  if (wait === undefined) return false;
  state.waits.delete(ref);
  const { exchange, id, taskId } = wait;
  const record = taskJournal(state.names, ctx)?.read(taskId);
  // What has been answered already is dropped.
  if (record !== undefined && isOver(record)) answer(state, ctx, exchange, coreOutcome(record, id));
  else {
    const why = record === undefined ? noTask(taskId) : `the task has died: ${describeExit(reason)}`;
    const code = record === undefined ? INVALID_PARAMS : INTERNAL_ERROR;
    answer(state, ctx, exchange, errorMessage(id, errorObject(code, why)));
  }
  return true;
}

/** Its peer has left the exchange: the task goes on. */
export function forgetWait(state: ConnectionState, exchange: number, ctx: ConnectionContext): void {
  for (const [ref, wait] of state.waits) {
    if (wait.exchange !== exchange) continue;
    ctx.demonitor(ref, { flush: true });
    state.waits.delete(ref);
    ctx.cast(taskName(state.config.node, wait.taskId), 'leave', { connection: ctx.self, exchange });
  }
}

/** `notifications/cancelled` of a stream: of the waiting, not of the task. */
export function cancelWait(state: ConnectionState, params: unknown, ctx: ConnectionContext): void {
  const requestId = isJsonObject(params) ? params['requestId'] : undefined;
  for (const { exchange, id } of [...state.waits.values()]) {
    if (id !== requestId) continue;
    forgetWait(state, exchange, ctx);
    endExchange(state, ctx, exchange);
  }
}

/** This connection ends in order: who waits asks again on another. */
export function endWaits(state: ConnectionState, ctx: ConnectionContext): void {
  for (const { exchange, id } of [...state.waits.values()]) {
    forgetWait(state, exchange, ctx);
    const error = errorObject(INTERNAL_ERROR, 'this connection ends, the task goes on: ask for its result again');
    answer(state, ctx, exchange, errorMessage(id, error), { status: 503 });
  }
}
