/** Tasks at a connection (extension io.modelcontextprotocol/tasks): calls that become one, and what is asked of it. */

import { describeExit } from '../../runtime/index.ts';
import type { ConnectionContext } from '../../transports/transport.ts';
import { errorObject, INVALID_PARAMS, METHOD_NOT_FOUND, quoted } from '../errors.ts';
import { errorMessage, type JsonObject, type RequestId, resultMessage } from '../json-rpc.ts';
import type { Revision } from '../revision/contract.ts';
import { type Catalog, viewOf } from './catalog.ts';
import { answer, answerUnavailable, type ConnectionState, failedCall } from './connection-state.ts';
import { describeWork, failed, type Run, type TaskAccess } from './methods/outcome.ts';
import { taskName } from './node-names.ts';
import { taskJournal } from './task-journal.ts';
import { detailedTask, isOver, knowsTasks, type TaskRequest, taskHandle, tasksRequired } from './task-record.ts';

/** What is known of the request beside its message. */
interface Origin {
  readonly revision: Revision;
  readonly clientCapabilities: JsonObject;
}

/** Progress of the work is the status message of the task: the process of the task gets it by this token. */
const progressToken = 'task';

/** Whether a call becomes a task; an error: its client does not know tasks, and the tool is for nobody else. */
export function becomesTask(
  { task, work, input }: Run,
  { revision, clientCapabilities }: Origin,
): boolean | ReturnType<typeof tasksRequired> {
  if (task === undefined || revision.extensions === undefined) return false;
  if (!knowsTasks(clientCapabilities)) return task.support === 'required' ? tasksRequired(describeWork(work)) : false;
  return !task.asksFirst || input.state !== undefined;
}

/** The handle is the answer, once the task is in the journal. */
export async function startTask(
  state: ConnectionState,
  exchange: number,
  id: RequestId,
  { work, timeoutMs, input }: Run,
  { revision, clientCapabilities }: Origin,
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
    logLevel: undefined,
    session: undefined,
    resumption: 'none',
    catalogVersion: catalog.version,
  };
  const created = await ctx.call(state.names.taskManager, 'create', request).catch(failedCall);
  if ('error' in created) return answerUnavailable(state, exchange, id, describeExit(created.error), ctx);
  const body = { resultType: 'task', ...taskHandle(created.ok) };
  answer(state, ctx, exchange, resultMessage(id, revision.result(body, viewOf(catalog, revision).serverInfo)));
}

/** `tasks/get`, `tasks/update`, `tasks/cancel`. */
export async function serveTask(
  state: ConnectionState,
  exchange: number,
  id: RequestId,
  { method, id: taskId, responses }: TaskAccess,
  { revision, clientCapabilities }: Origin,
  catalog: Catalog,
  ctx: ConnectionContext,
): Promise<void> {
  const { config, names } = state;
  const refuse = (error: ReturnType<typeof errorObject>): void => {
    const { error: told, status } = failed(error, revision);
    answer(state, ctx, exchange, errorMessage(id, told), { status });
  };
  const succeed = (body: object): void =>
    answer(state, ctx, exchange, resultMessage(id, revision.result(body, viewOf(catalog, revision).serverInfo)));

  if (!knowsTasks(clientCapabilities)) return refuse(tasksRequired(`tasks/${method}`));
  const journal = taskJournal(names, ctx);
  if (journal === undefined) return answerUnavailable(state, exchange, id, 'its tasks are being restarted', ctx);
  const record = journal.read(taskId);
  if (record?.server !== config.server) {
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
