import type { Context, Dest, Name, Pid, Ref, RequestId } from '../../runtime/index.ts';
import type { CarrierProtocol, Outgoing } from '../../transports/client-transport.ts';
import type { JsonObject, RequestId as MessageId } from '../json-rpc.ts';
import type { Authorization, Authorized } from './authorization.ts';
import type { ClientHandlers } from './callbacks.ts';
import type { Identity } from './envelope.ts';
import { type McpClientEvent, mcpClientEvents } from './events.ts';
import type { ClientLimits } from './limits.ts';
import type { ListenerProtocol } from './listener.ts';
import type { Agreed, Negotiation } from './negotiation.ts';
import type { ClientStatus, ConnectionProtocol, Pending, Resumption } from './request-call.ts';
import { SeenIds } from './seen-ids.ts';
import type { KnownTool } from './tools.ts';

/** What the process of a client is started with. */
export interface ConnectionStart {
  readonly name: string;
  readonly kind: 'stream' | 'http';
  readonly target: string;
  readonly carrierSup: Name;
  /** That of the carriers to fall back to. */
  readonly olderSup: Name | undefined;
  readonly answererSup: Name;
  readonly listenerSup: Name;
  readonly negotiation: Negotiation;
  readonly identity: Identity;
  readonly handlers: ClientHandlers;
  readonly notify: Dest | undefined;
  /** Who keeps the tokens. */
  readonly authorization: Authorization | undefined;
  readonly limits: ClientLimits;
  /** From 0 up to 1: the jitter of the waits. */
  readonly chance: () => number;
}

/** An HTTP exchange that is open. */
export interface Exchange {
  readonly kind: 'request' | 'notification' | 'stream' | 'end_session';
  readonly pending: Pending | undefined;
  /** The session it belongs to. */
  readonly sessionId: string | undefined;
  /** Of a stream that goes on: how often that has failed before. */
  readonly failures: number;
  status: number | undefined;
  /** The token that it went with, and what the server says of it. */
  readonly token: string | undefined;
  challenge: string | undefined;
  /** Called when it is over. */
  readonly ended: (() => void) | undefined;
}

/** A request of the server that a process answers. */
export interface ServerRequest {
  readonly id: MessageId;
  readonly method: string;
  readonly timer: Ref;
  /** The task that it is about: the answer names it too. */
  readonly related: unknown;
}

export type Ctx = Context<ConnectionProtocol>;

/** The state of the process of a client. It is the process's own and changes in place. */
export interface Connection {
  readonly start: ConnectionStart;
  readonly ctx: Ctx;
  phase: ClientStatus['state'];
  /** Of the carrier that is used now. */
  kind: ConnectionStart['kind'];
  /** Why the carrier to fall back to is used. */
  older: unknown;
  /** The HTTP status of the last answer to initialize. */
  refusal: number | undefined;
  token: string | undefined;
  /** `reconnect()` was called: a person may be asked once more. */
  insists: boolean;
  /** The question for another token, while it is open. */
  authorizing: RequestId<Authorized> | undefined;
  carrier: { readonly pid: Pid<CarrierProtocol>; readonly ref: Ref } | undefined;
  /** Counts attempts to connect: timers of an earlier one mean nothing. */
  attempt: number;
  probing: boolean;
  /** The server ended when it was asked with server/discover: it is not asked again. */
  legacyBefore: boolean;
  agreed: Agreed | undefined;
  sessionId: string | undefined;
  failures: number;
  readyAtMs: number | undefined;
  lastEnd: unknown;
  nextId: number;
  nextExchange: number;
  /** All that are under way, by token; those that wait have no id. */
  readonly requests: Map<string, Pending>;
  readonly byId: Map<number, Pending>;
  readonly answered: SeenIds;
  /** Those that have become tasks, by the ids of the tasks, and by the progress tokens of the calls. */
  readonly tasks: Map<string | number, Pending>;
  readonly exchanges: Map<number, Exchange>;
  readonly waitingForReady: ((status: ClientStatus) => void)[];
  tools: ReadonlyMap<string, KnownTool> | undefined;
  /** Calls that wait for the list of tools. */
  readonly awaitingTools: Set<Pending>;
  readonly subscriptions: Set<string>;
  logLevel: string | undefined;
  /** The request that listens, in the stateless era. */
  listen: Pending | undefined;
  listenFailures: number;
  /** The listening stream of a session over HTTP. */
  stream: Resumption | undefined;
  /** By answerer; those for results that ask for input are in their `Pending`. */
  readonly serverRequests: Map<Pid, ServerRequest>;
  readonly inputs: Map<Pid, Pending>;
  /** Listeners of requests that have their answer: it is sent once more, by us, if the listener fails. */
  readonly finishing: Map<Pid, () => void>;
  notifier: Pid<ListenerProtocol> | undefined;
}

