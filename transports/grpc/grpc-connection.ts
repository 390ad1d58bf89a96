import { type GenServer, genServer } from '../../runtime/index.ts';
import { type ConnectionStart, connectionServer } from '../connection.ts';
import type { ConnectionMessages } from '../peer.ts';
import type { GrpcPeer } from './grpc-peer.ts';

/** The template's own argument, and what `startChild` adds. */
type GrpcConnectionStart = readonly [common: ConnectionStart, peer: GrpcPeer];

/** The process of one call. Internal: a listener starts it with the peer that it has accepted. */
export const GrpcConnection: GenServer<ConnectionMessages, any> = genServer(
  import.meta,
  'GrpcConnection',
  connectionServer<GrpcConnectionStart>(
    ([, peer]) => peer,
    ([common]) => common,
  ),
);
