import { type Clock, type GenServerCallbacks, noreply, type Ref, stop, stopInit } from '../../runtime/index.ts';
import type { CarrierProtocol, CarrierStart } from '../client-transport.ts';
import type { SocketClientLimits } from '../limits.ts';
import { CarrierOutlet } from './carrier-outlet.ts';

/** A connection over which messages go both ways at any time. It reports its end with `outlet.self('disconnected')`. */
export interface Wire {
  /** Resolves when messages can be sent; rejects with the error of whoever prevents it. */
  connected(): Promise<void>;
  /** False if the server has left too much unread. */
  send(message: object): boolean;
  /** The owner has handled texts: read on if that was what reading waited for. */
  pump(): void;
  /** Let go, behind what was sent. */
  close(): void;
}

/** What the carriers of connections are started with. */
export interface StreamCarrierStart {
  /** What it connects to, for people. */
  readonly target: string;
  readonly limits: SocketClientLimits;
}

export interface StreamCarrierProtocol extends CarrierProtocol {
  /** With the error that ended the connection; undefined if the server has closed it. */
  readonly info: { readonly disconnected: Disconnected | undefined };
}

export interface Disconnected {
  readonly code: string;
  readonly message: string;
}

interface State {
  readonly wire: Wire;
  readonly outlet: CarrierOutlet;
  readonly limits: SocketClientLimits;
  readonly target: string;
  readonly ownerRef: Ref;
}

/**
 * The callbacks of a carrier whose connection is `open`'s. Its start fails with `{ connect: { code, message } }`; it
 * exits `{ shutdown: { connection_closed } }` with its connection.
 */
export function streamCarrier<Start extends StreamCarrierStart>(
  open: (start: Start, outlet: CarrierOutlet, clock: Clock, carrier: CarrierStart) => Wire,
): GenServerCallbacks<StreamCarrierProtocol, readonly [Start, CarrierStart], State> {
  return {
    async init([start, carrier], ctx) {
      const { target, limits } = start;
      ctx.setLabel(`carrier to ${target}`);
      const outlet = new CarrierOutlet(ctx, carrier.owner, limits.waitingTextsMax);
      const wire = open(start, outlet, ctx.clock, carrier);
      ctx.openPort({
        close: () => {
          outlet.detach();
          wire.close();
        },
      });
      try {
        await wire.connected();
      } catch (error) {
        const { code = 'ECONNRESET', message } = error as NodeJS.ErrnoException;
        return stopInit({ connect: { code, message } });
      }
      return { wire, outlet, limits, target, ownerRef: ctx.monitor(carrier.owner) };
    },
    handleCast: {
      send: (state: State, { message }) => {
        if (message === undefined || state.wire.send(message)) return noreply(state);
        return stop({ shutdown: { slow_reader: { limitBytes: state.limits.queuedBytesMax } } }, state);
      },
      abort: (state: State) => noreply(state),
      taken: (state: State, count) => {
        state.outlet.taken(count);
        state.wire.pump();
        return noreply(state);
      },
      close: (state: State) => stop('normal', state),
    },
    handleInfo: {
      disconnected: (state: State, why) => stop({ shutdown: { connection_closed: why ?? 'normal' } }, state),
      DOWN: (state: State, { ref }) => (ref === state.ownerRef ? stop('normal', state) : noreply(state)),
    },
    formatStatus: ({ target }: State) => ({ target }),
  } as GenServerCallbacks<StreamCarrierProtocol, readonly [Start, CarrierStart], State>;
}
