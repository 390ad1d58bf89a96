/** MCP over WebSocket, on `ws`: the public names of `beamish/transports/websocket`. */
import { type ChildSpec, child, type Name, supervisor } from '../../runtime/index.ts';
import { connectionSupervisor } from '../connections.ts';
import { resolveLimits, WEB_SOCKET_LIMITS, type WebSocketLimits } from '../limits.ts';
import { listenerNameOf } from '../listener.ts';
import { checkHost, checkPort } from '../socket-options.ts';
import { serverTls, type TlsOptions } from '../tls.ts';
import type { EndpointSpec, Transport } from '../transport.ts';
import { resolveWebSocketOptions } from './options.ts';
import { WebSocketConnection } from './web-socket-connection.ts';
import {
  type WebSocketAddress,
  WebSocketListener,
  type WebSocketListenerProtocol,
  type WebSocketListenerStart,
} from './web-socket-listener.ts';

export { TransportOptionError, WEB_SOCKET_LIMITS, type WebSocketLimits } from '../limits.ts';
export type { TlsOptions } from '../tls.ts';
export type { WebSocketAddress, WebSocketListenerProtocol } from './web-socket-listener.ts';

/** Options of `webSocket`, and any bound of `WebSocketLimits` (defaults in `WEB_SOCKET_LIMITS`). */
export interface WebSocketOptions extends Partial<WebSocketLimits> {
  /** Default `'websocket'`. */
  readonly id?: string;
  /** With 0 the system picks one; ask the listener: `system.call(webSocketListenerName(), 'address')`. */
  readonly port: number;
  /** The address to listen on. Default `'127.0.0.1'`: the machine itself only. */
  readonly host?: string;
  /** The endpoint's path. Default `'/mcp'`. */
  readonly path?: string;
  /** The hosts that a Host header may name: as `streamableHttp` has it. */
  readonly allowedHosts?: readonly string[];
  /** The origins whose pages may connect: as `streamableHttp` has it. */
  readonly allowedOrigins?: readonly string[];
  /** Default: the connection is not encrypted. */
  readonly tls?: TlsOptions;
}

/** The name of the listener of the `webSocket` transport with that id (default `'websocket'`). */
export const webSocketListenerName = (id = 'websocket'): Name<WebSocketListenerProtocol> =>
  listenerNameOf<WebSocketAddress>(id);

/**
 * MCP over WebSocket (RFC 6455; MCP, custom transports): the subprotocol is `mcp`, each text message one JSON-RPC
 * message. A process listens, named `<id>_listener`; each client has a process under the supervisor `<id>_connections`.
 *
 * An upgrade is refused, with a JSON-RPC error that says why, for its path (404), Host or Origin (403), head (431), or
 * without the subprotocol (400); what is no upgrade is answered 426. A connection is closed with
 *
 * - 1000 when it was idle for `idleTimeoutMs`, 1001 when it is stopped, after what is open has been answered,
 * - 1003 after a binary message, 1007 after one that is not UTF-8, 1009 after one past `messageBytesMax`,
 * - 1008 past `connectionsPerAddressMax`, 1013 past `connectionsMax` or when file descriptors run out,
 * - 1011 when its process fails;
 *
 * without a code if the client answers no ping, or leaves more than `queuedBytesMax` unread:
 * `{ shutdown: { slow_reader } }`.
 * A client is not read while it does not take what is sent to it, or has `openExchangesMax` exchanges open.
 * With `tls.clientCa` the subject of the certificate of a client is the `principal` of its connection.
 *
 * If it cannot listen the start fails with `{ listen: { code, host, port, message } }`; with an endpoint that cannot be
 * loaded, with an error whose code is `ERR_ENDPOINT`. Throws `TransportOptionError` (`ERR_TRANSPORT_OPTION`) at once if
 * an option is not what it must be.
 */
export function webSocket(options: WebSocketOptions): Transport {
  const { id = 'websocket', port, host = '127.0.0.1', tls } = options;
  checkPort(port);
  checkHost(host);
  const limits = resolveLimits(WEB_SOCKET_LIMITS, options);
  if (tls !== undefined) serverTls(tls, limits.handshakeTimeoutMs);
  const resolved = resolveWebSocketOptions(options, tls);
  return {
    id,
    childSpec(endpoint: EndpointSpec): ChildSpec {
      const start: WebSocketListenerStart = { id, at: { host, port }, endpoint, limits, options: resolved };
      return supervisor(id, { strategy: 'rest_for_one' }, [
        connectionSupervisor(id, WebSocketConnection, { endpoint, limits }),
        child(WebSocketListener, start, { id: 'listener', name: webSocketListenerName(id) }),
      ]);
    },
  };
}
