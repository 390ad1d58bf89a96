import { type GenServer, genServer, noreply, type Ref, stop } from '../../runtime/index.ts';
import type { CarrierProtocol, CarrierStart, Outgoing } from '../client-transport.ts';
import type { SocketClientLimits } from '../limits.ts';
import { serialise } from '../serialise.ts';
import type { TlsClientOptions } from '../tls.ts';
import { CarrierOutlet } from './carrier-outlet.ts';
import { Http2Call } from './http2-call.ts';
import { Http2Link } from './http2-link.ts';

export interface Http2CarrierStart {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: TlsClientOptions | undefined;
  readonly limits: SocketClientLimits;
}

interface State {
  readonly link: Http2Link;
  readonly headers: Readonly<Record<string, string>>;
  readonly outlet: CarrierOutlet;
  readonly limits: SocketClientLimits;
  readonly calls: Map<number, Http2Call>;
  readonly ownerRef: Ref;
}

/** Makes the HTTP/2 requests of one client, and owns their session. */
export const Http2Carrier: GenServer<CarrierProtocol, readonly [Http2CarrierStart, CarrierStart]> = genServer(
  import.meta,
  'Http2Carrier',
  {
    async init([{ url, headers, tls, limits }, { owner }], ctx): Promise<State> {
      ctx.setLabel(`carrier to ${new URL(url).origin}`);
      const outlet = new CarrierOutlet(ctx, owner, limits.waitingTextsMax);
      const calls = new Map<number, Http2Call>();
      const ownerRef = ctx.monitor(owner);
      // Programs without a client of HTTP/2 do not load it.
      const { connect } = await import('node:http2');
      const link = new Http2Link(connect, new URL(url), tls, limits, ctx.clock);
      ctx.openPort({
        close: () => {
          outlet.detach();
          for (const call of calls.values()) call.abort();
          link.close();
        },
      });
      return { link, headers, outlet, limits, calls, ownerRef };
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
    formatStatus: ({ link, calls }: State) => ({ url: link.url.href, openExchanges: [...calls.keys()] }),
  },
);

function open(state: State, { exchange, message, http }: Outgoing): void {
  const { link, headers, outlet, limits, calls } = state;
  const options = {
    exchange,
    method: http?.method ?? 'POST',
    headers: { ...headers, ...http?.headers },
    body: message === undefined ? undefined : serialise(message),
    messageBytesMax: limits.messageBytesMax,
  };
  try {
    calls.set(exchange, new Http2Call(link, options, outlet, () => calls.delete(exchange)));
  } catch (error) {
    // A header that HTTP does not allow: nothing was sent.
    const { code = 'EINVAL', message: text } = error as NodeJS.ErrnoException;
    outlet.end({ exchange, error: { code, message: text, sent: false } });
  }
}
