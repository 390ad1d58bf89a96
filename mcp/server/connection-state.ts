import { CallError, type Pid, type Ref, RefMap, type Table } from '../../runtime/index.ts';
import type {
  ConnectionContext,
  ConnectionInfo,
  ConnectionProtocol,
  Credentials,
  Outbound,
} from '../../transports/transport.ts';
import { type Principal, transportPrincipal } from '../authorization/principal.ts';
import type { Authorization } from '../authorization/resource-server.ts';
import type { Pin } from '../era.ts';
import { DefinitionError, errorObject, INTERNAL_ERROR, quoted } from '../errors.ts';
import { errorMessage, type RequestId } from '../json-rpc.ts';
import type { McpLimits } from '../limits.ts';
import type { MountBounds } from '../mount/mount-leg.ts';
import type { Revision } from '../revision/contract.ts';
import type { Waiting } from './authorization-leg.ts';
import { type NodeNames, nodeNames } from './node-names.ts';
import type { RequestProtocol } from './request.ts';
import type { StreamRecord } from './session-store.ts';
import type { Verified } from './token-cache.ts';

export interface EndpointConfig {
  readonly node: string;
  /** Which of the node's servers answers here. */
  readonly server: string;
  /** The id of the transport. */
  readonly transport: string;
  /** Who may use it; undefined: everybody who reaches it. */
  readonly authorization: Authorization | undefined;
  readonly limits: McpLimits;
  /** If that server is mounted. */
  readonly mounted?: MountBounds;
}

/** A request that runs in a process of its own. */
export interface Run {
  readonly pid: Pid<{ readonly cast: Pick<RequestProtocol['cast'], 'cancel'> }>;
  readonly exchange: number;
  readonly id: RequestId;
  /** What it is, for errors. */
  readonly work: { readonly kind: string; readonly name: string };
  readonly revision: Revision;
  /**
   * Whether the peer's leaving the exchange cancels it. In a session over HTTP it does not (2025-11-25, Sending
   * Messages).
   */
  readonly endsWithConnection: boolean;
}

/** What one connection has under way. It is the connection process's own and changes in place. */
export interface ConnectionState {
  readonly config: EndpointConfig;
  readonly names: NodeNames;
  readonly kind: ConnectionInfo['kind'];
  /** Whom its transport has verified. */
  readonly peer: Principal | undefined;
  /** Whether its peer is on this machine, and may do everything. */
  readonly local: boolean;
  /** See `ConnectionInfo`. */
  readonly resumable: string | undefined;
  /** The era of a stream, decided by its first message. */
  pin: Pin;
  /** The session of a stream; over HTTP each request names its own. */
  streamSession: string | undefined;
  /** By the monitor of its process. */
  readonly runs: RefMap<Run>;
  /** On a stream: the run of each request by its id, which no other may have meanwhile. */
  readonly runOfId: Map<RequestId, Run>;
  /** The messages of batches, each with an exchange of its own: negative numbers, which no transport has. */
  readonly parts: Map<number, Place>;
  lastPart: number;
  /** Exchanges of `subscriptions/listen`. */
  readonly listens: Map<number, { readonly id: RequestId; readonly revision: Revision }>;
  /** Exchanges that wait for the result of a task (`tasks/result`), by the monitor of its process. */
  readonly waits: Map<Ref, { readonly exchange: number; readonly id: RequestId; readonly taskId: string }>;
  /** Exchanges that take what a session has to say (GET), and the session. */
  readonly sinks: Map<number, string>;
  /** By the monitor of its process. */
  readonly batches: Map<Ref, { readonly exchange: number; readonly parts: readonly number[] }>;
  /** Requests whose sender is being found out, by the monitor of what does it. */
  readonly verifying: Map<Ref, Waiting>;
  /** Who has sent the last request with a token. */
  lastCaller: { readonly credentials: Credentials; readonly verified: Verified } | undefined;
  /** The timers of exchanges that end with a token. */
  readonly expiries: Map<number, Ref>;
}

/** A promise while something is begun. */
export type Done = Promise<void> | undefined;

