import {
  type Context,
  type ExitReason,
  type GenServerCallbacks,
  type HandlerResult,
  noreply,
  type ReceivedMessage,
  stop,
} from '../runtime/index.ts';
import { loadEndpoint } from './endpoint.ts';
import type { TransportLimits } from './limits.ts';
import { type ConnectionMessages, Intake, type Peer } from './peer.ts';
import type { ConnectionDown, Endpoint, EndpointSpec, Inbound, Outbound } from './transport.ts';

/** What every connection process is started with. */
export interface ConnectionStart {
  readonly endpoint: EndpointSpec;
  readonly limits: TransportLimits;
}

type Ctx = Context<ConnectionMessages>;
type Result = HandlerResult<Connection> | Promise<HandlerResult<Connection>>;

/** The state of a connection process. It is the process's own and changes in place: every message passes here. */
interface Connection {
  readonly peer: Peer;
  readonly intake: Intake;
  readonly endpoint: Endpoint;
  readonly drainTimeoutMs: number;
  inner: unknown;
  /** There is nobody to finish anything for. */
  gone: boolean;
}

/**
 * The callbacks of a connection process, the same for all transports: `openPeer` says who is on the other side, and
 * `common` picks what every connection needs from the start argument.
 */
export function connectionServer<Start>(
  openPeer: (start: Start) => Peer,
  common: (start: Start) => ConnectionStart,
): GenServerCallbacks<ConnectionMessages, Start, Connection> {
  return {
    init: (start, ctx) => init(openPeer(start), common(start), ctx),
    handleInfo: {
      inbound: handleInbound,
      ended: (connection) => stop('normal', connection),
      left: handleLeft,
      closed: (connection, reason = 'normal', ctx) => disconnected(connection, reason, ctx),
      wake: (connection) => {
        connection.peer.wake?.();
        return noreply(connection);
      },
      DOWN: handleDown,
      told: handleTold,
      EXIT: (connection, { reason }) => (reason === 'normal' ? noreply(connection) : stop(reason, connection)),
    },
    handleCast: {
      send: handleSend,
      close: (connection, reason) => stop(reason, connection),
    },
    terminate,
    formatStatus: ({ peer, intake, inner }) => ({ peer: peer.info, openExchanges: [...intake.open], endpoint: inner }),
  };
}

async function init(peer: Peer, { endpoint: spec, limits }: ConnectionStart, ctx: Ctx): Promise<Connection> {
  ctx.trapExit(true); // so that a supervisor's stop runs terminate, which drains
  const intake = new Intake(ctx, limits.openExchangesMax);
  ctx.openPort({
    close: (reason) => {
      intake.detach();
      peer.close(reason);
    },
  });
  const endpoint = await loadEndpoint(spec);
  const { remoteAddress, transport } = peer.info;
  ctx.setLabel(remoteAddress === undefined ? `${transport} connection` : `${transport} connection of ${remoteAddress}`);
  const inner: unknown = endpoint.init(spec.config, peer.info, ctx);
  peer.open(intake);
  return { peer, intake, endpoint, drainTimeoutMs: limits.drainTimeoutMs, inner, gone: false };
}

function handleInbound(connection: Connection, inbound: Inbound, ctx: Ctx): Result {
  return goneOn(connection, connection.endpoint.handleInbound(connection.inner, inbound, ctx));
}

function goneOn(connection: Connection, next: unknown): Result {
  if (next instanceof Promise) {
    return next.then((inner: unknown) => {
      connection.inner = inner;
      return noreply(connection);
    });
  }
  connection.inner = next;
  return noreply(connection);
}

function handleSend(connection: Connection, outbound: Outbound, ctx: Ctx): Result {
  const { intake, peer } = connection;
  const { exchange } = outbound;
  if (exchange !== 0) {
    if (!intake.open.has(exchange)) return noreply(connection); // it has ended, or its peer has left it
    if (outbound.end) intake.open.delete(exchange);
  }
  const slow = peer.send(outbound);
  return slow === undefined ? noreply(connection) : disconnected(connection, { shutdown: slow }, ctx);
}

function handleDown(connection: Connection, down: ConnectionDown, ctx: Ctx): Result {
  return goneOn(connection, connection.endpoint.handleDown(connection.inner, down, ctx));
}

function handleTold(connection: Connection, what: unknown, ctx: Ctx): Result {
  const { endpoint, inner } = connection;
  if (endpoint.handleTold !== undefined) connection.inner = endpoint.handleTold(inner, what, ctx);
  return noreply(connection);
}

function disconnected(connection: Connection, reason: ExitReason, ctx: Ctx): HandlerResult<Connection> {
  connection.gone = true;
  abortOpen(connection, ctx);
  return stop(reason, connection);
}

function handleLeft(connection: Connection, exchange: number, ctx: Ctx): Result {
  const { intake, endpoint } = connection;
  if (intake.open.delete(exchange)) connection.inner = endpoint.handleAbort(connection.inner, exchange, ctx);
  return noreply(connection);
}

function abortOpen(connection: Connection, ctx: Ctx): void {
  const { open } = connection.intake;
  for (const exchange of open) {
    open.delete(exchange);
    connection.inner = connection.endpoint.handleAbort(connection.inner, exchange, ctx);
  }
}

/** An orderly end lets open exchanges finish; after a failure the endpoint's state is not to be trusted with that. */
async function terminate(reason: ExitReason, connection: Connection, ctx: Ctx): Promise<void> {
  if (!connection.gone && isOrderly(reason)) await drain(connection, reason, ctx);
  connection.endpoint.handleClose?.(connection.inner, reason, ctx);
}

function isOrderly(reason: ExitReason): boolean {
  if (reason === 'normal' || reason === 'shutdown') return true;
  return typeof reason === 'object' && reason !== null && 'shutdown' in reason;
}

/** Reads nothing new, and goes on until all that is open has ended and is flushed, or the time is over. */
async function drain(connection: Connection, reason: ExitReason, ctx: Ctx): Promise<void> {
  const { peer, intake } = connection;
  const over = ctx.clock.now() + connection.drainTimeoutMs;
  let ending = false;
  peer.stopReading();
  const { handleDrain } = connection.endpoint;
  if (handleDrain !== undefined) connection.inner = handleDrain(connection.inner, ctx);
  for (let leftMs = connection.drainTimeoutMs; leftMs > 0 && !connection.gone; leftMs = over - ctx.clock.now()) {
    if (!ending && intake.open.size === 0) {
      ending = true;
      peer.end(reason);
    }
    const message = await ctx.receive(isOwn, leftMs);
    if (message !== 'timeout') await handleDraining(connection, message, ctx);
  }
  abortOpen(connection, ctx);
}

function isOwn(message: ReceivedMessage): boolean {
  return message.kind !== 'call';
}

/** What a draining connection still does. */
async function handleDraining(connection: Connection, { tag, payload }: ReceivedMessage, ctx: Ctx): Promise<void> {
  if (tag === 'send') await handleSend(connection, payload as Outbound, ctx);
  else if (tag === 'inbound') await handleInbound(connection, payload as Inbound, ctx);
  else if (tag === 'DOWN') await handleDown(connection, payload as ConnectionDown, ctx);
  else if (tag === 'left') await handleLeft(connection, payload as number, ctx);
  else if (tag === 'told') await handleTold(connection, payload, ctx);
  else if (tag === 'closed') disconnected(connection, 'normal', ctx);
  else if (tag === 'wake') connection.peer.wake?.();
  else if (tag === 'EXIT') connection.gone ||= (payload as { reason: ExitReason }).reason !== 'normal';
}
