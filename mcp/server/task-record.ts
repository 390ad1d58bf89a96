/** What there is to know of a task, and how it changes (extension `io.modelcontextprotocol/tasks`). Pure. */

import { type Principal, principalKey } from '../authorization/principal.ts';
import { type ErrorObject, errorObject, MISSING_REQUIRED_CLIENT_CAPABILITY } from '../errors.ts';
import { isJsonObject, type JsonObject } from '../json-rpc.ts';
import { TASKS_EXTENSION } from '../revision/contract.ts';
import type { RequestState } from './request-state.ts';
import type { WorkRequest } from './work-request.ts';

/** The request that became a task, without what belongs to its connection: what the task itself fills in. */
export type TaskRequest = Omit<WorkRequest, 'connection' | 'exchange' | 'endsWithConnection' | 'asks'> & {
  /** What the client wants to hear of its progress by (2025-11-25). */
  readonly clientToken: string | number | undefined;
  /** How long the client wants to know of it (2025-11-25). */
  readonly wantedTtlMs: number | undefined;
};

export type TaskStatus = 'working' | 'input_required' | 'completed' | 'failed' | 'cancelled';

/** What a task asks its client. */
export interface TaskQuestions {
  /** By key; a key is used once in the life of a task. */
  readonly open: JsonObject;
  /** The answers that there are, by the names that the code has given the questions. */
  readonly answers: JsonObject;
  /** What the code has found out before it asked. */
  readonly state: Pick<RequestState, 'rounds' | 'partial'>;
}

/** Plain data: all that `tasks/get` tells, and all from which the work goes on after an answer. */
export interface TaskRecord {
  readonly id: string;
  readonly server: string;
  readonly request: TaskRequest;
  readonly status: TaskStatus;
  readonly statusMessage?: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly ttlMs: number;
  readonly pollIntervalMs: number;
  /** How often it has asked its client. */
  readonly rounds: number;
  /** While it is `input_required`. */
  readonly questions?: TaskQuestions;
  /** When it is `completed`. */
  readonly result?: JsonObject;
  /** When it is `failed`. */
  readonly error?: ErrorObject;
}

/** What becomes of a task. */
export type TaskChange = Pick<TaskRecord, 'status'> &
  Partial<Pick<TaskRecord, 'statusMessage' | 'rounds' | 'questions' | 'result' | 'error'>>;

/** A status message is of the status it came with; so are questions, a result and an error. */
export function changedTask(record: TaskRecord, change: TaskChange, updatedAt: number): TaskRecord {
  const { statusMessage: _said, questions: _asked, ...rest } = record;
  return { ...rest, ...change, updatedAt };
}

export function isOver({ status }: TaskRecord): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled';
}

/**
 * Whether a task is there for whoever asks at that server. One of a session is of that session alone, and none is of
 * another principal; without authorization others are of whoever knows their ids.
 */
export function isTaskOf(
  { server, request }: TaskRecord,
  of: string,
  sessionId: string | undefined,
  principal: Principal | undefined,
): boolean {
  if (server !== of || request.session?.id !== sessionId) return false;
  return principalKey(request.principal) === principalKey(principal);
}

export function failedTask(error: ErrorObject): TaskChange {
  return { status: 'failed', error, statusMessage: error.message };
}

/** The code has asked: each question gets a key that this task has never used. */
export function askedBy(record: TaskRecord, inputRequests: JsonObject, state: TaskQuestions['state']): TaskChange {
  const rounds = record.rounds + 1;
  const open = Object.fromEntries(
    Object.entries(inputRequests).map(([name, question]) => [`${rounds}.${name}`, question]),
  );
  return { status: 'input_required', rounds, questions: { open, answers: {}, state } };
}

/** With these answers. Those of a key that is not open mean nothing; undefined: there is none of one that is. */
export function answeredBy(questions: TaskQuestions, responses: JsonObject): TaskQuestions | undefined {
  const isOpen = (key: string): boolean => Object.hasOwn(questions.open, key);
  const given = Object.entries(responses).filter(([key]) => isOpen(key));
  if (given.length === 0) return undefined;
  const open = Object.fromEntries(Object.entries(questions.open).filter(([key]) => !Object.hasOwn(responses, key)));
  const named = given.map(([key, response]) => [key.slice(key.indexOf('.') + 1), response]);
  return { ...questions, open, answers: { ...questions.answers, ...Object.fromEntries(named) } };
}

/** The members that every message about a task has. */
export function taskHandle(record: TaskRecord): object {
  const { id, status, statusMessage, createdAt, updatedAt, ttlMs, pollIntervalMs } = record;
  return {
    taskId: id,
    status,
    ...(statusMessage === undefined ? {} : { statusMessage }),
    createdAt: new Date(createdAt).toISOString(),
    lastUpdatedAt: new Date(updatedAt).toISOString(),
    ttlMs,
    pollIntervalMs,
  };
}

/** A task as `tasks/get` and `notifications/tasks` show it. */
export function detailedTask(record: TaskRecord): object {
  const { questions, result, error } = record;
  return {
    ...taskHandle(record),
    ...(questions === undefined ? {} : { inputRequests: questions.open }),
    ...(result === undefined ? {} : { result }),
    ...(error === undefined ? {} : { error }),
  };
}

/** Whether a client that has declared these capabilities knows tasks. */
export function knowsTasks({ extensions }: JsonObject): boolean {
  return isJsonObject(extensions) && isJsonObject(extensions[TASKS_EXTENSION]);
}

/** The error of whoever wants what only clients that know tasks can have. */
export function tasksRequired(what: string): ErrorObject {
  const message = `${what} needs a client that has declared the extension ${TASKS_EXTENSION}`;
  const requiredCapabilities = { extensions: { [TASKS_EXTENSION]: {} } };
  return errorObject(MISSING_REQUIRED_CLIENT_CAPABILITY, message, { requiredCapabilities });
}
