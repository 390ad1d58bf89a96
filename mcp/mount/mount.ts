import { randomUUID } from 'node:crypto';
import {
  type Call,
  CallError,
  type Context,
  describeExit,
  type From,
  type GenServer,
  genServer,
  type HandlerResult,
  type InitResult,
  ignore,
  initOk,
  isNormalExit,
  noreply,
  type Pid,
  type Ref,
  reply,
  stop,
} from '../../runtime/index.ts';
import { errorObject, METHOD_NOT_FOUND, quoted } from '../errors.ts';
import { errorMessage, isJsonObject, type JsonObject, notificationMessage, type ResponseMessage } from '../json-rpc.ts';
import type { McpLimits } from '../limits.ts';
import type { Negotiated } from '../server/methods/outcome.ts';
import { nodeNames, sessionName } from '../server/node-names.ts';
import type { SessionRecord } from '../server/session-store.ts';
import type { Asking } from './auth-info.ts';
import type { ForwardProtocol } from './forward.ts';
import { Instance, type InstanceProtocol } from './instance.ts';
import { mountName } from './mount-names.ts';
import type { MountedServer } from './mounted.ts';

/** What a mounted server has answered to `initialize`. */
export interface Opened {
  readonly capabilities: JsonObject;
  readonly serverInfo: { readonly name: string; readonly version: string };
  readonly instructions?: string;
}

export interface MountProtocol {
  readonly call: {
    /** What it says of itself, when it has said it. */
    readonly opened: Call<void, Opened>;
  };
  readonly cast: {
    /** A request that this process passes on, and passes the answer back. */
    readonly request: {
      readonly from: Pid<ForwardProtocol>;
      readonly method: string;
      readonly params: unknown;
      readonly asking: Asking | undefined;
    };
    readonly notification: { readonly method: string; readonly params: unknown };
    /** The client of the session has answered what the server has asked it. */
    readonly answered: { readonly id: string; readonly outcome: ResponseMessage['outcome'] };
  };
  readonly info: {
    readonly outbound: { readonly message: object; readonly relatedTo: string | number | undefined };
    readonly start_timeout: void;
  };
}

/** What every mount of a node shares. */
export interface MountStart {
  readonly node: string;
  readonly limits: McpLimits;
  readonly threads: string;
  readonly servers: ReadonlyMap<string, MountedServer>;
}

/** For whom a server is made. */
export interface MountFor {
  readonly server: string;
  /** What its name ends with: the id of a session, or a stream without one. */
  readonly key: string;
  /** Undefined: requests reach it as they are, and nothing opens it. */
  readonly opens: Negotiated | undefined;
  readonly sessionId: string | undefined;
  /** A server of that session has been there before. */
  readonly again: boolean;
  /** Without a session: it ends with that process. */
  readonly owner: Pid | undefined;
  /** Whose request it is made for. */
  readonly asking: Asking | undefined;
}

type Inbound = InstanceProtocol['cast']['inbound'];

interface Forwarded {
  readonly from: Pid<ForwardProtocol>;
  readonly ref: Ref;
  readonly method: string;
}

interface State {
  readonly start: MountStart;
  readonly of: MountFor;
  readonly instance: Pid<InstanceProtocol>;
  opened: Opened | 'opening' | 'never';
  readonly waiting: From<Opened>[];
  /** Messages that came before it was open. */
  readonly early: Inbound[];
  /** Requests of the client, by the id that the server knows them by: one of its own each, so that none is twice. */
  readonly requests: Map<number, Forwarded>;
  last: number;
  /** What the server has asked, by the id that the client knows it by. */
  readonly asked: Map<string, { readonly id: unknown; readonly relatedTo: string | number | undefined }>;
  ownerRef: Ref;
}

type Ctx = Context<MountProtocol>;
type Result = HandlerResult<State>;

/** Ids of requests that this process makes for itself. */
const initializeId = 'initialize';
const replayedId = 'replayed';

/**
 * A mounted server, as the node sees it: one for each session. It gives the requests of the client ids of their own,
 * keeps who waits for which answer, and does with the server's own requests the same the other way round. The server
 * runs in a linked process, perhaps on another thread; when that dies so does this one, and whoever has a request there
 * watches this one. It is temporary: the next request makes another.
 */
