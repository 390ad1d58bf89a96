import { readFileSync } from 'node:fs';
import { type Call, name, type System } from '../runtime/index.ts';
import type { Transport } from '../transports/transport.ts';
import type { ServeSockets } from './arguments.ts';

/** What every listener answers. */
interface Listener {
  readonly call: { readonly address: Call<void, { readonly url: string }> };
}

/**
 * The transports of a command line that listen; each is loaded only if it is asked for.
 *
 * @throws an error that says which file, path or port, or what in it, cannot be used.
 */
export async function socketTransports({ host, http, tcp, webSocket, tls }: ServeSockets): Promise<Transport[]> {
  const files = tls && { tls: { cert: readFileSync(tls.cert), key: readFileSync(tls.key) } };
  const transports: Transport[] = [];
  if (http?.http2 === true) {
    const { streamableHttp2 } = await import('../transports/http2/index.ts');
    transports.push(streamableHttp2({ id: 'http', host, port: http.port, ...files }));
  } else if (http !== undefined) {
    const { streamableHttp } = await import('../transports/http/index.ts');
    transports.push(streamableHttp({ host, port: http.port }));
  }
  if (tcp !== undefined) {
    const { tcp: lines } = await import('../transports/tcp/index.ts');
    transports.push(lines({ ...(typeof tcp === 'string' ? { path: tcp } : { host, port: tcp }), ...files }));
  }
  if (webSocket !== undefined) {
    const sockets = await import('../transports/websocket/index.ts');
    transports.push(sockets.webSocket({ host, port: webSocket, ...files }));
  }
  return transports;
}

/** Where each of them listens, in the same order. */
export function addresses(system: System, transports: readonly Transport[]): Promise<{ readonly url: string }[]> {
  return Promise.all(transports.map(({ id }) => system.call(name<Listener>(`${id}_listener`), 'address')));
}
