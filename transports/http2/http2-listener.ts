import { createServer, type Server } from 'node:http';
import { performServerHandshake, type ServerOptions } from 'node:http2';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { type Context, type GenServer, genServer } from '../../runtime/index.ts';
import { descriptorOf } from '../descriptors.ts';
import type { HttpAddress, HttpListenerProtocol } from '../http/http-listener.ts';
import { http1Options, receiveHttp1, stopListening } from '../http/http1-server.ts';
import { type ResolvedHttpOptions, rulesOf } from '../http/options.ts';
import type { Http2Limits } from '../limits.ts';
import { type ListenerStart, listenerServer, type Openable } from '../listener.ts';
import type { Reception } from '../reception.ts';
import { serverTls, type TlsOptions } from '../tls.ts';
import { listenToFirstBytes } from './first-bytes.ts';
import { Http2Peer, type Http2Settings } from './http2-peer.ts';

export interface Http2ListenerStart extends ListenerStart {
  readonly options: ResolvedHttpOptions;
  readonly limits: Http2Limits;
  readonly tls: TlsOptions | undefined;
  readonly allowHttp1: boolean;
}

/** Owns the listening socket of one `streamableHttp2`; connections live beside it. Internal. */
export const Http2Listener: GenServer<HttpListenerProtocol, Http2ListenerStart> = genServer(
  import.meta,
  'Http2Listener',
  listenerServer<Http2ListenerStart, HttpAddress>(open),
);

/**
 * One server of `node:http`, which takes the sockets. Those that speak HTTP/2 get a session and never reach it; the
 * others are its own, with all its bounds.
 */
function open(start: Http2ListenerStart, reception: Reception, ctx: Context): Openable<HttpAddress> {
  const { options, limits, tls, allowHttp1 } = start;
  const rules = rulesOf(options);
  rules.publish(start.endpoint.documents ?? {});
  const settings: Http2Settings = { rules, limits, clock: ctx.clock };
  const sessions = sessionOptions(limits);
  const server = createHttp1Server(start);
  const receive = receiveHttp1(server, { ...settings, ownsSockets: true }, reception);
  const event = tls === undefined ? 'connection' : 'secureConnection';
  const [takeSocket] = server.listeners(event) as [(this: Server, socket: Socket) => void];
  server.removeAllListeners(event);
  const accept = (socket: Socket, protocol: string): void => {
    if (protocol === 'h2') {
      socket.allowHalfOpen = false; // as on a server of node:http2: a client that has ended its half has left
      reception.welcome(
        new Http2Peer(performServerHandshake(socket, sessions), socket, settings),
        descriptorOf(socket),
      );
    } else if (allowHttp1) {
      takeSocket.call(server, socket);
      receive(socket);
    } else {
      socket.destroy();
    }
  };
  if (tls === undefined) {
    server.on('connection', (socket) =>
      listenToFirstBytes(socket, limits.headersTimeoutMs, ctx.clock, (protocol) => accept(socket, protocol)),
    );
  } else {
    server.on('secureConnection', (socket: TLSSocket) => accept(socket, socket.alpnProtocol || 'http/1.1'));
    server.on('tlsClientError', (_error, socket: Socket) => socket.destroy());
  }
  const scheme = tls === undefined ? 'http' : 'https';
  return {
    server,
    stopListening: () => stopListening(server),
    address: ({ host, port, authority }) => ({ host, port, url: `${scheme}://${authority}${options.path}` }),
  };
}

function createHttp1Server({ limits, tls, allowHttp1 }: Http2ListenerStart): Server {
  if (tls === undefined) return createServer(http1Options(limits));
  const ALPNProtocols = allowHttp1 ? ['h2', 'http/1.1'] : ['h2'];
  return createTlsServer({ ...http1Options(limits), ...serverTls(tls, limits.headersTimeoutMs), ALPNProtocols });
}

const PSEUDO_FIELDS = 4;
const BYTES_PER_MEGABYTE = 1_000_000;
/** Frames that make no sense, and streams beyond the bound, that a session survives. */
const FAULTS_MAX = 100;

function sessionOptions(limits: Http2Limits): ServerOptions {
  const { openExchangesMax, headerBytesMax, headersMax, queuedBytesMax } = limits;
  return {
    settings: {
      enablePush: false,
      maxConcurrentStreams: openExchangesMax,
      maxHeaderListSize: headerBytesMax,
    },
    // Twice, so that the rules can say what is wrong with a little too many; beyond that the stream is reset.
    maxHeaderListPairs: headersMax * 2 + PSEUDO_FIELDS,
    maxSessionInvalidFrames: FAULTS_MAX,
    maxSessionRejectedStreams: FAULTS_MAX,
    maxSessionMemory: 10 + Math.ceil((queuedBytesMax * 2) / BYTES_PER_MEGABYTE),
  };
}
