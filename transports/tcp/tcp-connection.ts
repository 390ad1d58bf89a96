import { type GenServer, genServer } from '../../runtime/index.ts';
import { type ConnectionStart, connectionServer } from '../connection.ts';
import type { ConnectionMessages } from '../peer.ts';
import type { TcpPeer } from './tcp-peer.ts';

/** The template's own argument, and what `startChild` adds. */
type TcpConnectionStart = readonly [common: ConnectionStart, peer: TcpPeer];

/** The process of one client socket. Internal: a listener starts it with the peer it has accepted. */
export const TcpConnection: GenServer<ConnectionMessages, any> = genServer(
  import.meta,
  'TcpConnection',
  connectionServer<TcpConnectionStart>(
    ([, peer]) => peer,
    ([common]) => common,
  ),
);
