import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { type Context, type GenServer, genServer } from '../../runtime/index.ts';
import type { CarrierProtocol, CarrierStart } from '../client-transport.ts';
import type { HttpClientLimits } from '../limits.ts';
import { type ExchangeCarrierStart, type Exchanges, exchangeCarrier } from './exchange-carrier.ts';
import { HttpCall, type MakeRequest } from './http-call.ts';

export interface HttpCarrierStart extends ExchangeCarrierStart {
  readonly limits: HttpClientLimits;
}

/** Makes the HTTP requests of one client, and owns their sockets. */
export const HttpCarrier: GenServer<CarrierProtocol, readonly [HttpCarrierStart, CarrierStart]> = genServer(
  import.meta,
  'HttpCarrier',
  exchangeCarrier<HttpCarrierStart>(overSockets),
);

function overSockets({ url: address, limits }: HttpCarrierStart, { clock }: Context): Exchanges {
  const url = new URL(address);
  const isSecure = url.protocol === 'https:';
  const options = { keepAlive: true, maxSockets: limits.socketsMax, timeout: 0 };
  const agent = isSecure ? new HttpsAgent(options) : new HttpAgent(options);
  const make = (isSecure ? httpsRequest : httpRequest) as MakeRequest;
  return {
    call: (request, outlet, over) => new HttpCall({ url, make, agent, clock }, { ...request, limits }, outlet, over),
    close: () => agent.destroy(),
  };
}
