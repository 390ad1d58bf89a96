import {
  CallError,
  type Context,
  continueWith,
  describeExit,
  type ExitReason,
  type GenServer,
  genServer,
  type HandlerResult,
  type InitOk,
  initOk,
  isNormalExit,
  noreply,
  type Pid,
  type Ref,
  type StartChildResult,
  startChild,
  stop,
} from '../../runtime/index.ts';
import { type ErrorObject, errorObject, INTERNAL_ERROR, INVALID_REQUEST, quoted } from '../errors.ts';
import { errorMessage, type JsonObject } from '../json-rpc.ts';
import type { McpLimits } from '../limits.ts';
import { revisionOf } from '../revision/registry.ts';
import { nodeNames, requestName, sessionName } from '../server/node-names.ts';
import type { RequestProtocol } from '../server/request.ts';
import { RequestStream } from '../server/request-stream.ts';
import type { WorkRequest } from '../server/work-request.ts';
import type { MountFor, Opened } from './mount.ts';
import { mountName, mountSupOf } from './mount-names.ts';
import { remember } from './session-memory.ts';
import { methodFor, translated } from './translation.ts';

/** A request for a mounted server. Plain data. */
export interface ForwardRequest
  extends Pick<
    WorkRequest,
    | 'server'
    | 'version'
    | 'id'
    | 'timeoutMs'
    | 'connection'
    | 'exchange'
    | 'endsWithConnection'
    | 'scope'
    | 'resumption'
    | 'session'
  > {
  readonly method: string;
  readonly params: unknown;
  /** Whose server it is for; without a session and an owner: one for this request alone. */
  readonly mount: MountFor;
  /** Whether the answer must be made one of a stateless revision. */
  readonly translates: boolean;
}

export interface ForwardProtocol {
  readonly cast: Pick<RequestProtocol['cast'], 'cancel'> & {
    readonly answer: { readonly message: JsonObject; readonly opened: Opened | undefined };
    /** A message of the server that comes before the answer. */
    readonly before: object;
    /** Whether its client is being asked. */
    readonly waits: boolean;
  };
  readonly info: { readonly deadline: void };
  readonly continue: { readonly pass: void };
}

export interface ForwardStart {
  readonly node: string;
  readonly limits: McpLimits;
}

interface State extends ForwardStart {
  readonly request: ForwardRequest;
  readonly stream: RequestStream;
  sessionRef: Ref | undefined;
  readonly connectionRef: Ref | undefined;
  mountRef: Ref | undefined;
  /** How often the server had ended before it had the request. */
  misses: number;
  deadlineMs: number;
  deadlineRef: Ref;
  leftMs: number;
  waiting: boolean;
}

type Ctx = Context<ForwardProtocol>;
type Result = HandlerResult<State>;

/** A server that ends whenever it is made is not made again for the same request. */
const MISSES_MAX = 2;

/**
 * One request on its way to a mounted server and back, with its deadline, its cancellation and its event stream: so a
 * mounted server needs none of that, and what it does not answer is answered here.
 */
export const Forward: GenServer<ForwardProtocol, readonly [ForwardStart, ForwardRequest]> = genServer(
  import.meta,
  'Forward',
  {
    init([start, request], ctx): InitOk<State> {
      const { node } = start;
      const { session, scope, timeoutMs } = request;
      ctx.setLabel(
        `${request.method} for mounted server ${quoted(request.server)}, request ${quoted(`${request.id}`)}`,
      );
      if (scope !== undefined) {
        const name = requestName(node, scope, request.id);
        if (ctx.whereis(name) === undefined) ctx.register(name);
      }
      const state: State = {
        ...start,
        request,
        stream: new RequestStream(node, request, ctx),
        sessionRef: session === undefined ? undefined : joinSession(session.pid, ctx),
        connectionRef: request.endsWithConnection ? ctx.monitor(request.connection) : undefined,
        mountRef: undefined,
        misses: 0,
        deadlineMs: ctx.clock.now() + timeoutMs,
        deadlineRef: ctx.sendAfter(timeoutMs, 'deadline'),
        leftMs: timeoutMs,
        waiting: false,
      };
      return initOk(state, continueWith('pass'));
    },
    handleContinue: { pass: (state, _payload, ctx) => passOn(state, ctx) },
    handleCast: {
      answer: (state, { message, opened }, ctx) => {
        const { request, node } = state;
        if (message['result'] !== undefined) remember(node, request, ctx);
        const { message: answer, status } = translated(request, message, opened);
        state.stream.end(answer, status);
        return stop('normal', state);
      },
      before: (state, message) => {
        state.stream.before(message);
        return noreply(state);
      },
      waits: (state, waiting, ctx) => {
        standStill(state, waiting, ctx);
        return noreply(state);
      },
      cancel: (state, { answered }) => {
        const cancelled = errorObject(INVALID_REQUEST, 'the request was cancelled');
        state.stream.end(answered ? errorMessage(state.request.id, cancelled) : undefined, undefined);
        return stop({ shutdown: 'cancelled' }, state);
      },
    },
    handleInfo: {
      deadline: (state) => {
        const { method, server, timeoutMs } = state.request;
        const message = `${method} of mounted server ${quoted(server)} was not answered within ${timeoutMs} ms`;
        answerError(state, errorObject(INTERNAL_ERROR, message, { reason: 'timeout', timeoutMs }));
        return stop({ request_timeout: { method, timeoutMs } }, state);
      },
      DOWN: (state, { ref, reason }, ctx) => {
        if (ref === state.connectionRef) return stop({ shutdown: 'connection_lost' }, state);
        if (ref === state.mountRef) return mountEnded(state, reason, ctx);
        if (ref !== state.sessionRef) return noreply(state);
        if (!isNormalExit(reason)) return rejoinSession(state, ctx);
        answerError(state, errorObject(INVALID_REQUEST, 'the session has ended'));
        return stop({ shutdown: 'session_ended' }, state);
      },
    },
  },
);

