import { type GenServer, genServer, type Name, name, noreply } from '../../runtime/index.ts';
import { loadEndpoint } from '../endpoint.ts';
import { Reception } from '../reception.ts';
import type { EndpointSpec } from '../transport.ts';
import type { HttpPeer } from './http-peer.ts';
import type { ResolvedHttpOptions } from './options.ts';

/** What `<id>_listener` of a mounted endpoint understands. */
export interface MountListenerProtocol {
  readonly info: { readonly adopt: HttpPeer };
}

export interface MountListenerStart {
  readonly options: ResolvedHttpOptions;
  readonly endpoint: EndpointSpec;
}

export const mountListenerName = (id: string): Name<MountListenerProtocol> => name(`${id}_listener`);

/**
 * Gives the sockets of somebody else's HTTP server a process each, at their first request for the endpoint. Internal.
 */
export const MountListener: GenServer<MountListenerProtocol, MountListenerStart> = genServer(
  import.meta,
  'MountListener',
  {
    async init({ options, endpoint }: MountListenerStart, ctx) {
      await loadEndpoint(endpoint);
      const reception = new Reception(ctx, options.id, options.limits);
      await reception.recount();
      return reception;
    },
    handleInfo: {
      adopt: (reception: Reception, peer) => {
        reception.welcome(peer);
        return noreply(reception);
      },
      DOWN: (reception: Reception, { ref }) => {
        reception.left(ref);
        return noreply(reception);
      },
    },
  },
);
