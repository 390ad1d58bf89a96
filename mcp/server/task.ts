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
import { isJsonObject, type JsonObject, type ResponseMessage } from '../json-rpc.ts';
import type { McpLimits } from '../limits.ts';
import { bindingOf, wallMs } from './carried-state.ts';
import { describeWork } from './methods/outcome.ts';
import { type NodeNames, nodeNames, sessionName, taskName } from './node-names.ts';
import { refusal } from './request-input.ts';
import { openState, sealState } from './request-state.ts';
import { TaskAudience, type TaskWait } from './task-audience.ts';
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
import type { WorkRequest } from './work-request.ts';

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
  readonly cast: ConnectionProtocol['cast'] & {
    /** An exchange waits for the result (2025-11-25). */
    readonly join: TaskWait;
    readonly leave: Pick<TaskWait, 'connection' | 'exchange'>;
    /** The client of a session has answered a question of the task. */
    readonly answered: { readonly id: string; readonly outcome: ResponseMessage['outcome'] };
  };
  /** With what its client has answered, if it was asked. */
  readonly continue: { readonly work: WorkRequest['input'] | undefined };
}

interface State extends TaskStart {
  readonly names: NodeNames;
  record: TaskRecord;
  /** The request that works on it now, by its monitor. */
  working: Ref | undefined;
  readonly audience: TaskAudience;
  /** The monitor of the session whose client is asked. */
  sessionRef: Ref | undefined;
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
    const audience = new TaskAudience(start.node, record.request.session?.id, ctx);
    const names = nodeNames(start.node);
    const state: State = { ...start, names, record, working: undefined, audience, sessionRef: undefined };
    return initOk(state, continueWith('work', undefined));
  },
  handleContinue: { work: (state, input, ctx) => work(state, input, ctx) },
  handleCall: {
    update: async (state, responses, ctx) => {
      const next = await answered(state, responses, ctx);
      return next === undefined ? reply('ok' as const, state) : reply('ok' as const, state, continueWith('work', next));
    },
    cancel: async (state, _payload, ctx) => {
      // The request that works on it ends with this process, which it takes for its connection.
      await save(state, { status: 'cancelled' }, ctx);
      state.audience.end(state.record);
      return stopReply({ shutdown: 'cancelled' }, 'ok' as const, state);
    },
  },
  handleCast: {
    send: (state, outbound, ctx) => received(state, outbound, ctx),
    close: (state, reason) => stop(reason, state),
    join: (state, wait) => {
      state.audience.join(wait, state.record);
      return noreply(state);
    },
    leave: (state, { connection, exchange }) => {
      state.audience.leave(connection, exchange, state.record);
      return noreply(state);
    },
    answered: async (state, { id, outcome }, ctx) => {
      const key = state.audience.keyOf(id);
      if (key === undefined) return noreply(state);
      const response = 'error' in outcome ? refusal(outcome.error) : outcome.result;
      const next = await answered(state, { [key]: response }, ctx);
      return next === undefined ? noreply(state) : noreply(state, continueWith('work', next));
    },
  },
  handleInfo: {
    DOWN: (state, { ref, reason }, ctx) => {
      if (ref === state.sessionRef) return rejoinSession(state, ctx);
      if (ref !== state.working) return noreply(state);
      const what = `${describeWork(state.record.request.work)} failed: ${describeExit(reason)}`;
      return end(state, failedTask(errorObject(INTERNAL_ERROR, what)), ctx);
    },
  },
});

/** With what the work goes on, if that was the last answer that it waits for. */
async function answered(state: State, responses: JsonObject, ctx: Ctx): Promise<WorkRequest['input'] | undefined> {
  const { questions, request } = state.record;
  const all = questions && answeredBy(questions, responses);
  if (all === undefined) return undefined;
  if (Object.keys(all.open).length > 0) {
    await save(state, { status: 'input_required', questions: all }, ctx);
    return undefined;
  }
  const expiresAt = wallMs(ctx) + state.limits.requestStateMs;
  const carried = sealState({ ...all.state, expiresAt }, bindingOf(request), state.stateKeys);
  state.audience.settled();
  await save(state, { status: 'working' }, ctx);
  return { responses: all.answers, state: carried };
}

/** A session that was made again does not know what its client was asked. */
async function rejoinSession(state: State, ctx: Ctx): Promise<Result> {
  const { session } = state.record.request;
  state.sessionRef = undefined;
  if (session === undefined || state.record.questions === undefined) return noreply(state);
  const restored = await ctx.call(state.names.sessionManager, 'restore', session.id).catch((error: unknown) => {
    if (error instanceof CallError) return { error: error.reason };
    throw error;
  });
  if (restored === 'ok') watchSession(state, ctx);
  state.audience.expectAgain();
  return noreply(state);
}

function watchSession(state: State, ctx: Ctx): void {
  const { session } = state.record.request;
  if (session === undefined || state.sessionRef !== undefined) return;
  state.sessionRef = ctx.monitor(sessionName(state.node, session.id));
}

async function work(state: State, input: WorkRequest['input'] | undefined, ctx: Ctx): Promise<Result> {
  const { request } = state.record;
  const { clientToken: _token, wantedTtlMs: _ttl, ...same } = request;
  const { session } = request;
  const started = await startChild(ctx, state.names.requestSup, {
    ...same,
    // The process of its session may be another one by now.
    session: session && { ...session, pid: ctx.whereis(sessionName(state.node, session.id)) ?? session.pid },
    input: input ?? request.input,
    asks: 'in_rounds',
    connection: ctx.self,
    exchange: 1,
    endsWithConnection: true,
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
    const progress = method === 'notifications/progress' && isJsonObject(params) ? params : undefined;
    const said = progress?.['message'];
    if (typeof said === 'string') await save(state, { status: 'working', statusMessage: said }, ctx);
    tell(state, message as JsonObject, progress);
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

/** The client of a session hears it too; of progress, if it has asked to. */
function tell({ record, audience }: State, message: JsonObject, progress: JsonObject | undefined): void {
  const { clientToken } = record.request;
  if (progress === undefined) audience.tell(record, message);
  else if (clientToken !== undefined) {
    audience.tell(record, { ...message, params: { ...progress, progressToken: clientToken } });
  }
}

/** What a client would carry stays here: opened, since the client may take longer than a seal is good for. */
async function asked(state: State, result: JsonObject, ctx: Ctx): Promise<Result> {
  const { record, stateKeys } = state;
  const opened = openState(String(result['requestState']), bindingOf(record.request), stateKeys, wallMs(ctx));
  if (typeof opened === 'string') throw new Error(`the state of a request that asks its client is ${opened}`);
  const { rounds, partial } = opened;
  await save(state, askedBy(record, result['inputRequests'] as JsonObject, { rounds, partial }), ctx);
  watchSession(state, ctx);
  state.audience.ask(state.record);
  return noreply(state);
}

async function end(state: State, change: TaskChange, ctx: Ctx): Promise<Result> {
  await save(state, change, ctx);
  if (isOver(state.record)) state.audience.end(state.record);
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
