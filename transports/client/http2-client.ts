import { child } from '../../runtime/index.ts';
import type { ClientTransport } from '../client-transport.ts';
import { resolveLimits, SOCKET_CLIENT_LIMITS, type SocketClientLimits } from '../limits.ts';
import { clientTls, type TlsClientOptions } from '../tls.ts';
import { Http2Carrier, type Http2CarrierStart } from './http2-carrier.ts';
import { readUrl } from './url.ts';

/** Options of `http2Client`: where the server is, TLS, and any bound of `SocketClientLimits`. */
export interface Http2ClientOptions extends Partial<SocketClientLimits> {
  /**
   * The address of the MCP endpoint: `https:`, or `http:` for a server that is known to speak HTTP/2 there (prior
   * knowledge, RFC 9113, section 3.3).
   */
  readonly url: string | URL;
  /** Headers of every request, such as `authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Of an `https:` address. Default: the authorities of Node.js, and no certificate of our own. */
  readonly tls?: TlsClientOptions;
}

/**
 * A server over Streamable HTTP on HTTP/2: all requests are streams of one session. When that ends, the exchanges that
 * were open end with an error, and the next request makes a new session; the client decides what is repeated. A server
 * that speaks no HTTP/2 there is an error with the code `EPROTO`; there is no way back to HTTP/1.1.
 *
 * Throws `TransportOptionError` (`ERR_TRANSPORT_OPTION`) if an option is not what it must be.
 */
export function http2Client(options: Http2ClientOptions): ClientTransport {
  const target = readUrl(options, ['http:', 'https:']);
  const { tls } = options;
  if (tls !== undefined) clientTls(tls);
  const start: Http2CarrierStart = {
    url: target.url,
    headers: target.headers,
    tls,
    limits: resolveLimits(SOCKET_CLIENT_LIMITS, options),
  };
  return {
    kind: 'http',
    target: target.url,
    carrier: child(Http2Carrier, start as never, { id: 'carrier', restart: 'temporary' }),
  };
}
