/** HTTP+SSE, the transport of revision 2024-11-05: the public names of `beamish/transports/sse`. */
import { type ChildSpec, child, type Name, supervisor } from '../../runtime/index.ts';
import { connectionSupervisor } from '../connections.ts';
import { resolveLimits, SSE_LIMITS, type SseLimits } from '../limits.ts';
import { listenerNameOf } from '../listener.ts';
import { checkHost, checkPort } from '../socket-options.ts';
import type { EndpointSpec, Transport } from '../transport.ts';
import { resolveSseOptions } from './options.ts';
import { SseConnection } from './sse-connection.ts';
import { type SseAddress, SseListener, type SseListenerProtocol, type SseListenerStart } from './sse-listener.ts';

export { SSE_LIMITS, type SseLimits, TransportOptionError } from '../limits.ts';
export type { SseAddress, SseListenerProtocol } from './sse-listener.ts';

/** Options of `sse`, and any bound of `SseLimits` (defaults in `SSE_LIMITS`). */
export interface SseOptions extends Partial<SseLimits> {
  /** Default `'sse'`. */
  readonly id?: string;
  /** With 0 the system picks one; ask the listener: `system.call(sseListenerName(), 'address')`. */
  readonly port: number;
  /** The address to listen on. Default `'127.0.0.1'`: the machine itself only. */
  readonly host?: string;
  /** Where clients open the event stream. Default `'/sse'`. */
  readonly path?: string;
  /** Where clients send their messages: the server tells them. Default `'/messages'`. */
  readonly messagePath?: string;
  /** The hosts that a Host header may name: as `streamableHttp` has it. */
  readonly allowedHosts?: readonly string[];
  /** The origins whose pages may call: as `streamableHttp` has it. */
  readonly allowedOrigins?: readonly string[];
}

/** The name of the listener of the `sse` transport with that id (default `'sse'`). */
export const sseListenerName = (id = 'sse'): Name<SseListenerProtocol> => listenerNameOf<SseAddress>(id);

/**
 * HTTP+SSE (MCP 2024-11-05, transports), for clients that know nothing newer: a client opens an event stream (GET),
 * whose first event `endpoint` names the address, with a session id that cannot be guessed, to which it sends its
 * messages (POST, 202); what the server says comes as events. Deprecated since 2025-03-26: prefer `streamableHttp`.
 *
 * A process listens, named `<id>_listener`; each event stream has a process under the supervisor `<id>_connections`,
 * and ends with it. Requests are refused, with a JSON-RPC error that says why, for their path (404), Host or Origin
 * (403), method (405), media type (406, 415), size (413, 431), an unknown session (404), or when there is too much: 503
 * for a post past `openExchangesMax`, and for a stream past `connectionsMax`, `connectionsPerAddressMax` or the file
 * descriptors. A client that leaves more than `queuedBytesMax` unread is disconnected: `{ shutdown: { slow_reader } }`.
 *
 * If it cannot listen the start fails with `{ listen: { code, host, port, message } }`; with an endpoint that cannot be
 * loaded, with an error whose code is `ERR_ENDPOINT`. Throws `TransportOptionError` (`ERR_TRANSPORT_OPTION`) at once if
 * an option is not what it must be.
 */
export function sse(options: SseOptions): Transport {
  const { id = 'sse', port, host = '127.0.0.1' } = options;
  checkPort(port);
  checkHost(host);
  const limits = resolveLimits(SSE_LIMITS, options);
  const resolved = resolveSseOptions(options);
  return {
    id,
    childSpec(endpoint: EndpointSpec): ChildSpec {
      const start: SseListenerStart = { id, at: { host, port }, endpoint, limits, options: resolved };
      return supervisor(id, { strategy: 'rest_for_one' }, [
        connectionSupervisor(id, SseConnection, { endpoint, limits }),
        child(SseListener, start, { id: 'listener', name: sseListenerName(id) }),
      ]);
    },
  };
}
