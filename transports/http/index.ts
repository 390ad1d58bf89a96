/** Streamable HTTP on `node:http`: the public names of `beamish/transports/http`. */
import { type ChildSpec, child, type Name, supervisor } from '../../runtime/index.ts';
import { connectionSupervisor } from '../connections.ts';
import { TransportOptionError } from '../limits.ts';
import { listenerNameOf } from '../listener.ts';
import { checkHost, checkPort } from '../socket-options.ts';
import type { EndpointSpec, Transport } from '../transport.ts';
import { HttpConnection } from './http-connection.ts';
import { type HttpAddress, HttpListener, type HttpListenerProtocol, type HttpListenerStart } from './http-listener.ts';
import { type HttpOptions, resolveHttpOptions } from './options.ts';

export { HTTP_LIMITS, type HttpLimits, TransportOptionError } from '../limits.ts';
export type { HttpAddress, HttpListenerProtocol } from './http-listener.ts';
export { type MountedHttp, mountHttp } from './mount.ts';
export type { HttpOptions } from './options.ts';

/** The name of the listener of the transport with that id: `system.call(listenerName('http'), 'address')`. */
export const listenerName = (id: string): Name<HttpListenerProtocol> => listenerNameOf<HttpAddress>(id);

/** Options of `streamableHttp`: where to listen, and `HttpOptions`. */
export interface StreamableHttpOptions extends HttpOptions {
  /** Default 3000. With 0 the system picks one; ask the listener: `system.call(listenerName('http'), 'address')`. */
  readonly port?: number;
  /** The address to listen on. Default `'127.0.0.1'`: the machine itself only. */
  readonly host?: string;
  /**
   * Shares the port with other listeners that say so too, such as those of further processes of the program: the
   * operating system spreads new connections over them (`SO_REUSEPORT`). Default false. Node.js 22.12, 23.1 or later,
   * on Linux, FreeBSD, Solaris and AIX.
   */
  readonly reusePort?: boolean;
}

/**
 * Streamable HTTP (MCP, transports) on a socket of its own. A process listens, named `<id>_listener`; each client
 * socket has a process under the supervisor `<id>_connections`. Stopped, it first takes no more connections, then
 * finishes what is open (up to `drainTimeoutMs`).
 *
 * Requests are refused, with a JSON-RPC error that says why, for their path (404), method (405), Host or Origin
 * (403), media types (406, 415), size (413, 431), slowness (408), or when there are too many (503).
 *
 * If it cannot listen the start fails with `{ listen: { code, host, port, message } }` (`code` such as
 * `'EADDRINUSE'`, or `'ERR_REUSE_PORT'` where ports cannot be shared); with an endpoint that cannot be loaded, with an
 * error whose code is `ERR_ENDPOINT`. Throws `TransportOptionError` (`ERR_TRANSPORT_OPTION`) at once if an option is
 * not what it must be.
 */
export function streamableHttp(options: StreamableHttpOptions = {}): Transport {
  const { port = 3000, host = '127.0.0.1', reusePort = false } = options;
  const resolved = resolveHttpOptions(options);
  checkPort(port);
  checkHost(host);
  if (typeof reusePort !== 'boolean') {
    throw new TransportOptionError('reusePort', `must be true or false, not ${JSON.stringify(reusePort)}`);
  }
  const { id, limits } = resolved;
  return {
    id,
    childSpec(endpoint: EndpointSpec): ChildSpec {
      const start: HttpListenerStart = { id, at: { host, port, reusePort }, endpoint, limits, options: resolved };
      return supervisor(id, { strategy: 'rest_for_one' }, [
        connectionSupervisor(id, HttpConnection, { endpoint, limits }),
        child(HttpListener, start, { id: 'listener', name: listenerName(id) }),
      ]);
    },
  };
}
