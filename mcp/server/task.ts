import {
  type Call,
  CallError,
  type Context,
  continueWith,
  describeExit,
  type GenServer,
  genServer,
  type HandlerResult,
  type InitOk,
  initOk,
  noreply,
  type Ref,
  reply,
  startChild,
  stop,
  stopReply,
} from '../../runtime/index.ts';
import type { ConnectionProtocol, Outbound } from '../../transports/transport.ts';
import { type ErrorObject, errorObject, INTERNAL_ERROR } from '../errors.ts';
import { isJsonObject, type JsonObject } from '../json-rpc.ts';
import type { McpLimits } from '../limits.ts';
import { bindingOf, wallMs } from './carried-state.ts';
import { describeWork } from './methods/outcome.ts';
import { type NodeNames, nodeNames, taskName } from './node-names.ts';
import type { WorkRequest } from './request.ts';
import { openState, sealState } from './request-state.ts';
import { taskJournal } from './task-journal.ts';
import {
  answeredBy,
  askedBy,
  changedTask,
  failedTask,
  isOver,
  type TaskChange,
  type TaskRecord,
} from './task-record.ts';

export interface TaskStart {
  readonly node: string;
  readonly limits: McpLimits;
  /** See `RequestStart`. */
  readonly stateKeys: readonly string[];
}

export interface TaskProtocol extends ConnectionProtocol {
  readonly call: {
    /** Answers to what it asks, by their keys. */
    readonly update: Call<JsonObject, 'ok'>;
    readonly cancel: Call<void, 'ok'>;
  };
  /** With what its client has answered, if it was asked. */
  readonly continue: { readonly work: WorkRequest['input'] | undefined };
}

interface State extends TaskStart {
  readonly names: NodeNames;
  record: TaskRecord;
  /** The request that works on it now, by its monitor. */
  working: Ref | undefined;
}

type Ctx = Context<TaskProtocol>;
type Result = HandlerResult<State>;

/**
 * A call that goes on without its connection. It stands for the connection to a request process, which runs the code:
 * what that sends becomes the state of the task. When the code asks its client, nothing runs until the answers are
 * there; then a new request process runs it again from its beginning, with them.
 */
export const Task: GenServer<TaskProtocol, readonly [TaskStart, TaskRecord]> = genServer(import.meta, 'Task', {
  init([start, record], ctx): InitOk<State> {
    ctx.setLabel(`task ${record.id}, ${describeWork(record.request.work)}`);
    ctx.register(taskName(start.node, record.id));
    const state: State = { ...start, names: nodeNames(start.node), record, working: undefined };
    return initOk(state, continueWith('work', undefined));
  },
  handleContinue: { work: (state, input, ctx) => work(state, input, ctx) },
  handleCall: {
    update: async (state, responses, ctx) => {
      const { questions } = state.record;
      const answered = questions && answeredBy(questions, responses);
      if (answered === undefined) return reply('ok' as const, state);
      if (Object.keys(answered.open).length > 0) {
        await save(state, { status: 'input_required', questions: answered }, ctx);
        return reply('ok' as const, state);
      }
      const { request } = state.record;
      const expiresAt = wallMs(ctx) + state.limits.requestStateMs;
      const carried = sealState({ ...answered.state, expiresAt }, bindingOf(request), state.stateKeys);
      await save(state, { status: 'working' }, ctx);
      return reply('ok' as const, state, continueWith('work', { responses: answered.answers, state: carried }));
    },
    cancel: async (state, _payload, ctx) => {
      // The request that works on it ends with this process, which it takes for its connection.
      await save(state, { status: 'cancelled' }, ctx);
      return stopReply({ shutdown: 'cancelled' }, 'ok' as const, state);
    },
  },
  handleCast: {
    send: (state, outbound, ctx) => received(state, outbound, ctx),
    close: (state, reason) => stop(reason, state),
  },
  handleInfo: {
    DOWN: (state, { ref, reason }, ctx) => {
      if (ref !== state.working) return noreply(state);
      const what = `${describeWork(state.record.request.work)} failed: ${describeExit(reason)}`;
      return end(state, failedTask(errorObject(INTERNAL_ERROR, what)), ctx);
    },
  },
});

async function work(state: State, input: WorkRequest['input'] | undefined, ctx: Ctx): Promise<Result> {
  const { request } = state.record;
  const started = await startChild(ctx, state.names.requestSup, {
    ...request,
    input: input ?? request.input,
    connection: ctx.self,
    exchange: 1,
    endsWithConnection: true,
    // `notifications/cancelled` is not for tasks.
    scope: undefined,
  } satisfies WorkRequest).catch((error: unknown) => {
    if (error instanceof CallError) return { error: error.reason };
    throw error;
  });
  if ('error' in started || started.ok === undefined) {
    const why = 'error' in started ? describeExit(started.error) : 'ignored';
    const what = `${describeWork(request.work)} could not begin: ${why}`;
    return end(state, failedTask(errorObject(INTERNAL_ERROR, what)), ctx);
  }
  state.working = ctx.monitor(started.ok);
  return noreply(state);
}

async function received(state: State, { message, end: last }: Outbound, ctx: Ctx): Promise<Result> {
  const { method, params, result, error } = (message ?? {}) as JsonObject;
  if (!last) {
    const said = method === 'notifications/progress' && isJsonObject(params) ? params['message'] : undefined;
    if (typeof said === 'string') await save(state, { status: 'working', statusMessage: said }, ctx);
    return noreply(state);
  }
  if (state.working !== undefined) ctx.demonitor(state.working, { flush: true });
  state.working = undefined;
  if (isJsonObject(error)) return end(state, failedTask(error as unknown as ErrorObject), ctx);
  if (!isJsonObject(result)) {
    const what = `${describeWork(state.record.request.work)} ended without an answer`;
    return end(state, failedTask(errorObject(INTERNAL_ERROR, what)), ctx);
  }
  if (result['resultType'] !== 'input_required') return end(state, { status: 'completed', result }, ctx);
  return asked(state, result, ctx);
}

/** What a client would carry stays here: opened, since the client may take longer than a seal is good for. */
async function asked(state: State, result: JsonObject, ctx: Ctx): Promise<Result> {
  const { record, stateKeys } = state;
  const opened = openState(String(result['requestState']), bindingOf(record.request), stateKeys, wallMs(ctx));
  if (typeof opened === 'string') throw new Error(`the state of a request that asks its client is ${opened}`);
  const { rounds, partial } = opened;
  await save(state, askedBy(record, result['inputRequests'] as JsonObject, { rounds, partial }), ctx);
  return noreply(state);
}

async function end(state: State, change: TaskChange, ctx: Ctx): Promise<Result> {
  await save(state, change, ctx);
  return stop('normal', state);
}

/** In the journal first, then to those who listen. */
async function save(state: State, change: TaskChange, ctx: Ctx): Promise<void> {
  const { names } = state;
  const journal = taskJournal(names, ctx);
  // Its time is over, and it has been forgotten.
  if (journal?.read(state.record.id) === undefined || isOver(state.record)) return;
  state.record = changedTask(state.record, change, wallMs(ctx));
  await journal.write(state.record);
  ctx.cast(names.subscriptionHub, 'task', state.record);
}
