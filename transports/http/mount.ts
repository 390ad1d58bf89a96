import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import { type ChildSpec, child, type System, supervisor } from '../../runtime/index.ts';
import { connectionSupervisor } from '../connections.ts';
import type { EndpointSpec, Transport } from '../transport.ts';
import { HttpConnection } from './http-connection.ts';
import { HttpPeer, type HttpSettings } from './http-peer.ts';
import { MountListener, type MountListenerStart, mountListenerName } from './mount-listener.ts';
import { type HttpOptions, type ResolvedHttpOptions, resolveHttpOptions, rulesOf } from './options.ts';
import type { Rules } from './rules.ts';

/** An HTTP transport without a socket of its own. */
export interface MountedHttp extends Transport {
  /**
   * What a `node:http` server of the program calls with the requests for the endpoint, all of them or those of its
   * path. While the transport does not run in that system, they are answered 503.
   */
  handler(system: System): RequestListener;
}

/**
 * Streamable HTTP under a `node:http` server that the program has already:
 *
 *     const mcp = mountHttp({ path: '/mcp' });
 *     const system = await startSystem({ children: [mcpNode('mcp', { servers, transports: [mcp] })] });
 *     http.createServer(mcp.handler(system)).listen(8080);
 *
 * Options: `HttpOptions`; the bounds on heads, timeouts and keep-alive are those of the program's server instead.
 * Each socket gets a process at its first request for the endpoint. The socket stays the server's: when the process
 * ends in order, the socket is left open; when it fails or is killed, only its open requests are cut off.
 *
 * Throws `TransportOptionError` (`ERR_TRANSPORT_OPTION`).
 */
export function mountHttp(options: HttpOptions = {}): MountedHttp {
  const resolved = resolveHttpOptions(options);
  const rules = rulesOf(resolved);
  return {
    id: resolved.id,
    childSpec(endpoint: EndpointSpec): ChildSpec {
      const { id, limits } = resolved;
      rules.publish(endpoint.documents ?? {});
      const start: MountListenerStart = { options: resolved, endpoint };
      return supervisor(id, { strategy: 'rest_for_one' }, [
        connectionSupervisor(id, HttpConnection, { endpoint, limits }),
        child(MountListener, start, { id: 'listener', name: mountListenerName(id) }),
      ]);
    },
    handler: (system) => handlerFor(system, resolved, rules),
  };
}

function handlerFor(system: System, options: ResolvedHttpOptions, rules: Rules): RequestListener {
  const settings: HttpSettings = { rules, limits: options.limits, ownsSockets: false };
  const listener = mountListenerName(options.id);
  const peers = new WeakMap<Socket, HttpPeer>();
  return (request, response) => {
    let peer = peers.get(request.socket);
    if (peer === undefined || peer.isGone) {
      peer = new HttpPeer(request.socket, settings);
      peers.set(request.socket, peer);
      try {
        system.send(listener, 'adopt', peer);
      } catch {
        peer.turnAway('unavailable'); // no such process, or no system: what 503 says
      }
    }
    peer.request(request, response);
  };
}