export function newConnection(start: ConnectionStart, ctx: Ctx): Connection {
  return {
    start,
    ctx,
    phase: 'connecting',
    kind: start.kind,
    older: undefined,
    refusal: undefined,
    token: undefined,
    insists: false,
    authorizing: undefined,
    carrier: undefined,
    attempt: 0,
    probing: false,
    legacyBefore: false,
    agreed: undefined,
    sessionId: undefined,
    failures: 0,
    readyAtMs: undefined,
    lastEnd: undefined,
    nextId: 1,
    nextExchange: 1,
    requests: new Map(),
    byId: new Map(),
    answered: new SeenIds(start.limits.answeredMax),
    tasks: new Map(),
    exchanges: new Map(),
    waitingForReady: [],
    tools: undefined,
    awaitingTools: new Set(),
    subscriptions: new Set(),
    logLevel: undefined,
    listen: undefined,
    listenFailures: 0,
    stream: undefined,
    serverRequests: new Map(),
    inputs: new Map(),
    finishing: new Map(),
    notifier: undefined,
  };
}

export function statusOf(c: Connection): ClientStatus {
  const { phase, start, agreed, sessionId, failures, lastEnd, requests } = c;
  const ready = phase === 'ready' ? agreed : undefined;
  return { state: phase, target: start.target, agreed: ready, sessionId, failures, lastEnd, requests: requests.size };
}

export function report(c: Connection, event: Omit<McpClientEvent, 'system' | 'pid' | 'client'>): void {
  if (!mcpClientEvents.hasSubscribers) return;
  const { ctx, start } = c;
  mcpClientEvents.publish({ system: ctx.system, pid: ctx.self, client: start.name, ...event } satisfies McpClientEvent);
}

export function enter(c: Connection, phase: Connection['phase'], delayMs?: number): void {
  c.phase = phase;
  const more = delayMs === undefined ? {} : { delayMs };
  report(c, { event: 'state', state: phase, reason: c.lastEnd, ...more });
  if (c.start.notify !== undefined) tell(c, 'mcp_state', { client: c.start.name, ...statusOf(c) });
}

/** Tells the process that wants to know; one that has gone does not matter. */
export function tell(c: Connection, tag: string, payload: unknown): void {
  const { notify } = c.start;
  if (notify === undefined) return;
  if (typeof notify === 'string' && c.ctx.whereis(notify) === undefined) return;
  c.ctx.send(notify, tag, payload as never);
}

/** Opens an exchange over HTTP; on a stream it only sends. */
export function transmit(
  c: Connection,
  outgoing: Omit<Outgoing, 'exchange'>,
  exchange: Pick<Exchange, 'kind'> & Partial<Exchange>,
): number {
  const number = c.nextExchange++;
  if (c.carrier === undefined) return number;
  if (c.kind === 'http') {
    c.exchanges.set(number, {
      pending: undefined,
      sessionId: c.sessionId,
      failures: 0,
      status: undefined,
      token: c.token,
      challenge: undefined,
      ended: undefined,
      ...exchange,
    });
  }
  const { http } = outgoing;
  const headers = c.token === undefined ? http?.headers : { ...http?.headers, authorization: `Bearer ${c.token}` };
  const full = http === undefined ? {} : { http: { ...http, headers: headers! } };
  c.ctx.cast(c.carrier.pid, 'send', { exchange: number, ...outgoing, ...full });
  return number;
}

/** Only the part of a text that a report should show. */
export function shown(c: Connection, text: string): string {
  const max = c.start.limits.reportedTextMax;
  return text.length > max ? `${text.slice(0, max)}…` : text;
}

export function paramsOf(params: unknown): JsonObject {
  return typeof params === 'object' && params !== null && !Array.isArray(params) ? (params as JsonObject) : {};
}
