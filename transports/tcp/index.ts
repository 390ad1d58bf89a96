/** MCP over TCP and Unix sockets: the public names of `beamish/transports/tcp`. */
import { type ChildSpec, child, type Name, supervisor } from '../../runtime/index.ts';
import { connectionSupervisor } from '../connections.ts';
import { resolveLimits, SOCKET_LIMITS, type SocketLimits } from '../limits.ts';
import { listenerNameOf } from '../listener.ts';
import { socketAddress } from '../socket-options.ts';
import { serverTls, type TlsOptions } from '../tls.ts';
import type { EndpointSpec, Transport } from '../transport.ts';
import { TcpConnection } from './tcp-connection.ts';
import { type TcpAddress, TcpListener, type TcpListenerProtocol, type TcpListenerStart } from './tcp-listener.ts';

export { SOCKET_LIMITS, type SocketLimits, TransportOptionError } from '../limits.ts';
export type { TlsOptions } from '../tls.ts';
export type { TcpAddress, TcpListenerProtocol } from './tcp-listener.ts';

/** Options of `tcp`: where to listen, TLS, and any bound of `SocketLimits` (defaults in `SOCKET_LIMITS`). */
export interface TcpOptions extends Partial<SocketLimits> {
  /** Default `'tcp'`. */
  readonly id?: string;
  /**
   * Either this or `path`. With 0 the system picks one; ask the listener: `system.call(tcpListenerName(), 'address')`.
   */
  readonly port?: number;
  /** The address to listen on. Default `'127.0.0.1'`: the machine itself only. */
  readonly host?: string;
  /**
   * An absolute path: a Unix socket. Who may connect is what the permissions of its folder, and the umask, say. A file
   * that a program has left there, and nobody listens on, is replaced.
   */
  readonly path?: string;
  /** Default: the connection is not encrypted. */
  readonly tls?: TlsOptions;
}

/** The name of the listener of the `tcp` transport with that id (default `'tcp'`). */
export const tcpListenerName = (id = 'tcp'): Name<TcpListenerProtocol> => listenerNameOf<TcpAddress>(id);

/**
 * Messages as lines of JSON on TCP or a Unix socket, one connection per client: what MCP has for standard streams
 * (transports: stdio; custom transports), over a socket. A process listens, named `<id>_listener`; each client has a
 * process under the supervisor `<id>_connections`.
 *
 * - A line past `messageBytesMax`, or one that is not UTF-8, is answered as a parse error, and the connection goes on.
 * - A client is not read while it does not take what is written to it, or has `openExchangesMax` exchanges open; with
 *   more than `queuedBytesMax` unread when the next message is due it is disconnected: `{ shutdown: { slow_reader } }`.
 * - A client that ends its half gets its answers, then the connection ends. A stop does the same from this side.
 * - Idle for `idleTimeoutMs`, a connection is closed in order: `{ shutdown: { idle: { idleTimeoutMs } } }`.
 * - Past `connectionsMax`, `connectionsPerAddressMax`, or when file descriptors run out, a client gets one line, a
 *   JSON-RPC error without id whose `data.reason` says which, and is disconnected.
 * - With `tls`, a handshake may take `handshakeTimeoutMs`; with `tls.clientCa` the subject of the certificate of a
 *   client is the `principal` of its connection.
 *
 * If it cannot listen the start fails with `{ listen: { code, host, port, message } }`, or `path` in place of host and
 * port; with an endpoint that cannot be loaded, with an error whose code is `ERR_ENDPOINT`. Throws
 * `TransportOptionError` (`ERR_TRANSPORT_OPTION`) at once if an option is not what it must be.
 */
export function tcp(options: TcpOptions): Transport {
  const { id = 'tcp', tls } = options;
  const at = socketAddress(options);
  const limits = resolveLimits(SOCKET_LIMITS, options);
  if (tls !== undefined) serverTls(tls, limits.handshakeTimeoutMs);
  return {
    id,
    childSpec(endpoint: EndpointSpec): ChildSpec {
      const start: TcpListenerStart = { id, at, endpoint, limits, tls };
      return supervisor(id, { strategy: 'rest_for_one' }, [
        connectionSupervisor(id, TcpConnection, { endpoint, limits }),
        child(TcpListener, start, { id: 'listener', name: tcpListenerName(id) }),
      ]);
    },
  };
}
