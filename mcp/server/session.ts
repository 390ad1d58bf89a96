import {
  type Context,
  describeExit,
  type ExitReason,
  type GenServer,
  genServer,
  type HandlerResult,
  noreply,
  type Pid,
  type Ref,
  RefMap,
  stop,
} from '../../runtime/index.ts';
import { errorObject, INTERNAL_ERROR, INVALID_REQUEST } from '../errors.ts';
import { errorMessage, type RequestId, type ResponseMessage } from '../json-rpc.ts';
import type { McpLimits } from '../limits.ts';
import { type NodeNames, nodeNames, sessionName } from './node-names.ts';
import type { RequestProtocol } from './request.ts';
import type { Recorded, Send, SessionLog, Sink } from './session-log.ts';
import { forgetSession, logOf, type SessionRecord } from './session-store.ts';

export interface SessionProtocol {
  readonly cast: {
    /** A message of the session came. */
    readonly touch: void;
    /** A request of the session runs: until it has ended the session is not idle. */
    readonly busy: Running;
    /**
     * The client does not want the answer to that request any more. One that reuses an id in flight gets both answers;
     * only the first can be cancelled.
     */
    readonly cancel: RequestId;
    /** The client, or the end of its stream, ends the session. */
    readonly end: void;
    /** An exchange takes what the session has to say; `lastEventId`: or what it has missed of a stream. */
    readonly attach: { readonly sink: Sink; readonly lastEventId: string | undefined };
    /** That exchange has ended. */
    readonly detach: Sink;
    /** A notification for the client. */
    readonly notify: object;
    /** The same, if it listens now: what it can ask for at any time. */
    readonly tell: object;
    /** A request waits for the client's answer to this id. */
    readonly expect: { readonly id: string; readonly pid: Pid<AskedProtocol> };
    /** The client has answered. */
    readonly answered: { readonly id: string; readonly outcome: ResponseMessage['outcome'] };
    /** A message of the stream of a request, to be kept. */
    readonly record: Recorded;
  };
  readonly info: { readonly idle: void };
}

/** What gets the answers of the client: a request, or a task. */
interface AskedProtocol {
  readonly cast: Pick<RequestProtocol['cast'], 'answered'>;
}

interface Running {
  readonly pid: Pid<{ readonly cast: Pick<RequestProtocol['cast'], 'cancel'> }>;
  readonly id: RequestId;
}

export interface SessionStart {
  readonly node: string;
  readonly limits: McpLimits;
}

interface State {
  readonly names: NodeNames;
  readonly id: string;
  readonly limits: McpLimits;
  lastUsedMs: number;
  /** The requests that run, by monitor. */
  readonly running: RefMap<Running>;
  /** Who waits for the client's answer, by the id of what it was asked. */
  readonly expected: Map<string, Pid<AskedProtocol>>;
  /** The connections that listen, by monitor. */
  readonly listening: RefMap<Pid>;
  readonly streamRef: Ref | undefined;
}

type Ctx = Context<SessionProtocol>;
type Result = HandlerResult<State>;

/**
 * One session of the eras that have them (2025-11-25, basic/lifecycle). It is temporary: after a crash the next request
 * makes it again from its record, or the session manager at once if somebody listens. Its orderly end is the end of the
 * session: the record goes, and the requests that still run see it and stop.
 */
