import { child } from '../../runtime/index.ts';
import type { ClientTransport } from '../client-transport.ts';
import { resolveLimits, WEB_SOCKET_CLIENT_LIMITS, type WebSocketClientLimits } from '../limits.ts';
import { clientTls, type TlsClientOptions } from '../tls.ts';
import { readUrl } from './url.ts';
import { WebSocketCarrier, type WebSocketCarrierStart } from './web-socket-carrier.ts';

/** Options of `webSocketClient`: where the server is, and any bound of `WebSocketClientLimits`. */
export interface WebSocketClientOptions extends Partial<WebSocketClientLimits> {
  /** The address of the MCP endpoint, `ws:` or `wss:`. */
  readonly url: string | URL;
  /** Headers of the upgrade request, such as `authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Default for `wss:`: TLS 1.3 with the authorities of Node.js. */
  readonly tls?: TlsClientOptions;
}

/**
 * A server over WebSocket, with the subprotocol `mcp`, on `ws`. A server that is silent for `pingIntervalMs` is asked
 * whether it is there, and taken for gone if it does not answer within as long again.
 *
 * Throws `TransportOptionError` (`ERR_TRANSPORT_OPTION`) if an option is not what it must be.
 */
export function webSocketClient(options: WebSocketClientOptions): ClientTransport {
  const { url, headers } = readUrl(options, ['ws:', 'wss:']);
  const { tls } = options;
  if (tls !== undefined) clientTls(tls);
  const limits = resolveLimits(WEB_SOCKET_CLIENT_LIMITS, options);
  const secure = url.startsWith('wss:') ? (tls ?? {}) : undefined;
  const start: WebSocketCarrierStart = { url, headers, tls: secure, target: url, limits };
  return {
    kind: 'stream',
    target: url,
    carrier: child(WebSocketCarrier, start as never, { id: 'carrier', restart: 'temporary' }),
  };
}
