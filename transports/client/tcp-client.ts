import { child } from '../../runtime/index.ts';
import type { ClientTransport } from '../client-transport.ts';
import { resolveLimits, SOCKET_CLIENT_LIMITS, type SocketClientLimits } from '../limits.ts';
import { socketAddress } from '../socket-options.ts';
import { clientTls, type TlsClientOptions } from '../tls.ts';
import { TcpCarrier, type TcpCarrierStart } from './tcp-carrier.ts';

/** Options of `tcpClient`: where the server is, TLS, and any bound of `SocketClientLimits`. */
export interface TcpClientOptions extends Partial<SocketClientLimits> {
  /** Either this or `path`. */
  readonly port?: number;
  /** Default `'127.0.0.1'`. */
  readonly host?: string;
  /** The absolute path of a Unix socket. */
  readonly path?: string;
  /** `{}` for TLS with the authorities of Node.js. Default: the connection is not encrypted. */
  readonly tls?: TlsClientOptions;
}

/**
 * A server behind the transport `tcp`: messages as lines of JSON on TCP or a Unix socket.
 *
 * Throws `TransportOptionError` (`ERR_TRANSPORT_OPTION`) if an option is not what it must be.
 */
export function tcpClient(options: TcpClientOptions): ClientTransport {
  const { tls } = options;
  const at = socketAddress(options);
  if (tls !== undefined) clientTls(tls);
  const target = 'path' in at ? `unix:${at.path}` : `${tls === undefined ? 'tcp' : 'tls'}://${at.host}:${at.port}`;
  const start: TcpCarrierStart = { at, tls, target, limits: resolveLimits(SOCKET_CLIENT_LIMITS, options) };
  return {
    kind: 'stream',
    target,
    carrier: child(TcpCarrier, start as never, { id: 'carrier', restart: 'temporary' }),
  };
}
