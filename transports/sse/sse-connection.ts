import { type GenServer, genServer } from '../../runtime/index.ts';
import { type ConnectionStart, connectionServer } from '../connection.ts';
import type { ConnectionMessages } from '../peer.ts';
import type { SsePeer } from './sse-peer.ts';

/** The template's own argument, and what `startChild` adds. */
type SseConnectionStart = readonly [common: ConnectionStart, peer: SsePeer];

/** The process of one event stream. Internal: a listener starts it with the peer it has accepted. */
export const SseConnection: GenServer<ConnectionMessages, any> = genServer(
  import.meta,
  'SseConnection',
  connectionServer<SseConnectionStart>(
    ([, peer]) => peer,
    ([common]) => common,
  ),
);
