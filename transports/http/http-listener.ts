import { createServer } from 'node:http';
import { type GenServer, genServer } from '../../runtime/index.ts';
import { type ListenerProtocol, type ListenerStart, listenerServer, type Openable } from '../listener.ts';
import type { Reception } from '../reception.ts';
import type { HttpSettings } from './http-peer.ts';
import { http1Options, receiveHttp1, stopListening } from './http1-server.ts';
import { type ResolvedHttpOptions, rulesOf } from './options.ts';

/** Where a listener is bound. */
export interface HttpAddress {
  readonly host: string;
  readonly port: number;
  /** The endpoint's URL, on that host and port. */
  readonly url: string;
}

/** What `<id>_listener` understands. */
export type HttpListenerProtocol = ListenerProtocol<HttpAddress>;

export interface HttpListenerStart extends ListenerStart {
  readonly options: ResolvedHttpOptions;
}

/** Owns the listening socket of one `streamableHttp`; connections live beside it. Internal. */
export const HttpListener: GenServer<HttpListenerProtocol, HttpListenerStart> = genServer(
  import.meta,
  'HttpListener',
  listenerServer<HttpListenerStart, HttpAddress>(open),
);

function open({ options, endpoint }: HttpListenerStart, reception: Reception): Openable<HttpAddress> {
  const { limits, path } = options;
  const rules = rulesOf(options);
  rules.publish(endpoint.documents ?? {});
  const settings: HttpSettings = { rules, limits, ownsSockets: true };
  const server = createServer(http1Options(limits));
  server.on('connection', receiveHttp1(server, settings, reception));
  return {
    server,
    stopListening: () => stopListening(server),
    address: ({ host, port, authority }) => ({ host, port, url: `http://${authority}${path}` }),
  };
}
