/** Tasks at a connection: calls that become one, and what is asked of it (extension io.modelcontextprotocol/tasks). */

import { describeExit, type Pid } from '../../runtime/index.ts';
import type { ConnectionContext } from '../../transports/transport.ts';
import type { Principal } from '../authorization/principal.ts';
import { type ErrorObject, errorObject, INVALID_PARAMS, METHOD_NOT_FOUND, quoted } from '../errors.ts';
import { errorMessage, type JsonObject, type RequestId, resultMessage } from '../json-rpc.ts';
import type { LogLevel } from '../request-context.ts';
import type { Revision } from '../revision/contract.ts';
import { type Catalog, viewOf } from './catalog.ts';
import { answer, answerUnavailable, type ConnectionState, failedCall, grantedTo } from './connection-state.ts';
import { coreTask } from './core-task.ts';
import { serveCoreTask } from './core-task-leg.ts';
import { describeWork, failed, type Run, type TaskAccess } from './methods/outcome.ts';
import { taskName } from './node-names.ts';
import type { SessionProtocol } from './session.ts';
import { taskJournal } from './task-journal.ts';
import {
  detailedTask,
  isOver,
  isTaskOf,
  knowsTasks,
  type TaskRequest,
  taskHandle,
  tasksRequired,
} from './task-record.ts';
import { tooMany } from './usage.ts';

/** What is known of the request beside its message. */
interface Origin {
  readonly revision: Revision;
  readonly clientCapabilities: JsonObject;
  readonly logLevel: LogLevel | undefined;
  readonly session: { readonly id: string; readonly pid: Pid<SessionProtocol> } | undefined;
  readonly acceptsStream: boolean;
  readonly principal: Principal | undefined;
}

/** Progress of the work is the status message of the task: the process of the task gets it by this token. */
const progressToken = 'task';

/** Whether a call becomes a task; an error: it must and its client does not want that, or the other way round. */
export function becomesTask(
  { task, wanted, work, input }: Run,
  { revision, clientCapabilities }: Origin,
): boolean | ErrorObject {
  if (revision.tasks?.form === 'core') {
    if (wanted !== undefined && task === undefined) {
      return errorObject(METHOD_NOT_FOUND, `${describeWork(work)} cannot be called as a task`);
    }
    if (wanted !== undefined || task?.support !== 'required') return wanted !== undefined;
    return errorObject(METHOD_NOT_FOUND, `${describeWork(work)} must be called as a task: say params.task`);
  }
  if (task === undefined || revision.tasks === undefined) return false;
  if (!knowsTasks(clientCapabilities)) return task.support === 'required' ? tasksRequired(describeWork(work)) : false;
  return !task.asksFirst || input.state !== undefined;
}

/** The handle is the answer, once the task is in the journal. */
export async function startTask(
  state: ConnectionState,
  exchange: number,
  id: RequestId,
  { work, timeoutMs, input, progressToken: clientToken, wanted }: Run,
  { revision, clientCapabilities, logLevel, session, principal }: Origin,
  catalog: Catalog,
  ctx: ConnectionContext,
): Promise<void> {
  const request: TaskRequest = {
    server: state.config.server,
    version: revision.version,
    id,
    work,
    timeoutMs,
    progressToken,
    input,
    clientCapabilities,
    logLevel: session === undefined ? undefined : logLevel,
    session,
    resumption: 'none',
    catalogVersion: catalog.version,
    clientToken: session === undefined ? undefined : clientToken,
    wantedTtlMs: wanted?.ttlMs,
    principal,
    granted: grantedTo(state, principal),
    counted: false,
  };
  const created = await ctx.call(state.names.taskManager, 'create', request).catch(failedCall);
  if ('error' in created && created.error === 'too_many_of_principal') {
    const { error, status } = tooMany('tasks', 'principalTasksMax', state.config.limits);
    return answer(state, ctx, exchange, errorMessage(id, error), { status });
  }
  if ('error' in created) return answerUnavailable(state, exchange, id, describeExit(created.error), ctx);
  const core = revision.tasks?.form === 'core';
  const body = core ? { task: coreTask(created.ok) } : { resultType: 'task', ...taskHandle(created.ok) };
  answer(state, ctx, exchange, resultMessage(id, revision.result(body, viewOf(catalog, revision).serverInfo)));
}

/** `tasks/get`, `tasks/update`, `tasks/cancel`; of a session all that it has. */
export async function serveTask(
  state: ConnectionState,
  exchange: number,
  id: RequestId,
  access: TaskAccess,
  { revision, clientCapabilities, session, acceptsStream, principal }: Origin,
  catalog: Catalog,
  ctx: ConnectionContext,
): Promise<void> {
  if (session !== undefined) {
    return serveCoreTask(state, exchange, id, access, { session, acceptsStream, principal }, catalog, ctx);
  }
  if (access.method === 'list') throw new Error('only sessions have a list of tasks');
  const { method, id: taskId, responses } = access;
  const { config, names } = state;
  const refuse = (error: ErrorObject): void => {
    const { error: told, status } = failed(error, revision);
    answer(state, ctx, exchange, errorMessage(id, told), { status });
  };
  const succeed = (body: object): void =>
    answer(state, ctx, exchange, resultMessage(id, revision.result(body, viewOf(catalog, revision).serverInfo)));

  if (!knowsTasks(clientCapabilities)) return refuse(tasksRequired(`tasks/${method}`));
  const journal = taskJournal(names, ctx);
  if (journal === undefined) return answerUnavailable(state, exchange, id, 'its tasks are being restarted', ctx);
  const record = journal.read(taskId);
  if (record === undefined || !isTaskOf(record, config.server, undefined, principal)) {
    // Tools change while the server serves: tasks of tools that are gone are still there.
    if (!catalog.hasTasks) return refuse(errorObject(METHOD_NOT_FOUND, `no method "tasks/${method}" here`));
    return refuse(errorObject(INVALID_PARAMS, `there is no task ${quoted(taskId)}, or not any more`));
  }
  if (method === 'get') return succeed(detailedTask(record));
  if (isOver(record)) return succeed({});
  const name = taskName(config.node, taskId);
  const called = method === 'update' ? ctx.call(name, 'update', responses) : ctx.call(name, 'cancel');
  const done = await called.catch(failedCall);
  // It may have ended meanwhile.
  const now = journal.read(taskId);
  if (done === 'ok' || now === undefined || isOver(now)) return succeed({});
  return answerUnavailable(state, exchange, id, describeExit(done.error), ctx);
}
