import { type GenServer, genServer } from '../../runtime/index.ts';
import { type ConnectionStart, connectionServer } from '../connection.ts';
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
