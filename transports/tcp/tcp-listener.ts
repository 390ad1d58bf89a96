import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { type GenServer, genServer } from '../../runtime/index.ts';
import { descriptorOf } from '../descriptors.ts';
import { REFUSED_CONNECTIONS_MAX, type SocketLimits } from '../limits.ts';
import { type ListenerProtocol, type ListenerStart, listenerServer, type Openable } from '../listener.ts';
import type { Reception } from '../reception.ts';
import { serverTls, type TlsOptions } from '../tls.ts';
import { TcpPeer } from './tcp-peer.ts';

/** Where a listener is bound: a port, or the path of a Unix socket. */
export type TcpAddress =
  | { readonly host: string; readonly port: number; readonly url: string }
  | { readonly path: string; readonly url: string };

/** What `<id>_listener` of a `tcp` transport understands. */
export type TcpListenerProtocol = ListenerProtocol<TcpAddress>;

export interface TcpListenerStart extends ListenerStart {
  readonly limits: SocketLimits;
  readonly tls: TlsOptions | undefined;
}

/** Owns the listening socket of one `tcp`; connections live beside it. Internal. */
export const TcpListener: GenServer<TcpListenerProtocol, TcpListenerStart> = genServer(
  import.meta,
  'TcpListener',
  listenerServer<TcpListenerStart, TcpAddress>(open),
);

function open({ limits, tls }: TcpListenerStart, reception: Reception): Openable<TcpAddress> {
  // A client that has said all it wants still gets its answers.
  const options = { allowHalfOpen: true, noDelay: true, keepAlive: true };
  const welcome = (socket: Socket): void => reception.welcome(new TcpPeer(socket, limits), descriptorOf(socket));
  let server: Server;
  if (tls === undefined) {
    server = createServer(options, welcome);
  } else {
    const secure = createTlsServer({ ...options, ...serverTls(tls, limits.handshakeTimeoutMs) }, welcome);
    // A client that fails the handshake, or takes too long for it, was never a connection.
    secure.on('tlsClientError', (_error, socket) => socket.destroy());
    server = secure;
  }
  server.maxConnections = limits.connectionsMax + REFUSED_CONNECTIONS_MAX;
  return {
    server,
    stopListening: () => server.close(),
    address: ({ path, host, port, authority }) => {
      if (path !== undefined) return { path, url: `unix:${path}` };
      return { host, port, url: `${tls === undefined ? 'tcp' : 'tls'}://${authority}` };
    },
  };
}
