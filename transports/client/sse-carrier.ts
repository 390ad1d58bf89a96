import { type GenServer, genServer } from '../../runtime/index.ts';
import type { CarrierStart } from '../client-transport.ts';
import { type SseTarget, SseWire } from './sse-wire.ts';
import { type StreamCarrierProtocol, type StreamCarrierStart, streamCarrier } from './stream-carrier.ts';

export interface SseCarrierStart extends StreamCarrierStart, SseTarget {}

/** Owns one event stream of HTTP+SSE, and the socket of its posts. */
export const SseCarrier: GenServer<StreamCarrierProtocol, readonly [SseCarrierStart, CarrierStart]> = genServer(
  import.meta,
  'SseCarrier',
  streamCarrier<SseCarrierStart>(({ url, headers, limits }, outlet, clock, carrier) => {
    return new SseWire({ url, headers: { ...headers, ...carrier.headers } }, outlet, limits, clock);
  }),
);
