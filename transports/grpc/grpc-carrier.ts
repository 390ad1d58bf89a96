import { type GenServer, genServer } from '../../runtime/index.ts';
import { type StreamCarrierProtocol, type StreamCarrierStart, streamCarrier } from '../client/stream-carrier.ts';
import type { CarrierStart } from '../client-transport.ts';
import { type GrpcTarget, GrpcWire } from './grpc-wire.ts';

export interface GrpcCarrierStart extends StreamCarrierStart, GrpcTarget {}

/** Owns one call, and the channel under it. */
export const GrpcCarrier: GenServer<StreamCarrierProtocol, readonly [GrpcCarrierStart, CarrierStart]> = genServer(
  import.meta,
  'GrpcCarrier',
  streamCarrier<GrpcCarrierStart>((start, outlet, clock) => new GrpcWire(start, outlet, start.limits, clock)),
);