export const Session: GenServer<SessionProtocol, readonly [SessionStart, SessionRecord]> = genServer(
  import.meta,
  'Session',
  {
    init([{ node, limits }, record], ctx): State {
      ctx.setLabel(`session ${record.id}`);
      ctx.register(sessionName(node, record.id));
      ctx.sendAfter(limits.sessionIdleMs, 'idle');
      const names = nodeNames(node);
      const log = logOf(names, record.id, undefined, ctx);
      return {
        names,
        id: record.id,
        limits,
        lastUsedMs: ctx.clock.now(),
        running: watched(log?.requests ?? [], (request) => request.pid, ctx),
        expected: new Map(),
        listening: watched(log?.connections ?? [], (connection) => connection, ctx),
        streamRef: record.stream === undefined ? undefined : ctx.monitor(record.stream),
      };
    },
    handleCast: {
      touch: (state, _payload, ctx) => {
        state.lastUsedMs = ctx.clock.now();
        return noreply(state);
      },
      busy: (state, request, ctx) => {
        state.running.set(ctx.monitor(request.pid), request);
        return noreply(state);
      },
      cancel: (state, id, ctx) => {
        const first = state.running.values().find((request) => request.id === id);
        // The exchange of the request is still open, and would end in silence.
        if (first !== undefined) ctx.cast(first.pid, 'cancel', { answered: true });
        return noreply(state);
      },
      end: (state, _payload, ctx) => endSession(state, 'session_ended', ctx),
      attach: (state, { sink, lastEventId }, ctx) => {
        const log = openLog(state, ctx);
        const sends = lastEventId === undefined ? log?.attach(sink) : log?.resume(sink, lastEventId);
        if (!Array.isArray(sends)) return refuseSink(state, sink, sends, ctx);
        state.listening.set(ctx.monitor(sink.connection), sink.connection);
        state.lastUsedMs = ctx.clock.now();
        return sendAll(state, sends, ctx);
      },
      detach: (state, sink, ctx) => {
        openLog(state, ctx)?.detach(sink);
        state.lastUsedMs = ctx.clock.now();
        return noreply(state);
      },
      notify: (state, message, ctx) => sendAll(state, openLog(state, ctx)?.notify(message), ctx),
      tell: (state, message, ctx) => sendAll(state, logOf(state.names, state.id, undefined, ctx)?.tell(message), ctx),
      expect: (state, { id, pid }) => {
        state.expected.set(id, pid);
        return noreply(state);
      },
      answered: (state, { id, outcome }, ctx) => {
        const pid = state.expected.get(id);
        state.expected.delete(id);
        if (pid !== undefined) ctx.cast(pid, 'answered', { id, outcome });
        return noreply(state);
      },
      record: (state, recorded, ctx) => sendAll(state, openLog(state, ctx)?.record(recorded), ctx),
    },
    handleInfo: {
      DOWN: (state, { ref, reason }, ctx) => {
        if (ref === state.streamRef) return endSession(state, 'stream_ended', ctx);
        state.lastUsedMs = ctx.clock.now();
        const log = logOf(state.names, state.id, undefined, ctx);
        const connection = state.listening.get(ref);
        if (connection !== undefined) log?.lost(connection);
        const request: Pid | undefined = state.running.get(ref)?.pid;
        state.listening.delete(ref);
        state.running.delete(ref);
        if (request === undefined) return noreply(state);
        for (const [id, pid] of state.expected) if (pid === request) state.expected.delete(id);
        return sendAll(
          state,
          log?.requestEnded(request, (id) => errorMessage(id, lostAnswer(reason))),
          ctx,
        );
      },
      // One timer for a whole idle time, however many requests come within it.
      idle: (state, _payload, ctx) => {
        const log = logOf(state.names, state.id, undefined, ctx);
        const inUse = state.running.size > 0 || log?.inUse === true;
        const idleSinceMs = inUse ? ctx.clock.now() : state.lastUsedMs;
        const leftMs = idleSinceMs + state.limits.sessionIdleMs - ctx.clock.now();
        if (leftMs <= 0) return endSession(state, 'session_idle', ctx);
        ctx.sendAfter(leftMs, 'idle');
        return noreply(state);
      },
    },
  },
);

function watched<Each extends object>(all: readonly Each[], pidOf: (each: Each) => Pid, ctx: Ctx): RefMap<Each> {
  const map = new RefMap<Each>();
  for (const each of new Map(all.map((one) => [pidOf(one), one])).values()) map.set(ctx.monitor(pidOf(each)), each);
  return map;
}

function openLog({ names, id, limits }: State, ctx: Ctx): SessionLog | undefined {
  return logOf(names, id, limits, ctx);
}

function sendAll(state: State, sends: readonly Send[] | undefined, ctx: Ctx): Result {
  for (const { to, outbound } of sends ?? []) ctx.cast(to, 'send', outbound);
  return noreply(state);
}

function refuseSink(
  state: State,
  { connection, exchange }: Sink,
  why: 'too_many' | 'unknown' | undefined,
  ctx: Ctx,
): Result {
  const [status, message] =
    why === 'too_many'
      ? [409, `the session has ${state.limits.sessionStreamsMax} event streams, as many as it may have`]
      : [400, 'Last-Event-ID is of no event that is known here'];
  const error = errorMessage(undefined, errorObject(INVALID_REQUEST, message));
  ctx.cast(connection, 'send', { exchange, message: error, end: true, http: { status } });
  return noreply(state);
}

/** Its client has come back, or will, and nobody else can tell it any more. */
function lostAnswer(reason: ExitReason): ReturnType<typeof errorObject> {
  const why = reason === 'normal' ? 'its answer was lost' : describeExit(reason);
  return errorObject(INTERNAL_ERROR, `the request failed: ${why}`);
}

function endSession(state: State, why: string, ctx: Ctx): Result {
  sendAll(state, logOf(state.names, state.id, undefined, ctx)?.close(), ctx);
  forgetSession(state.names, state.id, ctx);
  return stop({ shutdown: why }, state);
}
