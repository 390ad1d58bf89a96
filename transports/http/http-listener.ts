import { createServer } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import { type GenServer, genServer } from '../../runtime/index.ts';
import { descriptorOf } from '../descriptors.ts';
import { type HttpLimits, REFUSED_CONNECTIONS_MAX } from '../limits.ts';
import { type ListenerProtocol, type ListenerStart, listenerServer, type Openable } from '../listener.ts';
import type { Reception } from '../reception.ts';
import { HttpPeer, type HttpSettings } from './http-peer.ts';
import { type ResolvedHttpOptions, rulesOf } from './options.ts';
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
export type HttpListenerProtocol = ListenerProtocol<HttpAddress>;

export interface HttpListenerStart extends ListenerStart {
  readonly options: ResolvedHttpOptions;
}

/** Owns the listening socket of one `streamableHttp`; connections live beside it. Internal. */
export const HttpListener: GenServer<HttpListenerProtocol, HttpListenerStart> = genServer(
  import.meta,
  'HttpListener',
  listenerServer<HttpListenerStart, HttpAddress>(open),
);

function open({ options }: HttpListenerStart, reception: Reception): Openable<HttpAddress> {
  const { limits, path } = options;
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
    reception.welcome(peer, descriptorOf(socket));
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
  return {
    server,
    // The close of `http.Server` would end idle connections and stop its timeout checks, so it comes when the last of
    // them has gone: they live on, each with its own process, under the same timeouts.
    stopListening: () => {
      server.once('close', () => server.close());
      NetServer.prototype.close.call(server);
    },
    address: ({ host, port, authority }) => ({ host, port, url: `http://${authority}${path}` }),
  };
}

function refusalOf(code: string | undefined, limits: HttpLimits): Refusal {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return refusals.requestTimeout;
  if (code === 'HPE_HEADER_OVERFLOW') return refusals.headersTooLarge(limits.headersMax, limits.headerBytesMax);
  return refusals.malformedRequest;
}
