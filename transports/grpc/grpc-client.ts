import { child } from '../../runtime/index.ts';
import type { ClientTransport } from '../client-transport.ts';
import { resolveLimits, SOCKET_CLIENT_LIMITS, type SocketClientLimits, TransportOptionError } from '../limits.ts';
import { clientTls, type TlsClientOptions } from '../tls.ts';
import { GrpcCarrier, type GrpcCarrierStart } from './grpc-carrier.ts';
import { loadGrpc } from './library.ts';

/** Options of `grpcClient`: where the server is, TLS, and any bound of `SocketClientLimits`. */
export interface GrpcClientOptions extends Partial<SocketClientLimits> {
  /** `host:port`. */
  readonly target: string;
  /** Metadata of the call, such as `authorization`. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** `{}` for TLS with the authorities of Node.js. Default: the connection is not encrypted. */
  readonly tls?: TlsClientOptions;
}

/**
 * A server behind the transport `grpc`, or any that follows its `mcp.proto`. Proxies of the environment are not used.
 *
 * Throws `GrpcMissingError` (`ERR_GRPC_MISSING`) without `@grpc/grpc-js`, and `TransportOptionError`
 * (`ERR_TRANSPORT_OPTION`) if an option is not what it must be.
 */
export function grpcClient(options: GrpcClientOptions): ClientTransport {
  const { target, metadata = {}, tls } = options;
  const { Metadata } = loadGrpc();
  if (typeof target !== 'string' || !/^[^\s/]+:\d{1,5}$/.test(target)) {
    throw new TransportOptionError('target', `must be host:port, not ${JSON.stringify(target)}`);
  }
  try {
    for (const [key, value] of Object.entries(metadata)) new Metadata().set(key, value);
  } catch (error) {
    throw new TransportOptionError('metadata', `must be what gRPC takes: ${(error as Error).message}`);
  }
  if (tls !== undefined) clientTls(tls);
  const limits = resolveLimits(SOCKET_CLIENT_LIMITS, options);
  const start: GrpcCarrierStart = { target, metadata, tls, limits };
  return {
    kind: 'stream',
    target: `grpc ${target}`,
    carrier: child(GrpcCarrier, start as never, { id: 'carrier', restart: 'temporary' }),
  };
}
