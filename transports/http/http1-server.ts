import type { Server, ServerOptions } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import { descriptorOf } from '../descriptors.ts';
import { type HttpLimits, REFUSED_CONNECTIONS_MAX } from '../limits.ts';
import type { Reception } from '../reception.ts';
import { HttpPeer, type HttpSettings } from './http-peer.ts';
import type { Refusal } from './refusal.ts';
import * as refusals from './refusal.ts';

/** The bounds of HTTP/1.1, in the words of `node:http`. */
export function http1Options(limits: HttpLimits): ServerOptions {
  return {
    maxHeaderSize: limits.headerBytesMax,
    headersTimeout: Math.min(limits.headersTimeoutMs, limits.requestTimeoutMs), // the head is part of the request
    requestTimeout: limits.requestTimeoutMs,
    connectionsCheckingInterval: limits.timeoutCheckMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    noDelay: true,
  };
}

/** Has a server give its requests to peers. Returns what is to be called with each socket that it takes. */
export function receiveHttp1(server: Server, settings: HttpSettings, reception: Reception): (socket: Socket) => void {
  const { limits } = settings;
  const peers = new WeakMap<Socket, HttpPeer>();
  server.maxHeadersCount = 0; // the rules refuse too many; Node.js would drop them silently
  server.maxConnections = limits.connectionsMax + REFUSED_CONNECTIONS_MAX;
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
  return (socket) => {
    const peer = new HttpPeer(socket, settings);
    peers.set(socket, peer);
    reception.welcome(peer, descriptorOf(socket));
  };
}

/**
 * Takes no more connections. The close of `http.Server` would end idle ones and stop its timeout checks, so it comes
 * when the last of them has gone: they live on, each with its own process, under the same timeouts.
 */
export function stopListening(server: Server): void {
  server.once('close', () => server.close());
  NetServer.prototype.close.call(server);
}

function refusalOf(code: string | undefined, limits: HttpLimits): Refusal {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return refusals.requestTimeout;
  if (code === 'HPE_HEADER_OVERFLOW') return refusals.headersTooLarge(limits.headersMax, limits.headerBytesMax);
  return refusals.malformedRequest;
}
