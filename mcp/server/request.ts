import {
  type Context,
  continueWith,
  type ExitReason,
  type GenServer,
  genServer,
  type HandlerResult,
  type InitOk,
  initOk,
  isNormalExit,
  type Name,
  noreply,
  type Ref,
  reply,
  stop,
} from '../../runtime/index.ts';
import {
  type ErrorObject,
  errorObject,
  INTERNAL_ERROR,
  INVALID_PARAMS,
  INVALID_REQUEST,
  McpError,
  quoted,
} from '../errors.ts';
import { errorMessage, type ResponseMessage, resultMessage } from '../json-rpc.ts';
import type { McpLimits } from '../limits.ts';
import type { Revision } from '../revision/contract.ts';
import { revisionOf } from '../revision/registry.ts';
import { carriedState } from './carried-state.ts';
import type { Catalog } from './catalog.ts';
import { startComputing } from './compute-work.ts';
import { FarWork } from './far-work.ts';
import { findJob, METHOD_OF } from './jobs.ts';
import { describeWork, failed, type Job, type Outcome, type Refused, type Work } from './methods/outcome.ts';
import { catalogTableOf } from './node-names.ts';
import type { ProgressSent } from './progress.ts';
import type { RequestInput } from './request-input.ts';
import { inputOf, log, RequestServices, reportProgress } from './request-services.ts';
import { joinSession, rejoinSession } from './request-session.ts';
import type { RequestState } from './request-state.ts';
import { RequestStream } from './request-stream.ts';
import type { RequestTime } from './request-time.ts';
import type { CodeSource } from './tool-module.ts';
import { admitted } from './usage.ts';
import { WorkContext } from './work-context.ts';
import { sourceOf, type WorkPlace, workPlace } from './work-place.ts';
import type { WorkRequest } from './work-request.ts';
import { type AskingProtocol, type InputAnswered, refusalOf } from './work-runner.ts';

export interface RequestProtocol {
  /**
   * The peer does not want the answer any more. `answered`: say so on the exchange, which would otherwise end in
   * silence.
   */
  readonly cast: {
    readonly cancel: { readonly answered: boolean };
    /** The client has answered what this request has asked it. */
    readonly answered: { readonly id: string; readonly outcome: ResponseMessage['outcome'] };
  };
  readonly call: AskingProtocol['call'];
  readonly info: AskingProtocol['info'] & {
    readonly deadline: void;
    /** It is time for work on another thread to have begun. */
    readonly begin: void;
    /** It was answered with what it asks for. */
    readonly suspended: void;
    /** The compute pool could not run it to its end. */
    readonly lost: ExitReason;
  };
  readonly continue: { readonly run: void };
}

export interface RequestStart {
  readonly node: string;
  /** The group of threads that runs the code of servers, if the system has it. */
  readonly threads: string;
  /** The compute pool for tools that ask for one. */
  readonly computePool: Name | undefined;
  /** See `Claims`. */
  readonly claims: SharedArrayBuffer;
  readonly limits: McpLimits;
  /** What seals the state of requests; see `sealState`. */
  readonly stateKeys: readonly string[];
}

/** One request under way. */
export interface RequestRun extends RequestTime {
  readonly node: string;
  readonly start: RequestStart;
  readonly request: WorkRequest;
  readonly limits: McpLimits;
  /** Or what is to be answered instead, if the server has changed since the request was looked at. */
  readonly job: Job | Refused;
  readonly revision: Revision;
  sessionRef: Ref | undefined;
  readonly connectionRef: Ref | undefined;
  readonly stream: RequestStream;
  /** What the client has carried here, or what is wrong with it. */
  readonly carried: RequestState | string;
  /** Made when the client is asked: most requests do not ask. */
  input: RequestInput | undefined;
  /** Set if the code runs in a process on another thread. */
  readonly farWork: FarWork | undefined;
  /** Where the code is found, if it is a job of the compute pool. */
  readonly computes: CodeSource | undefined;
  workContext: WorkContext | undefined;
  lastProgress: ProgressSent | undefined;
}

/**
 * One request that runs code of the server: a tool, a resource, a prompt or a completion, from its validated arguments
 * to its answer. The code's promise is not awaited by a handler, so that the process stays able to be cancelled and to
 * pass its deadline. What the code leaves behind, timers and floating promises, is blamed on this process; whoever
 * watches it answers for it if it dies.
 */
