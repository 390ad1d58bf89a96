import { type ChildSpec, child, type GenServer, genServer, type Name, name, supervisor } from '../../runtime/index.ts';
import { type ConnectionStart, connectionServer } from '../connection.ts';
import { DRAIN_MARGIN_MS } from '../limits.ts';
import type { ConnectionMessages } from '../peer.ts';
import type { HttpPeer } from './http-peer.ts';

/** The template's own argument, and what `startChild` adds. */
type HttpConnectionStart = readonly [common: ConnectionStart, peer: HttpPeer];

/** The process of one client socket. Internal: a listener starts it with the peer it has accepted. */
export const HttpConnection: GenServer<ConnectionMessages, any> = genServer(
  import.meta,
  'HttpConnection',
  connectionServer<HttpConnectionStart>(
    ([, peer]) => peer,
    ([common]) => common,
  ),
);

export const connectionsName = (id: string): Name => name(`${id}_connections`);

/** The supervisor of the connections of a listener. A connection is never restarted: its client connects again. */
export function connectionSupervisor(id: string, common: ConnectionStart): ChildSpec {
  const template = child(HttpConnection, common, {
    restart: 'temporary',
    shutdown: common.limits.drainTimeoutMs + DRAIN_MARGIN_MS,
  });
  return supervisor('connections', { strategy: 'simple_one_for_one', name: connectionsName(id) }, [template]);
}
