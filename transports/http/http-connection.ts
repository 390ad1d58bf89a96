import { type GenServer, genServer } from '../../runtime/index.ts';
import type { Arrival } from '../arrival.ts';
import { type ConnectionStart, connectionServer } from '../connection.ts';
import type { ConnectionMessages } from '../peer.ts';

/** The template's own argument, and what `startChild` adds. */
type HttpConnectionStart = readonly [common: ConnectionStart, peer: Arrival];

/**
 * The process of one client: of a socket, or of a session of HTTP/2. Internal: a listener starts it with the peer that
 * it has accepted.
 */
export const HttpConnection: GenServer<ConnectionMessages, any> = genServer(
  import.meta,
  'HttpConnection',
  connectionServer<HttpConnectionStart>(
    ([, peer]) => peer,
    ([common]) => common,
  ),
);
