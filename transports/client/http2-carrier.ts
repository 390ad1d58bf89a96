import { type Context, type GenServer, genServer } from '../../runtime/index.ts';
import type { CarrierProtocol, CarrierStart } from '../client-transport.ts';
import type { SocketClientLimits } from '../limits.ts';
import type { TlsClientOptions } from '../tls.ts';
import { type ExchangeCarrierStart, type Exchanges, exchangeCarrier } from './exchange-carrier.ts';
import { Http2Call } from './http2-call.ts';
import { Http2Link } from './http2-link.ts';

export interface Http2CarrierStart extends ExchangeCarrierStart {
  readonly tls: TlsClientOptions | undefined;
  readonly limits: SocketClientLimits;
}

/** Makes the HTTP/2 requests of one client, and owns their session. */
export const Http2Carrier: GenServer<CarrierProtocol, readonly [Http2CarrierStart, CarrierStart]> = genServer(
  import.meta,
  'Http2Carrier',
  exchangeCarrier<Http2CarrierStart>(overSession),
);

async function overSession({ url, tls, limits }: Http2CarrierStart, { clock }: Context): Promise<Exchanges> {
  // Programs without a client of HTTP/2 do not load it.
  const { connect } = await import('node:http2');
  const link = new Http2Link(connect, new URL(url), tls, limits, clock);
  const { messageBytesMax } = limits;
  return {
    call: (request, outlet, over) => new Http2Call(link, { ...request, messageBytesMax }, outlet, over),
    close: () => link.close(),
  };
}
