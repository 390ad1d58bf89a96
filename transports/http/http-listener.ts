import { createServer, type Server } from 'node:http';
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net';
import {
  type Call,
  type Context,
  type GenServer,
  genServer,
  type Name,
  name,
  noreply,
  reply,
  stop,
  stopInit,
} from '../../runtime/index.ts';
import { loadEndpoint } from '../endpoint.ts';
import { type HttpLimits, LISTEN_BACKLOG, REFUSED_CONNECTIONS_MAX } from '../limits.ts';
import type { EndpointSpec } from '../transport.ts';
import { HttpPeer, type HttpSettings } from './http-peer.ts';
import { type ResolvedHttpOptions, rulesOf } from './options.ts';
import { Reception } from './reception.ts';
import type { Refusal } from './refusal.ts';
import * as refusals from './refusal.ts';

/** Where a listener is bound. */
export interface HttpAddress {
  readonly host: string;
  readonly port: number;
  /** The endpoint's URL, on that host and port. */
  readonly url: string;
}

/** What `<id>_listener` understands. */
export interface HttpListenerProtocol {
  readonly call: { readonly address: Call<void, HttpAddress> };
  readonly info: { readonly server_error: NodeJS.ErrnoException };
}

export interface HttpListenerStart {
  readonly options: ResolvedHttpOptions;
  readonly host: string;
  readonly port: number;
  readonly endpoint: EndpointSpec;
}

interface Listener {
  readonly address: HttpAddress;
  readonly reception: Reception;
}

export const listenerName = (id: string): Name<HttpListenerProtocol> => name(`${id}_listener`);

/** Owns the listening socket of one `streamableHttp`; connections live beside it. Internal. */
export const HttpListener: GenServer<HttpListenerProtocol, HttpListenerStart> = genServer(import.meta, 'HttpListener', {
  async init(start: HttpListenerStart, ctx) {
    await loadEndpoint(start.endpoint); // a wrong one must fail the start, not every connection
    const { id, limits } = start.options;
    const reception = new Reception(ctx, id, limits.connectionsMax);
    await reception.recount();
    const server = createHttpServer(start.options, reception);
    ctx.openPort({ close: () => stopListening(server) });
    try {
      return { reception, address: await listen(server, start, ctx) };
    } catch (error) {
      const { code = 'ERR_LISTEN', message, port } = error as NodeJS.ErrnoException & { port?: number };
      return stopInit({ listen: { code, host: start.host, port: port ?? start.port, message } });
    }
  },
  handleCall: {
    address: (listener: Listener) => reply(listener.address, listener),
  },
  handleInfo: {
    server_error: (listener: Listener, { code = 'ERR_LISTEN', message }) =>
      stop({ listen: { code, host: listener.address.host, port: listener.address.port, message } }, listener),
    DOWN: (listener: Listener, { ref }) => {
      listener.reception.left(ref);
      return noreply(listener);
    },
  },
});

function createHttpServer(options: ResolvedHttpOptions, reception: Reception): Server {
  const { limits } = options;
  const settings: HttpSettings = { rules: rulesOf(options), limits, ownsSockets: true };
  const peers = new WeakMap<Socket, HttpPeer>();
  const server = createServer({
    maxHeaderSize: limits.headerBytesMax,
    headersTimeout: Math.min(limits.headersTimeoutMs, limits.requestTimeoutMs), // the head is part of the request
    requestTimeout: limits.requestTimeoutMs,
    connectionsCheckingInterval: limits.timeoutCheckMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    noDelay: true,
  });
  server.maxHeadersCount = 0; // the rules refuse too many; Node.js would drop them silently
  server.maxConnections = limits.connectionsMax + REFUSED_CONNECTIONS_MAX;
  server.on('connection', (socket: Socket) => {
    const peer = new HttpPeer(socket, settings);
    peers.set(socket, peer);
    reception.welcome(peer);
  });
  server.on('request', (request, response) => peers.get(request.socket)?.request(request, response));
  server.on('checkContinue', (request, response) => {
    // The client waits with its body: what the rules refuse is never sent.
    const peer = peers.get(request.socket);
    if (peer?.wouldRefuse(request) === false) response.writeContinue();
    peer?.request(request, response);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const peer = peers.get(socket as Socket);
    if (peer === undefined || !socket.writable) socket.destroy();
    else peer.clientError(refusalOf(error.code, limits));
  });
  return server;
}

function refusalOf(code: string | undefined, limits: HttpLimits): Refusal {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return refusals.requestTimeout;
  if (code === 'HPE_HEADER_OVERFLOW') return refusals.headersTooLarge(limits.headersMax, limits.headerBytesMax);
  return refusals.malformedRequest;
}

/** A listener of port 0 that was restarted takes the port it had: its clients know no other. */
async function listen(
  server: Server,
  start: HttpListenerStart,
  ctx: Context<HttpListenerProtocol>,
): Promise<HttpAddress> {
  const { id, path } = start.options;
  const tableName = `${id}_address`;
  // The heir is the first process of the system: a restart of any tier above must not change the port.
  const heir = ctx.whereis(name('init'));
  const bound =
    ctx.table<'port', number>(tableName) ??
    ctx.newTable<'port', number>(tableName, { access: 'public', ...(heir && { heir }) });
  const port = start.port === 0 ? (bound.get('port') ?? 0) : start.port;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host: start.host, backlog: LISTEN_BACKLOG }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  server.on('error', (error) => {
    if (ctx.isAlive(ctx.self)) ctx.send(ctx.self, 'server_error', error);
  });
  const { address, port: boundPort, family } = server.address() as AddressInfo;
  bound.set('port', boundPort);
  const host = family === 'IPv6' ? `[${address}]` : address;
  return { host: address, port: boundPort, url: `http://${host}:${boundPort}${path}` };
}

/**
 * Takes no more connections; those there are live on, each with its own process, under the same timeouts. The close of
 * `http.Server` would end idle ones and stop its timeout checks, so it comes when the last of them has gone.
 */
function stopListening(server: Server): void {
  server.once('close', () => server.close());
  NetServer.prototype.close.call(server);
}
