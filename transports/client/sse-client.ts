import { child } from '../../runtime/index.ts';
import type { ClientTransport } from '../client-transport.ts';
import { resolveLimits, SOCKET_CLIENT_LIMITS, type SocketClientLimits } from '../limits.ts';
import { SseCarrier, type SseCarrierStart } from './sse-carrier.ts';
import { readUrl } from './url.ts';

/** Options of `sseClient`: where the server is, and any bound of `SocketClientLimits`. */
export interface SseClientOptions extends Partial<SocketClientLimits> {
  /** The address of the event stream, `http:` or `https:`. */
  readonly url: string | URL;
  /** Headers of every request, such as `authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * A server over HTTP+SSE, the transport of revision 2024-11-05, for servers that have nothing newer. Messages go only
 * to the origin of `url`, whatever address the server names. Redirects are not followed.
 *
 * Throws `TransportOptionError` (`ERR_TRANSPORT_OPTION`) if an option is not what it must be.
 */
export function sseClient(options: SseClientOptions): ClientTransport {
  const { url, headers } = readUrl(options, ['http:', 'https:']);
  const start: SseCarrierStart = { url, headers, target: url, limits: resolveLimits(SOCKET_CLIENT_LIMITS, options) };
  return {
    kind: 'stream',
    target: url,
    carrier: child(SseCarrier, start as never, { id: 'carrier', restart: 'temporary' }),
  };
}
