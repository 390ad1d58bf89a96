import { child } from '../../runtime/index.ts';
import type { ClientTransport } from '../client-transport.ts';
import { HTTP_CLIENT_LIMITS, type HttpClientLimits, resolveLimits } from '../limits.ts';
import { HttpCarrier } from './http-carrier.ts';
import { sseClient } from './sse-client.ts';
import { readUrl } from './url.ts';

/** Options of `httpClient`: where the server is, and any bound of `HttpClientLimits`. */
export interface HttpClientOptions extends Partial<HttpClientLimits> {
  /** The address of the MCP endpoint, `http:` or `https:`. */
  readonly url: string | URL;
  /** Headers of every request, such as `authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * A server over Streamable HTTP, with keep-alive, on `node:http` and `node:https`. No timeout of its own ends a
 * response: work may take long, and a listening stream never ends; requests have deadlines in the client.
 * Redirects are not followed. A client that negotiates falls back to HTTP+SSE (`sseClient`) at the same address if the
 * server has nothing newer.
 *
 * Throws `TransportOptionError` (`ERR_TRANSPORT_OPTION`) if an option is not what it must be.
 */
export function httpClient(options: HttpClientOptions): ClientTransport {
  const { url, headers } = readUrl(options, ['http:', 'https:']);
  const limits = resolveLimits(HTTP_CLIENT_LIMITS, options);
  const start = { url, headers, limits };
  return {
    kind: 'http',
    target: url,
    carrier: child(HttpCarrier, start as never, { id: 'carrier', restart: 'temporary' }),
    older: sseClient(options),
  };
}