/** Where an answer goes: to this connection, or to the process of a batch, which stands for one. */
export interface Place {
  readonly to: Pid<ConnectionProtocol>;
  readonly exchange: number;
}

export function openConnection(
  config: EndpointConfig,
  { kind, resumable, remoteAddress, principal }: ConnectionInfo,
  ctx: ConnectionContext,
): ConnectionState {
  if (kind === 'stream' && config.authorization !== undefined) {
    const reason = 'nobody can bring a token on a stream: authorization is for transports over HTTP';
    throw new DefinitionError('ERR_AUTHORIZATION', `transport ${quoted(config.transport)}: ${reason}`);
  }
  const names = nodeNames(config.node);
  const earlier = resumable === undefined ? undefined : streamsOf(names, ctx)?.get(resumable);
  return {
    config,
    names,
    kind,
    peer: principal === undefined ? undefined : transportPrincipal(principal),
    local: kind === 'stream' && remoteAddress === undefined,
    resumable,
    pin: earlier?.pin,
    streamSession: earlier?.session,
    runs: new RefMap(),
    runOfId: new Map(),
    parts: new Map(),
    lastPart: 0,
    listens: new Map(),
    waits: new Map(),
    sinks: new Map(),
    batches: new Map(),
    verifying: new Map(),
    lastCaller: undefined,
    expiries: new Map(),
  };
}

/** Keeps what a stream has decided for the connection that may follow this one. */
export function rememberStream(
  { names, resumable, pin, streamSession }: ConnectionState,
  ctx: ConnectionContext,
): void {
  if (resumable !== undefined) streamsOf(names, ctx)?.set(resumable, { pin, session: streamSession });
}

export function forgetStream({ names, resumable }: ConnectionState, ctx: ConnectionContext): void {
  if (resumable !== undefined) streamsOf(names, ctx)?.delete(resumable);
}

function streamsOf(names: NodeNames, ctx: ConnectionContext): Table<string, StreamRecord> | undefined {
  return ctx.table(names.streamTable);
}

export function placeOf({ parts }: ConnectionState, ctx: ConnectionContext, exchange: number): Place {
  return parts.get(exchange) ?? { to: ctx.self, exchange };
}

/** Ends an exchange with a message. If it has ended already, that is dropped. */
export function answer(
  state: ConnectionState,
  ctx: ConnectionContext,
  exchange: number,
  message: object,
  http?: { readonly status?: number; readonly headers?: Readonly<Record<string, string>> },
): void {
  const place = placeOf(state, ctx, exchange);
  const outbound: Outbound = { exchange: place.exchange, message, end: true, ...(http === undefined ? {} : { http }) };
  ctx.cast(place.to, 'send', outbound);
}

/** Ends an exchange that needs no answer: a notification, a response. */
export function endExchange(state: ConnectionState, ctx: ConnectionContext, exchange: number, status?: number): void {
  const place = placeOf(state, ctx, exchange);
  const http = status === undefined ? {} : { http: { status } };
  ctx.cast(place.to, 'send', { exchange: place.exchange, end: true, ...http });
}

/** The registry or a supervisor is being restarted: the request has not begun, and may be sent again. */
export function answerUnavailable(
  state: ConnectionState,
  exchange: number,
  id: RequestId,
  why: string,
  ctx: ConnectionContext,
): void {
  const error = errorObject(
    INTERNAL_ERROR,
    `server ${quoted(state.config.server)} is not available: ${why}; try again`,
  );
  answer(state, ctx, exchange, errorMessage(id, error), { status: 503 });
}

/** Whom it was to ask is being restarted: its supervisor's affair, not this connection's. */
export function failedCall(error: unknown): { readonly error: unknown } {
  if (error instanceof CallError) return { error: error.reason };
  throw error;
}

/** Over a network nobody may do what needs scopes but who has them; who is at this machine may. */
export function grantedTo(
  { local }: Pick<ConnectionState, 'local'>,
  principal: Principal | undefined,
): readonly string[] | undefined {
  return local ? undefined : (principal?.scopes ?? none);
}
const none: readonly string[] = Object.freeze([]);
