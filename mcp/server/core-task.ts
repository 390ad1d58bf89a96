/** Tasks as 2025-11-25 has them in its core: of one session, asked for by its client. Pure. */

import { type ErrorObject, errorObject, INVALID_REQUEST } from '../errors.ts';
import { errorMessage, isJsonObject, type JsonObject, type RequestId, resultMessage } from '../json-rpc.ts';
import { RELATED_TASK_KEY } from '../revision/contract.ts';
import type { TaskRecord } from './task-record.ts';

/** A task as `tasks/get`, `tasks/list`, `tasks/cancel` and `notifications/tasks/status` show it. */
export function coreTask(record: TaskRecord): object {
  const { id, statusMessage, createdAt, updatedAt, ttlMs, pollIntervalMs } = record;
  return {
    taskId: id,
    status: coreStatus(record),
    ...(statusMessage === undefined ? {} : { statusMessage }),
    createdAt: new Date(createdAt).toISOString(),
    lastUpdatedAt: new Date(updatedAt).toISOString(),
    ttl: ttlMs,
    pollInterval: pollIntervalMs,
  };
}

/** Here a tool that says of its own result that it is an error has failed; the extension has it completed. */
function coreStatus({ status, result }: TaskRecord): TaskRecord['status'] {
  return status === 'completed' && result?.['isError'] === true ? 'failed' : status;
}

/** The answer to `tasks/result` of a task that is over: what the call would have been answered with. */
export function coreOutcome(record: TaskRecord, id: RequestId): object {
  const { result, error } = record;
  if (result !== undefined) return resultMessage(id, withRelated(result, record.id));
  return errorMessage(id, error ?? cancelled());
}

function cancelled(): ErrorObject {
  return errorObject(INVALID_REQUEST, 'the task was cancelled');
}

/** A message about a task says so. */
export function relatedTo(taskId: string, message: JsonObject): object {
  const { params } = message;
  return { ...message, params: withRelated(isJsonObject(params) ? params : {}, taskId) };
}

function withRelated(value: JsonObject, taskId: string): object {
  const meta = isJsonObject(value['_meta']) ? value['_meta'] : {};
  return { ...value, _meta: { ...meta, [RELATED_TASK_KEY]: { taskId } } };
}

/** A page of the tasks of a session, the oldest first; undefined: the cursor is none. */
export function coreTaskPage(
  records: Iterable<TaskRecord>,
  sessionId: string,
  cursor: string | undefined,
  pageMax: number,
): object | undefined {
  const after = cursor === undefined ? undefined : placeAt(cursor);
  if (cursor !== undefined && after === undefined) return undefined;
  const rest = [...records]
    .filter(({ request }) => request.session?.id === sessionId)
    .map((record): [Place, TaskRecord] => [{ createdAt: record.createdAt, id: record.id }, record])
    .filter(([place]) => after === undefined || order(place, after) > 0)
    .sort(([a], [b]) => order(a, b));
  const page = rest.slice(0, pageMax);
  const last = page.at(-1)?.[0];
  return {
    tasks: page.map(([, record]) => coreTask(record)),
    ...(rest.length > page.length && last !== undefined ? { nextCursor: cursorOf(last) } : {}),
  };
}

/** Where a page ends: a cursor names it and not a number, so that tasks may come and go meanwhile. */
interface Place {
  readonly createdAt: number;
  readonly id: string;
}

function order(a: Place, b: Place): number {
  return a.createdAt - b.createdAt || (a.id < b.id ? -1 : Number(a.id > b.id));
}

function cursorOf({ createdAt, id }: Place): string {
  return Buffer.from(JSON.stringify([createdAt, id])).toString('base64url');
}

function placeAt(cursor: string): Place | undefined {
  let read: unknown;
  try {
    read = JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    return undefined; // not one of ours
  }
  if (!Array.isArray(read) || read.length !== 2) return undefined;
  const [createdAt, id] = read as readonly unknown[];
  return typeof createdAt === 'number' && typeof id === 'string' ? { createdAt, id } : undefined;
}
