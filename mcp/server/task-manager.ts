import { randomUUID } from 'node:crypto';
import {
  type Call,
  CallError,
  type Context,
  describeExit,
  type ExitReason,
  type GenServer,
  genServer,
  noreply,
  type Ref,
  reply,
  startChild,
  type Table,
} from '../../runtime/index.ts';
import { principalKey } from '../authorization/principal.ts';
import { errorObject, INTERNAL_ERROR } from '../errors.ts';
import type { McpLimits } from '../limits.ts';
import { wallMs } from './carried-state.ts';
import { describeWork } from './methods/outcome.ts';
import { type NodeNames, nodeNames, taskName } from './node-names.ts';
import { type TaskJournal, taskJournal } from './task-journal.ts';
import { changedTask, failedTask, isOver, type TaskRecord, type TaskRequest } from './task-record.ts';

export interface TaskManagerProtocol {
  readonly call: {
    /**
     * `error`: `'too_many_tasks'`, `'too_many_tasks_of_the_session'`, `'too_many_of_principal'`, or why the process did
     * not start.
     */
    readonly create: Call<TaskRequest, CreateTaskResult>;
  };
  readonly cast: {
    /** A session has ended: nobody can ask for its tasks any more. */
    readonly sessionEnded: string;
  };
  readonly info: {
    /** The time of a task is over. */
    readonly expire: string;
  };
}

export type CreateTaskResult = { readonly ok: TaskRecord } | { readonly error: unknown };

export interface TaskManagerStart {
  readonly node: string;
  readonly limits: McpLimits;
}

interface State extends TaskManagerStart {
  readonly names: NodeNames;
  /** The processes that are watched, by monitor. */
  readonly watched: Map<Ref, string>;
  /** The tasks of each session. */
  readonly ofSession: Map<string, Set<string>>;
}

/**
 * Makes tasks, and answers for those whose process has died: they have failed, and nobody waits for them in vain.
 * Records are in a journal that outlives it, and the processes of tasks are not its children, so its own crash costs no
 * task. It also forgets the tasks whose time is over.
 */
export const TaskManager: GenServer<TaskManagerProtocol, TaskManagerStart> = genServer(import.meta, 'TaskManager', {
  async init(start, ctx): Promise<State> {
    ctx.setLabel(`task manager of ${start.node}`);
    const state: State = { ...start, names: nodeNames(start.node), watched: new Map(), ofSession: new Map() };
    for (const record of [...(taskJournal(state.names, ctx)?.records() ?? [])]) {
      expireLater(record, ctx);
      keepOfSession(state, record);
      const pid = ctx.whereis(taskName(state.node, record.id));
      if (pid !== undefined) state.watched.set(ctx.monitor(pid), record.id);
      else await failUnlessOver(state, record.id, 'noproc', ctx);
    }
    const sessions: Table<string, unknown> | undefined = ctx.table(state.names.sessionTable);
    for (const id of [...state.ofSession.keys()]) if (sessions?.has(id) === false) await endOfSession(state, id, ctx);
    return state;
  },
  handleCall: {
    create: async (state, request, ctx) => {
      const { names, limits } = state;
      const journal = taskJournal(names, ctx);
      if (journal === undefined) return reply({ error: 'no_task_journal' } as CreateTaskResult, state);
      if (journal.size >= limits.tasksMax) return reply({ error: 'too_many_tasks' } as CreateTaskResult, state);
      const { session } = request;
      const known = session === undefined ? 0 : (state.ofSession.get(session.id)?.size ?? 0);
      if (known >= limits.sessionTasksMax) {
        return reply({ error: 'too_many_tasks_of_the_session' } as CreateTaskResult, state);
      }
      const owner = principalKey(request.principal);
      if (owner !== undefined && countOf(journal, owner) >= limits.principalTasksMax) {
        return reply({ error: 'too_many_of_principal' } as CreateTaskResult, state);
      }
      const record = newTask(request, limits, wallMs(ctx));
      await journal.write(record);
      // Its supervisor may be away, being restarted: the client is told to try again.
      const started = await startChild(ctx, names.taskSup, record).catch((error: unknown) => {
        if (error instanceof CallError) return { error: error.reason };
        throw error;
      });
      if ('error' in started || started.ok === undefined) {
        await journal.remove(record.id);
        return reply({ error: 'error' in started ? started.error : 'ignored' } as CreateTaskResult, state);
      }
      state.watched.set(ctx.monitor(started.ok), record.id);
      expireLater(record, ctx);
      keepOfSession(state, record);
      return reply({ ok: record } as CreateTaskResult, state);
    },
  },
  handleCast: {
    sessionEnded: async (state, id, ctx) => {
      await endOfSession(state, id, ctx);
      return noreply(state);
    },
  },
  handleInfo: {
    DOWN: async (state, { ref, reason }, ctx) => {
      const id = state.watched.get(ref);
      state.watched.delete(ref);
      if (id !== undefined) await failUnlessOver(state, id, reason, ctx);
      return noreply(state);
    },
    expire: async (state, id, ctx) => {
      await forget(state, id, 'expired', ctx);
      return noreply(state);
    },
  },
});

async function forget(state: State, id: string, why: string, ctx: Context): Promise<void> {
  const journal = taskJournal(state.names, ctx);
  const sessionId = journal?.read(id)?.request.session?.id;
  const others = sessionId === undefined ? undefined : state.ofSession.get(sessionId);
  others?.delete(id);
  if (others?.size === 0) state.ofSession.delete(sessionId as string);
  await journal?.remove(id);
  const pid = ctx.whereis(taskName(state.node, id));
  if (pid !== undefined) ctx.exitProcess(pid, { shutdown: why });
}

function keepOfSession({ ofSession }: State, { id, request: { session } }: TaskRecord): void {
  if (session === undefined) return;
  const known = ofSession.get(session.id) ?? new Set();
  ofSession.set(session.id, known.add(id));
}

async function endOfSession(state: State, sessionId: string, ctx: Context): Promise<void> {
  for (const id of state.ofSession.get(sessionId) ?? []) await forget(state, id, 'session_ended', ctx);
}

function countOf(journal: TaskJournal, owner: string): number {
  let count = 0;
  for (const { request } of journal.records()) if (principalKey(request.principal) === owner) count += 1;
  return count;
}

function newTask(request: TaskRequest, { taskTtlMs, taskPollMs }: McpLimits, nowMs: number): TaskRecord {
  return {
    id: randomUUID(),
    server: request.server,
    request,
    status: 'working',
    createdAt: nowMs,
    updatedAt: nowMs,
    ttlMs: Math.min(request.wantedTtlMs ?? taskTtlMs, taskTtlMs),
    pollIntervalMs: taskPollMs,
    rounds: 0,
  };
}

/** Its process has ended. If that was not the end of the task, whoever asks must learn that nobody works on it. */
async function failUnlessOver({ names }: State, id: string, reason: ExitReason, ctx: Context): Promise<void> {
  const journal = taskJournal(names, ctx);
  const record = journal?.read(id);
  if (journal === undefined || record === undefined || isOver(record)) return;
  const what = `the task of ${describeWork(record.request.work)} has died: ${describeExit(reason)}`;
  const failed = changedTask(record, failedTask(errorObject(INTERNAL_ERROR, what)), wallMs(ctx));
  await journal.write(failed);
  ctx.cast(names.subscriptionHub, 'task', failed);
}

function expireLater({ id, createdAt, ttlMs }: TaskRecord, ctx: Context<TaskManagerProtocol>): void {
  ctx.sendAfter(Math.max(createdAt + ttlMs - wallMs(ctx), 0), 'expire', id);
}
