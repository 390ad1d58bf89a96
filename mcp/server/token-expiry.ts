/** Streams that a client listens on, at a connection: they end with the token that they were opened with. */

import type { ConnectionContext } from '../../transports/transport.ts';
import type { Principal } from '../authorization/principal.ts';
import { wallMs } from './carried-state.ts';
import type { ConnectionState } from './connection-state.ts';

/** Timers have a bound: what is further away is waited for in pieces. */
const pieceMs = 86_400_000;

/** What a connection has itself told. */
export interface Expired {
  readonly exchange: number;
  readonly expiresAt: number;
}

export function endWithToken(
  state: ConnectionState,
  exchange: number,
  principal: Principal | undefined,
  ctx: ConnectionContext,
): void {
  if (principal?.expiresAt !== undefined) expireLater(state, { exchange, expiresAt: principal.expiresAt }, ctx);
}

/** It ends otherwise. */
export function forgetExpiry({ expiries }: ConnectionState, exchange: number, ctx: ConnectionContext): void {
  const timer = expiries.get(exchange);
  if (timer === undefined) return;
  ctx.cancelTimer(timer);
  expiries.delete(exchange);
}

/** Whether the time has come; if not, it is waited for further. */
export function hasExpired(state: ConnectionState, expired: Expired, ctx: ConnectionContext): boolean {
  if (!state.expiries.has(expired.exchange)) return false;
  if (wallMs(ctx) >= expired.expiresAt) return true;
  expireLater(state, expired, ctx);
  return false;
}

function expireLater({ expiries }: ConnectionState, expired: Expired, ctx: ConnectionContext): void {
  const leftMs = Math.min(Math.max(Math.ceil(expired.expiresAt - wallMs(ctx)), 0), pieceMs);
  expiries.set(expired.exchange, ctx.sendAfter(leftMs, 'told', expired));
}