export const Request: GenServer<RequestProtocol, readonly [RequestStart, WorkRequest]> = genServer(
  import.meta,
  'Request',
  {
    init([start, request], ctx): InitOk<State> {
      const { node, limits } = start;
      const { work } = request;
      const asked = `${METHOD_OF[work.kind]} ${work.name}`;
      const id = typeof request.id === 'number' ? request.id : JSON.stringify(request.id);
      ctx.setLabel(`${asked}, request ${id}${ofSession(request)}`);
      const catalog = ctx.table<string, Catalog>(catalogTableOf(node))?.get(request.server);
      const revision = revisionOf(request.version);
      if (catalog === undefined || revision === undefined) {
        throw new Error(`the server ${quoted(request.server)} is restarting`);
      }
      const opened = carriedState(start, request, ctx);
      const found = admitted(node, request, limits, ctx) ?? findJob(request, catalog, revision, limits);
      const job = typeof opened === 'string' ? failed(errorObject(INVALID_PARAMS, opened), revision) : found;
      const sessionRef = request.session === undefined ? undefined : joinSession(request.session.pid, request.id, ctx);
      const stream = new RequestStream(node, request, ctx);
      const threads = { groups: ctx.threadGroups, group: start.threads, pool: start.computePool };
      const place = workPlace(work, catalog, threads);
      const state: State = {
        node,
        start,
        request,
        limits,
        job,
        revision,
        sessionRef,
        connectionRef: request.endsWithConnection ? ctx.monitor(request.connection) : undefined,
        stream,
        carried: opened,
        input: undefined,
        deadlineMs: ctx.clock.now() + request.timeoutMs,
        deadlineRef: ctx.sendAfter(request.timeoutMs, 'deadline'),
        leftMs: request.timeoutMs,
        waiting: false,
        farWork: onThread(start, place, work, catalog),
        computes: place === 'compute' ? sourceOf(work, catalog) : undefined,
        workContext: undefined,
        lastProgress: undefined,
      };
      return initOk(state, continueWith('run'));
    },
    handleContinue: { run: (state, _payload, ctx) => run(state, ctx) },
    handleCast: {
      answered: (state, { id, outcome }) => {
        state.input?.answered(id, outcome);
        return noreply(state);
      },
      cancel: (state, { answered }) => {
        state.input?.end();
        const cancelled = errorObject(INVALID_REQUEST, 'the request was cancelled');
        state.stream.end(answered ? errorMessage(state.request.id, cancelled) : undefined, undefined);
        return stop({ shutdown: 'cancelled' }, state);
      },
    },
    handleCall: {
      bounds: (state) => reply((state.farWork as FarWork).bounds, state),
      input: (state, questions, ctx) => {
        const { from } = ctx;
        const answer = (answered: InputAnswered): void => {
          if (ctx.isAlive(ctx.self)) ctx.replyTo(from, answered);
        };
        inputOf(state, ctx)
          .ask(questions as never)
          .then(
            (answers) => answer({ answers }),
            (error: Error) => answer(refusalOf(error)),
          );
        return noreply(state);
      },
    },
    handleInfo: {
      progress: (state, [progress, total, message], ctx) => {
        reportProgress(state, ctx, progress, total, message);
        return noreply(state);
      },
      log: (state, [level, data, logger]) => {
        log(state, level, data, logger);
        return noreply(state);
      },
      disconnect: (state, retryMs) => {
        state.stream.disconnect(retryMs ?? state.limits.retryMs);
        return noreply(state);
      },
      refused: (state, { code, message, data }) => thrown(state, new McpError(code, message, data)),
      begin: (state, _payload, ctx) => {
        state.farWork?.hurry(state.request, ctx);
        return noreply(state);
      },
      EXIT: (state, { from, reason }, ctx) =>
        state.farWork?.hasFailed(from, reason, state.request, ctx) === true ? stop(reason, state) : noreply(state),
      lost: (state, reason) => stop(reason, state),
      returned: (state, value) => finish(state, jobIn(state).answer(value)),
      thrown: (state, error: unknown) => thrown(state, error),
      deadline: (state) => {
        const { work, timeoutMs } = state.request;
        const message = `${describeWork(work)} did not finish within ${timeoutMs} ms`;
        answerError(state, errorObject(INTERNAL_ERROR, message, { reason: 'timeout', timeoutMs }));
        return stop({ request_timeout: { [work.kind]: work.name, timeoutMs } }, state);
      },
      suspended: (state) => {
        state.workContext?.workEnded();
        return stop('normal', state);
      },
      DOWN: (state, { ref, reason }, ctx) => {
        if (ref === state.connectionRef) return stop({ shutdown: 'connection_lost' }, state);
        if (ref !== state.sessionRef) return noreply(state);
        // The orderly end of its session ends a request; a crash does not: the session is made again.
        if (!isNormalExit(reason)) return rejoin(state, ctx);
        return endWithSession(state);
      },
    },
  },
);