export const Mount: GenServer<MountProtocol, readonly [MountStart, MountFor]> = genServer(import.meta, 'Mount', {
  init([start, of], ctx): InitResult<State> {
    const { node, limits, servers, threads } = start;
    const definition = servers.get(of.server);
    if (definition === undefined) throw new Error(`no server ${quoted(of.server)} is mounted`);
    ctx.setLabel(`mounted server ${quoted(of.server)}${of.sessionId === undefined ? '' : `, session ${of.sessionId}`}`);
    const name = mountName(node, of.key);
    // Another request has been quicker.
    if (ctx.whereis(name) !== undefined) return ignore();
    ctx.register(name);
    ctx.trapExit(true);
    const { create, module, exportName, runPlace } = definition;
    const onThread = module !== undefined && runPlace === 'process' && ctx.threadGroups.includes(threads);
    const instance = ctx.spawnLink(
      Instance,
      { server: of.server, create, module, exportName, sessionId: of.sessionId, mount: ctx.self },
      {
        attribute: true,
        ...(onThread ? { thread: threads } : {}),
        ...(runPlace === 'isolated' ? { isolated: true } : {}),
      },
    );
    const owner = of.sessionId === undefined ? of.owner : sessionName(node, of.sessionId);
    const state: State = {
      start,
      of,
      instance,
      opened: of.opens === undefined ? 'never' : 'opening',
      waiting: [],
      early: [],
      requests: new Map(),
      last: 0,
      asked: new Map(),
      ownerRef: ctx.monitor(owner as Pid),
    };
    if (of.opens !== undefined) {
      const { version, clientInfo, clientCapabilities } = of.opens;
      const params = { protocolVersion: version, capabilities: clientCapabilities, clientInfo };
      const message = { jsonrpc: '2.0', id: initializeId, method: 'initialize', params };
      ctx.cast(instance, 'inbound', { message, asking: of.asking });
      ctx.sendAfter(limits.mountStartMs, 'start_timeout');
    }
    return initOk(state);
  },
  handleCall: {
    opened: (state, _payload, ctx) => {
      if (typeof state.opened === 'object') return reply(state.opened, state);
      state.waiting.push(ctx.from);
      return noreply(state);
    },
  },
  handleCast: {
    request: (state, { from, method, params, asking }, ctx) => {
      const id = ++state.last;
      state.requests.set(id, { from, method, ref: ctx.monitor(from) });
      const message = { jsonrpc: '2.0', id, method, ...(params === undefined ? {} : { params }) };
      pass(state, { message, asking }, ctx);
      return noreply(state);
    },
    notification: (state, { method, params }, ctx) => {
      pass(state, unasked(notificationMessage(method, params as object | undefined)), ctx);
      return noreply(state);
    },
    answered: (state, { id, outcome }, ctx) => {
      const asked = state.asked.get(id);
      if (asked === undefined) return noreply(state);
      state.asked.delete(id);
      waits(state, asked.relatedTo, ctx);
      pass(state, unasked({ jsonrpc: '2.0', id: asked.id, ...outcome }), ctx);
      return noreply(state);
    },
  },
  handleInfo: {
    outbound: (state, { message, relatedTo }, ctx) => outbound(state, message as JsonObject, relatedTo, ctx),
    start_timeout: (state) => (state.opened === 'opening' ? stop('mount_start_timeout', state) : noreply(state)),
    EXIT: (state, { from, reason }) => {
      if (from !== state.instance) return isNormalExit(reason) ? noreply(state) : stop(reason, state);
      // A server that closes itself has nothing more to say: whoever waits must learn of it.
      return stop(reason === 'normal' ? 'server_closed' : reason, state);
    },
    DOWN: (state, { ref, reason }, ctx) => {
      if (ref === state.ownerRef) return ownerEnded(state, isNormalExit(reason), ctx);
      for (const [id, request] of state.requests) {
        if (request.ref !== ref) continue;
        // Cancelled, or out of time: the server is told.
        state.requests.delete(id);
        pass(state, unasked(notificationMessage('notifications/cancelled', { requestId: id })), ctx);
      }
      return noreply(state);
    },
  },
  terminate(reason, state: State, ctx) {
    if (!isNormalExit(reason)) return;
    ctx.unlink(state.instance);
    ctx.cast(state.instance, 'close', state.start.limits.mountCloseMs);
  },
});

/** What is no request: nothing is decided by who has sent it. */
function unasked(message: object): Inbound {
  return { message, asking: undefined };
}

/** To the server, as soon as it is open. */
function pass(state: State, inbound: Inbound, ctx: Ctx): void {
  if (state.opened === 'opening') state.early.push(inbound);
  else ctx.cast(state.instance, 'inbound', inbound);
}

/** A session ends in order, or a stream: so does its server. A session that has crashed is made again. */
async function ownerEnded(state: State, inOrder: boolean, ctx: Ctx): Promise<Result> {
  const { node } = state.start;
  const { sessionId } = state.of;
  if (sessionId === undefined || inOrder) return stop({ shutdown: 'owner_ended' }, state);
  const restored = await ctx.call(nodeNames(node).sessionManager, 'restore', sessionId).catch((error: unknown) => {
    if (error instanceof CallError) return { error: error.reason };
    throw error;
  });
  if (restored !== 'ok') return stop({ shutdown: `session is not there: ${describeExit(restored.error)}` }, state);
  state.ownerRef = ctx.monitor(sessionName(node, sessionId));
  for (const id of state.asked.keys()) ctx.cast(sessionName(node, sessionId), 'expect', { id, pid: ctx.self });
  return noreply(state);
}

