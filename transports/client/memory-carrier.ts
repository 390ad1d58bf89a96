import { type GenServer, genServer, noreply, type Ref, stop, stopInit } from '../../runtime/index.ts';
import type { CarrierProtocol, CarrierStart } from '../client-transport.ts';
import type { CarrierLimits } from '../limits.ts';
import { connectMemory, type MemoryClient, MemoryConnectError } from '../memory.ts';
import { MemoryQueueError } from '../memory-link.ts';
import { serialise } from '../serialise.ts';
import { CarrierOutlet } from './carrier-outlet.ts';

export interface MemoryCarrierStart {
  readonly id: string;
  readonly limits: CarrierLimits;
}

interface Protocol extends CarrierProtocol {
  readonly info: { readonly closed: void; readonly room: void };
}

interface State {
  readonly link: MemoryClient;
  readonly outlet: CarrierOutlet;
  readonly ownerRef: Ref;
  /** Reading stands still until the owner has handled something. */
  resume: (() => void) | undefined;
}

/** Carries messages to a server in the same system. */
export const MemoryCarrier: GenServer<Protocol, readonly [MemoryCarrierStart, CarrierStart]> = genServer(
  import.meta,
  'MemoryCarrier',
  {
    async init([{ id, limits }, { owner }], ctx) {
      ctx.setLabel(`carrier to memory transport ${id}`);
      const outlet = new CarrierOutlet(ctx, owner, limits.waitingTextsMax);
      let link: MemoryClient;
      try {
        link = await connectMemory(ctx, id);
      } catch (error) {
        if (error instanceof MemoryConnectError) return stopInit({ memory_connect: error.code });
        throw error;
      }
      ctx.openPort({
        close: () => {
          outlet.detach();
          link.close();
        },
      });
      const state: State = { link, outlet, ownerRef: ctx.monitor(owner), resume: undefined };
      void read(state);
      return state;
    },
    handleCast: {
      send: (state: State, { message }) => {
        if (message === undefined) return noreply(state);
        try {
          state.link.send(serialise(message));
        } catch (error) {
          if (!(error instanceof MemoryQueueError)) throw error;
          return stop({ shutdown: { slow_reader: error.message } }, state);
        }
        return noreply(state);
      },
      abort: (state: State) => noreply(state),
      taken: (state: State, count) => {
        state.outlet.taken(count);
        state.resume?.();
        return noreply(state);
      },
      close: (state: State) => stop('normal', state),
    },
    handleInfo: {
      closed: (state: State) => stop({ shutdown: 'connection_closed' }, state),
      room: (state: State) => noreply(state),
      DOWN: (state: State, { ref }) => (ref === state.ownerRef ? stop('normal', state) : noreply(state)),
    },
  },
);

/** Hands on what the server sends, until the link ends. */
async function read(state: State): Promise<void> {
  for await (const message of state.link.messages) {
    state.outlet.text({ exchange: 0, text: JSON.stringify(message) });
    if (state.outlet.isFull) {
      await new Promise<void>((resolve) => {
        state.resume = resolve;
      });
    }
  }
  state.outlet.self('closed');
}
