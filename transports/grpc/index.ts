/** MCP over gRPC, on `@grpc/grpc-js`: the public names of `beamish/transports/grpc`. */
import { type ChildSpec, child, type Name, supervisor } from '../../runtime/index.ts';
import { connectionSupervisor } from '../connections.ts';
import { GRPC_LIMITS, type GrpcLimits, resolveLimits } from '../limits.ts';
import { listenerNameOf } from '../listener.ts';
import { checkHost, checkPort } from '../socket-options.ts';
import { serverTls, type TlsOptions } from '../tls.ts';
import type { EndpointSpec, Transport } from '../transport.ts';
import { GrpcConnection } from './grpc-connection.ts';
import { type GrpcAddress, GrpcListener, type GrpcListenerProtocol, type GrpcListenerStart } from './grpc-listener.ts';
import { loadGrpc } from './library.ts';

export type { ClientTransport } from '../client-transport.ts';
export {
  GRPC_LIMITS,
  type GrpcLimits,
  SOCKET_CLIENT_LIMITS,
  type SocketClientLimits,
  TransportOptionError,
} from '../limits.ts';
export type { TlsClientOptions, TlsOptions } from '../tls.ts';
export { type GrpcClientOptions, grpcClient } from './grpc-client.ts';
export type { GrpcAddress, GrpcListenerProtocol } from './grpc-listener.ts';
export { GrpcMissingError } from './library.ts';

/** Options of `grpc`: where to listen, TLS, and any bound of `GrpcLimits` (defaults in `GRPC_LIMITS`). */
export interface GrpcOptions extends Partial<GrpcLimits> {
  /** Default `'grpc'`. */
  readonly id?: string;
  /** With 0 the system picks one; ask the listener: `system.call(grpcListenerName(), 'address')`. */
  readonly port: number;
  /** The address to listen on. Default `'127.0.0.1'`: the machine itself only. */
  readonly host?: string;
  /** Default: the connection is not encrypted. */
  readonly tls?: TlsOptions;
}

/** The name of the listener of the `grpc` transport with that id (default `'grpc'`). */
export const grpcListenerName = (id = 'grpc'): Name<GrpcListenerProtocol> => listenerNameOf<GrpcAddress>(id);

/**
 * MCP over gRPC (custom transports): each call of `beamish.mcp.v1.McpService/Connect` (`transports/grpc/mcp.proto`)
 * is a connection with a process of its own, and carries JSON-RPC messages both ways. A process listens, named
 * `<id>_listener`; it gives sockets to `@grpc/grpc-js`, a peer dependency that only this subpath loads.
 *
 * - A client that ends its half gets its answers, then status OK; one that cancels, or is past its deadline, has left.
 * - A stop sends GOAWAY, finishes what is open (up to `drainTimeoutMs`), and ends each call with OK.
 * - A message past `messageBytesMax` ends its call with RESOURCE_EXHAUSTED; so ends a call past `connectionsMax` or
 *   `connectionsPerAddressMax`, or when file descriptors run out; while the transport is stopped or restarted it is
 *   UNAVAILABLE; after a failure INTERNAL. The text of the status begins with the reason.
 * - A client is not read while it does not take what is sent to it, or has `openExchangesMax` exchanges open; with more
 *   than `queuedBytesMax` unread its call is reset: `{ shutdown: { slow_reader } }`.
 * - A silent client is pinged after `pingIntervalMs`; an idle call ends after `idleTimeoutMs`, a session without
 *   calls too.
 * - With `tls.clientCa` the subject of the certificate of a client is the `principal` of its connections.
 *
 * If it cannot listen the start fails with `{ listen: { code, host, port, message } }`; with an endpoint that cannot be
 * loaded, with an error whose code is `ERR_ENDPOINT`. Throws at once: `GrpcMissingError` (`ERR_GRPC_MISSING`) without
 * `@grpc/grpc-js`, `TransportOptionError` (`ERR_TRANSPORT_OPTION`) if an option is not what it must be.
 */
export function grpc(options: GrpcOptions): Transport {
  const { id = 'grpc', port, host = '127.0.0.1', tls } = options;
  loadGrpc();
  checkPort(port);
  checkHost(host);
  const limits = resolveLimits(GRPC_LIMITS, options);
  if (tls !== undefined) serverTls(tls, limits.handshakeTimeoutMs);
  return {
    id,
    childSpec(endpoint: EndpointSpec): ChildSpec {
      const start: GrpcListenerStart = { id, at: { host, port }, endpoint, limits, tls };
      return supervisor(id, { strategy: 'rest_for_one' }, [
        connectionSupervisor(id, GrpcConnection, { endpoint, limits }),
        child(GrpcListener, start, { id: 'listener', name: grpcListenerName(id) }),
      ]);
    },
  };
}
