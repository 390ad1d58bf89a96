import { type GenServer, genServer } from '../../runtime/index.ts';
import type { CarrierStart } from '../client-transport.ts';
import { type StreamCarrierProtocol, type StreamCarrierStart, streamCarrier } from './stream-carrier.ts';
import { type TcpTarget, TcpWire } from './tcp-wire.ts';

export interface TcpCarrierStart extends StreamCarrierStart, TcpTarget {}

/** Owns one connection in lines: a TCP or Unix socket. */
export const TcpCarrier: GenServer<StreamCarrierProtocol, readonly [TcpCarrierStart, CarrierStart]> = genServer(
  import.meta,
  'TcpCarrier',
  streamCarrier<TcpCarrierStart>((start, outlet, clock) => new TcpWire(start, outlet, start.limits, clock)),
);
