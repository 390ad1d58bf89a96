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
  type Ref,
  type StartChildResult,
  startChild,
  stop,
} from '../../runtime/index.ts';
import { type ErrorObject, errorObject, INTERNAL_ERROR, INVALID_REQUEST, quoted } from '../errors.ts';
import { errorMessage, type JsonObject } from '../json-rpc.ts';
import type { McpLimits } from '../limits.ts';
import { revisionOf } from '../revision/registry.ts';
import type { RequestProtocol } from '../server/request.ts';
import { joinSession, rejoinSession } from '../server/request-session.ts';
import { RequestStream } from '../server/request-stream.ts';
import { type RequestTime, standStill } from '../server/request-time.ts';
import { admitted } from '../server/usage.ts';
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
    | 'resumption'
    | 'session'
    | 'principal'
    | 'counted'
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

interface State extends ForwardStart, RequestTime {
  readonly request: ForwardRequest;
  readonly stream: RequestStream;
  sessionRef: Ref | undefined;
  readonly connectionRef: Ref | undefined;
  mountRef: Ref | undefined;
  /** How often the server had ended before it had the request. */
  misses: number;
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
      const { session, timeoutMs } = request;
      ctx.setLabel(
        `${request.method} for mounted server ${quoted(request.server)}, request ${quoted(`${request.id}`)}`,
      );
      const state: State = {
        ...start,
        request,
        stream: new RequestStream(node, request, ctx),
        sessionRef: session === undefined ? undefined : joinSession(session.pid, request.id, ctx),
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
    handleContinue: {
      pass: (state, _payload, ctx) => {
        const { node, request, limits, stream } = state;
        const refused = admitted(node, request, limits, ctx);
        if (refused === undefined) return passOn(state, ctx);
        stream.end(errorMessage(request.id, refused.error), refused.status);
        return stop('normal', state);
      },
    },
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
        standStill(state, waiting, state.limits.inputTimeoutMs, ctx);
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
        return isNormalExit(reason) ? endWithSession(state) : rejoin(state, ctx);
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
  ctx.cast(pid, 'request', { from: ctx.self, method, params, asking: mount.asking });
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

async function rejoin(state: State, ctx: Ctx): Promise<Result> {
  const { id } = state.request.session as { readonly id: string };
  const session = await rejoinSession(state.node, id, state.request.id, ctx);
  if (session === 'ended') return endWithSession(state);
  if (session !== undefined) state.sessionRef = session.ref;
  return noreply(state);
}

function endWithSession(state: State): Result {
  answerError(state, errorObject(INVALID_REQUEST, 'the session has ended'));
  return stop({ shutdown: 'session_ended' }, state);
}
