/** Streamable HTTP over HTTP/2: the public names of `beamish/transports/http2`. */
import { type ChildSpec, child, type Name, supervisor } from '../../runtime/index.ts';
import { connectionSupervisor } from '../connections.ts';
import { HttpConnection } from '../http/http-connection.ts';
import type { HttpAddress, HttpListenerProtocol } from '../http/http-listener.ts';
import { type HttpOptions, resolveHttpOptions } from '../http/options.ts';
import { HTTP2_LIMITS, type Http2Limits, resolveLimits } from '../limits.ts';
import { listenerNameOf } from '../listener.ts';
import { checkHost, checkPort } from '../socket-options.ts';
import { serverTls, type TlsOptions } from '../tls.ts';
import type { EndpointSpec, Transport } from '../transport.ts';
import { Http2Listener, type Http2ListenerStart } from './http2-listener.ts';

export type { HttpAddress, HttpListenerProtocol } from '../http/http-listener.ts';
export type { HttpOptions } from '../http/options.ts';
export { HTTP2_LIMITS, type Http2Limits, TransportOptionError } from '../limits.ts';
export type { TlsOptions } from '../tls.ts';

/** The name of the listener of the `streamableHttp2` transport with that id (default `'http2'`). */
export const http2ListenerName = (id = 'http2'): Name<HttpListenerProtocol> => listenerNameOf<HttpAddress>(id);

/** Options of `streamableHttp2`: where and how to listen, `HttpOptions`, and any bound of `Http2Limits`. */
export interface StreamableHttp2Options extends HttpOptions, Partial<Http2Limits> {
  /** Default `'http2'`. */
  readonly id?: string;
  /** Default 3000. With 0 the system picks one; ask the listener: `system.call(http2ListenerName(), 'address')`. */
  readonly port?: number;
  /** The address to listen on. Default `'127.0.0.1'`: the machine itself only. */
  readonly host?: string;
  /**
   * Certificate, key, and the authorities of clients (mutual TLS). Clients choose HTTP/2 by ALPN. Default: no TLS;
   * clients must know beforehand that HTTP/2 is spoken here (RFC 9113, section 3.3), which browsers never do.
   */
  readonly tls?: TlsOptions;
  /** Whether clients that speak HTTP/1.1 are served too, on the same port, with the bounds of HTTP. Default true. */
  readonly allowHttp1?: boolean;
}

/**
 * Streamable HTTP (MCP, transports) over HTTP/2 (RFC 9113), and over HTTP/1.1 for who speaks that, on one port. The
 * rules, refusals and forms of answer are those of `streamableHttp`. A process listens, named `<id>_listener`; each
 * session of HTTP/2 has one process under `<id>_connections`, its streams are exchanges of that process, at most
 * `openExchangesMax` at one time.
 *
 * Stopped, it takes no more sessions, sends GOAWAY, finishes what is open (up to `drainTimeoutMs`), and closes. A
 * client that resets (`resetsMax`) or pings (`controlFramesMax`) too much loses its session (ENHANCE_YOUR_CALM); one
 * that does not read its event streams too (`queuedBytesMax`); the answers to one that does not read them wait.
 *
 * If it cannot listen the start fails with `{ listen: { code, host, port, message } }`; with an endpoint that cannot be
 * loaded, with an error whose code is `ERR_ENDPOINT`. Throws `TransportOptionError` (`ERR_TRANSPORT_OPTION`) at once if
 * an option is not what it must be.
 */
export function streamableHttp2(options: StreamableHttp2Options = {}): Transport {
  const { id = 'http2', port = 3000, host = '127.0.0.1', tls, allowHttp1 = true } = options;
  const resolved = resolveHttpOptions({ ...options, id });
  const limits = resolveLimits(HTTP2_LIMITS, options);
  checkPort(port);
  checkHost(host);
  if (tls !== undefined) serverTls(tls, limits.headersTimeoutMs);
  return {
    id,
    childSpec(endpoint: EndpointSpec): ChildSpec {
      const start: Http2ListenerStart = {
        id,
        at: { host, port },
        endpoint,
        limits,
        options: resolved,
        tls,
        allowHttp1,
      };
      return supervisor(id, { strategy: 'rest_for_one' }, [
        connectionSupervisor(id, HttpConnection, { endpoint, limits }),
        child(Http2Listener, start, { id: 'listener', name: http2ListenerName(id) }),
      ]);
    },
  };
}
