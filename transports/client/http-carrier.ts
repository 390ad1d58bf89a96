import { type Agent, Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { type Clock, type GenServer, genServer, noreply, type Ref, stop } from '../../runtime/index.ts';
import type { CarrierProtocol, CarrierStart, Outgoing } from '../client-transport.ts';
import type { HttpClientLimits } from '../limits.ts';
import { serialise } from '../serialise.ts';
import { CarrierOutlet } from './carrier-outlet.ts';
import { HttpCall, type MakeRequest } from './http-call.ts';

export interface HttpCarrierStart {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly limits: HttpClientLimits;
}

interface State {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly agent: Agent;
  readonly clock: Clock;
  readonly outlet: CarrierOutlet;
  readonly limits: HttpClientLimits;
  readonly calls: Map<number, HttpCall>;
  readonly ownerRef: Ref;
}

/** Makes the HTTP requests of one client, and owns their sockets. */
export const HttpCarrier: GenServer<CarrierProtocol, readonly [HttpCarrierStart, CarrierStart]> = genServer(
  import.meta,
  'HttpCarrier',
  {
    init([{ url, headers, limits }, { owner }], ctx): State {
      ctx.setLabel(`carrier to ${new URL(url).origin}`);
      const outlet = new CarrierOutlet(ctx, owner, limits.waitingTextsMax);
      const options = { keepAlive: true, maxSockets: limits.socketsMax, timeout: 0 };
      const agent = url.startsWith('https:') ? new HttpsAgent(options) : new HttpAgent(options);
      const calls = new Map<number, HttpCall>();
      ctx.openPort({
        close: () => {
          outlet.detach();
          for (const call of calls.values()) call.abort();
          agent.destroy();
        },
      });
      return {
        url: new URL(url),
        headers,
        agent,
        clock: ctx.clock,
        outlet,
        limits,
        calls,
        ownerRef: ctx.monitor(owner),
      };
    },
    handleCast: {
      send: (state: State, outgoing) => {
        open(state, outgoing);
        return noreply(state);
      },
      abort: (state: State, exchange) => {
        state.calls.get(exchange)?.abort();
        state.calls.delete(exchange);
        return noreply(state);
      },
      taken: (state: State, count) => {
        state.outlet.taken(count);
        for (const call of state.calls.values()) call.pump();
        return noreply(state);
      },
      close: (state: State) => stop('normal', state),
    },
    handleInfo: {
      DOWN: (state: State, { ref }) => (ref === state.ownerRef ? stop('normal', state) : noreply(state)),
    },
    formatStatus: ({ url, calls }: State) => ({ url: url.href, openExchanges: [...calls.keys()] }),
  },
);

function open(state: State, { exchange, message, http }: Outgoing): void {
  const { url, headers, agent, clock, outlet, limits, calls } = state;
  const make = (url.protocol === 'https:' ? httpsRequest : httpRequest) as MakeRequest;
  const options = {
    exchange,
    method: http?.method ?? 'POST',
    headers: { ...headers, ...http?.headers },
    body: message === undefined ? undefined : serialise(message),
    limits,
  };
  try {
    calls.set(exchange, new HttpCall({ url, make, agent, clock }, options, outlet, () => calls.delete(exchange)));
  } catch (error) {
    // A header that HTTP does not allow: nothing was sent.
    const { code = 'EINVAL', message: text } = error as NodeJS.ErrnoException;
    outlet.end({ exchange, error: { code, message: text, sent: false } });
  }
}