type Ctx = Context<RequestProtocol>;
type State = RequestRun;
type Result = HandlerResult<State>;

async function rejoin(state: State, ctx: Ctx): Promise<Result> {
  const { id } = state.request.session as { readonly id: string };
  const session = await rejoinSession(state.node, id, state.request.id, ctx);
  if (session === 'ended') return endWithSession(state);
  if (session === undefined) return noreply(state);
  state.sessionRef = session.ref;
  for (const each of state.input?.expected ?? []) ctx.cast(session.pid, 'expect', { id: each, pid: ctx.self });
  return noreply(state);
}

function onThread(
  { node, claims, limits }: RequestStart,
  place: WorkPlace | undefined,
  work: Work,
  catalog: Catalog,
): FarWork | undefined {
  if (place === undefined || place === 'compute') return undefined;
  return new FarWork(place, node, sourceOf(work, catalog) as CodeSource, claims, limits);
}

/** Query builders and promises of other libraries can be awaited too. */
function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

function endWithSession(state: State): Result {
  answerError(state, errorObject(INVALID_REQUEST, 'the session has ended'));
  return stop({ shutdown: 'session_ended' }, state);
}

function run(state: State, ctx: Ctx): Result {
  const { request, job, revision } = state;
  if (state.farWork !== undefined && !('kind' in job)) {
    state.farWork.start(request, ctx);
    return noreply(state);
  }
  if (state.computes !== undefined && !('kind' in job)) {
    startComputing({ node: state.node, source: state.computes, pool: state.start.computePool as Name }, request, ctx);
    return noreply(state);
  }
  const context = new WorkContext(ctx, state.node, request, revision.era, new RequestServices(state, ctx));
  state.workContext = context;
  if ('kind' in job) return finish(state, job);
  let returned: unknown;
  try {
    returned = job.run(context);
  } catch (error) {
    return thrown(state, error);
  }
  if (!isThenable(returned)) return finish(state, job.answer(returned));
  // A result that comes after the end of the request finds nobody.
  const deliver = (tag: 'returned' | 'thrown', value: unknown): void => {
    if (ctx.isAlive(ctx.self)) ctx.send(ctx.self, tag, value);
  };
  Promise.resolve(returned).then(
    (value) => deliver('returned', value),
    (error: unknown) => deliver('thrown', error),
  );
  return noreply(state);
}

/**
 * The caller gets an answer in any case; a throw that is not an `McpError` is a fault, which the reports should name.
 */
function thrown(state: State, error: unknown): Result {
  const result = finish(state, jobIn(state).thrown(error));
  if (error instanceof McpError) return result;
  throw error;
}

/** Only what ran has returned or thrown. */
function jobIn({ job }: State): Job {
  if ('kind' in job) throw new Error('nothing ran');
  return job;
}

function finish(state: State, outcome: Outcome): Result {
  state.workContext?.workEnded();
  state.input?.end();
  const { id } = state.request;
  if (outcome.kind === 'result') state.stream.end(resultMessage(id, onceOnly(state, outcome.result)), undefined);
  else if (outcome.kind === 'error') state.stream.end(errorMessage(id, outcome.error), outcome.status);
  return stop('normal', state);
}

/** What depends on an answer of this client is not to be kept for others, or for later. */
function onceOnly({ input }: State, result: object): object {
  return input?.used === true && 'ttlMs' in result ? { ...result, ttlMs: 0, cacheScope: 'private' } : result;
}

function answerError(state: State, error: ErrorObject): void {
  const { revision, request } = state;
  state.input?.end();
  state.stream.end(errorMessage(request.id, revision.error(error)), revision.httpStatus(error.code, 'code'));
}

function ofSession({ session }: WorkRequest): string {
  return session === undefined ? '' : `, session ${session.id}`;
}
