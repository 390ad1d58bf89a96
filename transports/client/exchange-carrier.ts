import { type Context, type GenServerCallbacks, noreply, type Ref, stop } from '../../runtime/index.ts';
import type { CarrierProtocol, CarrierStart, Outgoing } from '../client-transport.ts';
import { serialise } from '../serialise.ts';
import { CarrierOutlet } from './carrier-outlet.ts';

/** One exchange that is under way. */
export interface ExchangeCall {
  /** The owner has handled texts: read on if that was what reading waited for. */
  pump(): void;
  abort(): void;
}

/** What is to be sent. */
export interface ExchangeRequest {
  readonly exchange: number;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** What exchanges go over: sockets, or a session. */
export interface Exchanges {
  /** Throws, with nothing sent, if HTTP does not allow the request. `over`: the call is at its end. */
  call(request: ExchangeRequest, outlet: CarrierOutlet, over: () => void): ExchangeCall;
  close(): void;
}

/** What the carriers of exchanges are started with. */
export interface ExchangeCarrierStart {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly limits: { readonly waitingTextsMax: number };
}

interface State {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly exchanges: Exchanges;
  readonly outlet: CarrierOutlet;
  readonly calls: Map<number, ExchangeCall>;
  readonly ownerRef: Ref;
}

/** The callbacks of a carrier that makes a request of each message, over what `open` makes. */
export function exchangeCarrier<Start extends ExchangeCarrierStart>(
  open: (start: Start, ctx: Context) => Exchanges | Promise<Exchanges>,
): GenServerCallbacks<CarrierProtocol, readonly [Start, CarrierStart], State> {
  return {
    async init([start, { owner }], ctx) {
      const { headers, limits } = start;
      const url = new URL(start.url);
      ctx.setLabel(`carrier to ${url.origin}`);
      const outlet = new CarrierOutlet(ctx, owner, limits.waitingTextsMax);
      const calls = new Map<number, ExchangeCall>();
      const ownerRef = ctx.monitor(owner);
      const exchanges = await open(start, ctx);
      ctx.openPort({
        close: () => {
          outlet.detach();
          for (const call of calls.values()) call.abort();
          exchanges.close();
        },
      });
      return { url: url.href, headers, exchanges, outlet, calls, ownerRef };
    },
    handleCast: {
      send: (state: State, outgoing) => {
        begin(state, outgoing);
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
    formatStatus: ({ url, calls }: State) => ({ url, openExchanges: [...calls.keys()] }),
  } as GenServerCallbacks<CarrierProtocol, readonly [Start, CarrierStart], State>;
}

function begin({ headers, exchanges, outlet, calls }: State, { exchange, message, http }: Outgoing): void {
  const request = {
    exchange,
    method: http?.method ?? 'POST',
    headers: { ...headers, ...http?.headers },
    body: message === undefined ? undefined : serialise(message),
  };
  try {
    calls.set(
      exchange,
      exchanges.call(request, outlet, () => calls.delete(exchange)),
    );
  } catch (error) {
    // A header that HTTP does not allow: nothing was sent.
    const { code = 'EINVAL', message: text } = error as NodeJS.ErrnoException;
    outlet.end({ exchange, error: { code, message: text, sent: false } });
  }
}
