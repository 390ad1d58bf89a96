import { type GenServer, genServer } from '../../runtime/index.ts';
import { type ConnectionStart, connectionServer } from '../connection.ts';
import type { ConnectionMessages } from '../peer.ts';
import type { WebSocketPeer } from './web-socket-peer.ts';

/** The template's own argument, and what `startChild` adds. */
type WebSocketConnectionStart = readonly [common: ConnectionStart, peer: WebSocketPeer];

/** The process of one client socket. Internal: a listener starts it with the peer it has accepted. */
export const WebSocketConnection: GenServer<ConnectionMessages, any> = genServer(
  import.meta,
  'WebSocketConnection',
  connectionServer<WebSocketConnectionStart>(
    ([, peer]) => peer,
    ([common]) => common,
  ),
);
