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
} from '../../runtime/index.ts';
import { errorObject, INTERNAL_ERROR } from '../errors.ts';
import type { McpLimits } from '../limits.ts';
import { wallMs } from './carried-state.ts';
import { describeWork } from './methods/outcome.ts';
import { type NodeNames, nodeNames, taskName } from './node-names.ts';
import { taskJournal } from './task-journal.ts';
import { changedTask, failedTask, isOver, type TaskRecord, type TaskRequest } from './task-record.ts';

export interface TaskManagerProtocol {
  readonly call: {
    /** `error`: `'too_many_tasks'`, or why the process did not start. */
    readonly create: Call<TaskRequest, CreateTaskResult>;
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
}

/**
 * Makes tasks, and answers for those whose process has died: they have failed, and nobody waits for them in vain.
 * Records are in a journal that outlives it, and the processes of tasks are not its children, so its own crash costs no
 * task. It also forgets the tasks whose time is over.
 */
export const TaskManager: GenServer<TaskManagerProtocol, TaskManagerStart> = genServer(import.meta, 'TaskManager', {
  async init(start, ctx): Promise<State> {
    ctx.setLabel(`task manager of ${start.node}`);
    const state: State = { ...start, names: nodeNames(start.node), watched: new Map() };
    for (const record of [...(taskJournal(state.names, ctx)?.records() ?? [])]) {
      expireLater(record, ctx);
      const pid = ctx.whereis(taskName(state.node, record.id));
      if (pid !== undefined) state.watched.set(ctx.monitor(pid), record.id);
      else await failUnlessOver(state, record.id, 'noproc', ctx);
    }
    return state;
  },
  handleCall: {
    create: async (state, request, ctx) => {
      const { names, limits } = state;
      const journal = taskJournal(names, ctx);
      if (journal === undefined) return reply({ error: 'no_task_journal' } as CreateTaskResult, state);
      if (journal.size >= limits.tasksMax) return reply({ error: 'too_many_tasks' } as CreateTaskResult, state);
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
      return reply({ ok: record } as CreateTaskResult, state);
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
      await taskJournal(state.names, ctx)?.remove(id);
      const pid = ctx.whereis(taskName(state.node, id));
      if (pid !== undefined) ctx.exitProcess(pid, { shutdown: 'expired' });
      return noreply(state);
    },
  },
});

function newTask(request: TaskRequest, { taskTtlMs, taskPollMs }: McpLimits, nowMs: number): TaskRecord {
  return {
    id: randomUUID(),
    server: request.server,
    request,
    status: 'working',
    createdAt: nowMs,
    updatedAt: nowMs,
    ttlMs: taskTtlMs,
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
