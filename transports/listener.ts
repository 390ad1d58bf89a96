import type { Server } from 'node:net';
import {
  type Call,
  type Context,
  type GenServerCallbacks,
  type Name,
  name,
  noreply,
  reply,
  stop,
  stopInit,
} from '../runtime/index.ts';
import { type Bound, bind, type ListenAt, listenFailure } from './bind.ts';
import { loadEndpoint } from './endpoint.ts';
import type { ListenerLimits } from './limits.ts';
import { Reception } from './reception.ts';
import type { EndpointSpec } from './transport.ts';

/** What the listener of every transport with a socket understands. */
export interface ListenerProtocol<Address> {
  readonly call: { readonly address: Call<void, Address> };
  readonly info: { readonly server_error: NodeJS.ErrnoException };
}

/** What every listener is started with. */
export interface ListenerStart {
  readonly id: string;
  readonly at: ListenAt;
  readonly endpoint: EndpointSpec;
  readonly limits: ListenerLimits;
}

/** A server that does not listen yet. What it accepts goes to the reception. */
export interface Openable<Address> {
  readonly server: Server;
  /** Take no more connections; those that there are live on with their processes. */
  stopListening(): void;
  address(bound: Bound): Address;
}

interface Listener<Address> {
  readonly address: Address;
  readonly at: ListenAt;
  readonly reception: Reception;
}

export function listenerNameOf<Address>(id: string): Name<ListenerProtocol<Address>> {
  return name(`${id}_listener`);
}

/** The callbacks of a listener process, the same for all transports: `open` makes the server of one. */
export function listenerServer<Start extends ListenerStart, Address>(
  open: (start: Start, reception: Reception, ctx: Context) => Openable<Address>,
): GenServerCallbacks<ListenerProtocol<Address>, Start, Listener<Address>> {
  return {
    async init(start, ctx) {
      const { id, at, endpoint, limits } = start;
      await loadEndpoint(endpoint); // a wrong one must fail the start, not every connection
      const reception = new Reception(ctx, id, limits);
      await reception.recount();
      const opened = open(start, reception, ctx);
      const { server } = opened;
      ctx.openPort({ close: () => opened.stopListening() });
      try {
        const bound = await bind(server, at, id, ctx);
        server.on('error', (error: NodeJS.ErrnoException) => {
          // A client that could not be accepted, for want of descriptors or since it has gone, costs nobody else.
          if (error.syscall !== 'accept' && ctx.isAlive(ctx.self)) ctx.send(ctx.self, 'server_error', error as never);
        });
        return { reception, at, address: opened.address(bound) };
      } catch (error) {
        return stopInit(listenFailure(error as NodeJS.ErrnoException, at));
      }
    },
    handleCall: {
      address: (listener: Listener<Address>) => reply(listener.address, listener),
    },
    handleInfo: {
      server_error: (listener: Listener<Address>, error: NodeJS.ErrnoException) =>
        stop(listenFailure(error, listener.at), listener),
      DOWN: (listener: Listener<Address>, { ref }) => {
        listener.reception.left(ref);
        return noreply(listener);
      },
    },
  } as GenServerCallbacks<ListenerProtocol<Address>, Start, Listener<Address>>;
}
