import { type GenServer, genServer } from '../../runtime/index.ts';
import type { CarrierStart } from '../client-transport.ts';
import type { WebSocketClientLimits } from '../limits.ts';
import { type StreamCarrierProtocol, type StreamCarrierStart, streamCarrier } from './stream-carrier.ts';
import { type WebSocketTarget, WebSocketWire } from './web-socket-wire.ts';

export interface WebSocketCarrierStart extends StreamCarrierStart, WebSocketTarget {
  readonly limits: WebSocketClientLimits;
}

/** Owns one WebSocket. */
export const WebSocketCarrier: GenServer<StreamCarrierProtocol, readonly [WebSocketCarrierStart, CarrierStart]> =
  genServer(
    import.meta,
    'WebSocketCarrier',
    streamCarrier<WebSocketCarrierStart>(
      (start, outlet, clock) => new WebSocketWire(start, outlet, start.limits, clock),
    ),
  );