function outbound(state: State, message: JsonObject, relatedTo: string | number | undefined, ctx: Ctx): Result {
  const { id, method } = message;
  if (typeof method !== 'string') return answered(state, message, ctx);
  const related = state.requests.get(relatedTo as number);
  if (id === undefined) {
    tell(state, method === 'notifications/cancelled' ? withOwnId(state, message) : message, related, ctx);
    return noreply(state);
  }
  const { sessionId } = state.of;
  if (sessionId === undefined) {
    const error = errorObject(METHOD_NOT_FOUND, 'this client has no session: it cannot be asked');
    ctx.cast(state.instance, 'inbound', unasked(errorMessage(id as string | number, error)));
    return noreply(state);
  }
  const asked = randomUUID();
  state.asked.set(asked, { id, relatedTo: related === undefined ? undefined : relatedTo });
  ctx.cast(sessionName(state.start.node, sessionId), 'expect', { id: asked, pid: ctx.self });
  waits(state, relatedTo, ctx);
  tell(state, { ...message, id: asked }, related, ctx);
  return noreply(state);
}

/** On the stream of the request that it is about, else on that of the session. */
function tell(state: State, message: JsonObject, related: Forwarded | undefined, ctx: Ctx): void {
  const { sessionId } = state.of;
  if (related !== undefined) ctx.cast(related.from, 'before', message);
  else if (sessionId !== undefined) ctx.cast(sessionName(state.start.node, sessionId), 'notify', message);
}

/** The time of a request stands still while its client is asked. */
function waits({ requests, asked }: State, relatedTo: string | number | undefined, ctx: Ctx): void {
  const related = requests.get(relatedTo as number);
  if (related === undefined) return;
  const waiting = [...asked.values()].some((each) => each.relatedTo === relatedTo);
  ctx.cast(related.from, 'waits', waiting);
}

/** The server does not want an answer any more. */
function withOwnId({ asked }: State, message: JsonObject): JsonObject {
  const params = isJsonObject(message['params']) ? message['params'] : {};
  for (const [requestId, { id }] of asked) {
    if (id !== params['requestId']) continue;
    asked.delete(requestId);
    return { ...message, params: { ...params, requestId } };
  }
  return message;
}

/** The server has answered a request. */
function answered(state: State, message: JsonObject, ctx: Ctx): Result {
  const { id } = message;
  if (id === initializeId) return opened(state, message, ctx);
  const request = state.requests.get(id as number);
  if (request === undefined) return noreply(state); // one of ours, or one that nobody waits for any more
  state.requests.delete(id as number);
  ctx.demonitor(request.ref, { flush: true });
  const about = typeof state.opened === 'object' ? state.opened : undefined;
  ctx.cast(request.from, 'answer', { message, opened: about });
  return noreply(state);
}

function opened(state: State, { result, error }: JsonObject, ctx: Ctx): Result {
  if (!isJsonObject(result)) {
    return stop({ mount_refused: isJsonObject(error) ? String(error['message']) : 'no result' }, state);
  }
  const { capabilities = {}, serverInfo = { name: state.of.server, version: '' }, instructions } = result;
  state.opened = { capabilities, serverInfo, ...(instructions === undefined ? {} : { instructions }) } as Opened;
  for (const from of state.waiting.splice(0)) ctx.replyTo(from, state.opened);
  // The client says that it is ready itself, but only once.
  if (state.of.again) for (const inbound of replayed(state, ctx)) ctx.cast(state.instance, 'inbound', inbound);
  for (const inbound of state.early.splice(0)) ctx.cast(state.instance, 'inbound', inbound);
  return noreply(state);
}

/** What the client has told an earlier server of its session. */
function replayed({ start, of }: State, ctx: Ctx): Inbound[] {
  const ready = unasked(notificationMessage('notifications/initialized'));
  if (of.sessionId === undefined) return [ready];
  const record = ctx.table<string, SessionRecord>(nodeNames(start.node).sessionTable)?.get(of.sessionId);
  const said = (method: string, params: object): Inbound => {
    return { message: { jsonrpc: '2.0', id: replayedId, method, params }, asking: of.asking };
  };
  return [
    ready,
    ...(record?.logLevel === undefined ? [] : [said('logging/setLevel', { level: record.logLevel })]),
    ...(record?.subscriptions ?? []).map((uri) => said('resources/subscribe', { uri })),
  ];
}