/** To the server that there is, or a new one. */
async function passOn(state: State, ctx: Ctx): Promise<Result> {
  const { node, request } = state;
  const { mount, params, translates } = request;
  const method = translates ? methodFor(request.method) : request.method;
  const alone = mount.sessionId === undefined && mount.owner === undefined;
  const of: MountFor = alone ? { ...mount, key: `request ${ctx.self}`, owner: ctx.self } : mount;
  const name = mountName(node, of.key);
  let pid = ctx.whereis(name);
  if (pid === undefined) {
    const started: StartChildResult = await startChild(ctx, mountSupOf(node), of).catch((error: unknown) => {
      if (error instanceof CallError) return { error: error.reason };
      throw error;
    });
    pid = ('ok' in started ? started.ok : undefined) ?? ctx.whereis(name);
    if (pid === undefined) return ended(state, 'error' in started ? (started.error as ExitReason) : 'noproc');
  }
  state.mountRef = ctx.monitor(pid);
  ctx.cast(pid, 'request', { from: ctx.self, method, params });
  return noreply(state);
}

function mountEnded(state: State, reason: ExitReason, ctx: Ctx): Result | Promise<Result> {
  // It had gone before it had the request: nothing was done yet.
  if (reason !== 'noproc' || ++state.misses > MISSES_MAX) return ended(state, reason);
  return passOn(state, ctx);
}

function ended(state: State, reason: ExitReason): Result {
  const message = `mounted server ${quoted(state.request.server)} has failed: ${describeExit(reason)}`;
  answerError(state, errorObject(INTERNAL_ERROR, message));
  return stop('normal', state);
}

function answerError(state: State, error: ErrorObject): void {
  const { version, id } = state.request;
  const revision = revisionOf(version)!;
  state.stream.end(errorMessage(id, revision.error(error)), revision.httpStatus(error.code, 'code'));
}

/** While its client is asked, the time of a request stands still; it goes on with what was left. */
function standStill(state: State, waiting: boolean, ctx: Ctx): void {
  if (waiting === state.waiting) return;
  state.waiting = waiting;
  const nowMs = ctx.clock.now();
  if (waiting) state.leftMs = Math.max(state.deadlineMs - nowMs, 1);
  const forMs = waiting ? state.limits.inputTimeoutMs : state.leftMs;
  ctx.cancelTimer(state.deadlineRef);
  state.deadlineMs = nowMs + forMs;
  state.deadlineRef = ctx.sendAfter(forMs, 'deadline');
}

function joinSession(session: Pid<any>, ctx: Ctx): Ref {
  ctx.cast(session, 'busy', ctx.self);
  return ctx.monitor(session);
}

async function rejoinSession(state: State, ctx: Ctx): Promise<Result> {
  const { id } = state.request.session as { readonly id: string };
  await ctx.call(nodeNames(state.node).sessionManager, 'restore', id).catch((error: unknown) => {
    if (!(error instanceof CallError)) throw error;
  });
  const session = ctx.whereis(sessionName(state.node, id));
  if (session !== undefined) state.sessionRef = joinSession(session, ctx);
  return noreply(state);
}
