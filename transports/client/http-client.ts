import { child } from '../../runtime/index.ts';
import type { ClientTransport } from '../client-transport.ts';
import { HTTP_CLIENT_LIMITS, type HttpClientLimits, resolveLimits, TransportOptionError } from '../limits.ts';
import { HttpCarrier } from './http-carrier.ts';

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
 * Redirects are not followed.
 *
 * Throws `TransportOptionError` (`ERR_TRANSPORT_OPTION`) if an option is not what it must be.
 */
export function httpClient(options: HttpClientOptions): ClientTransport {
  const { url, headers = {} } = options;
  const parsed = URL.canParse(String(url)) ? new URL(url) : undefined;
  if (parsed === undefined || !['http:', 'https:'].includes(parsed.protocol)) {
    throw new TransportOptionError('url', 'must be an address that begins with http:// or https://');
  }
  const names = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  if (names.some(([, value]) => typeof value !== 'string')) {
    throw new TransportOptionError('headers', 'must be an object of texts');
  }
  const limits = resolveLimits(HTTP_CLIENT_LIMITS, options);
  const start = { url: parsed.href, headers: Object.fromEntries(names), limits };
  return {
    kind: 'http',
    target: parsed.href,
    carrier: child(HttpCarrier, start as never, { id: 'carrier', restart: 'temporary' }),
  };
}
