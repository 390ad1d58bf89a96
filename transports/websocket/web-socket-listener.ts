import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { type GenServer, genServer } from '../../runtime/index.ts';
import { descriptorOf } from '../descriptors.ts';
import { refuse } from '../http/http-exchange.ts';
import { isLoopbackAddress } from '../http/origin.ts';
import { type Refusal, rawResponse, subprotocolRequired, upgradeRequired } from '../http/refusal.ts';
import type { Rules } from '../http/rules.ts';
import { CLOSE_TIMEOUT_MS, REFUSED_CONNECTIONS_MAX, type WebSocketLimits } from '../limits.ts';
import { type ListenerProtocol, type ListenerStart, listenerServer, type Openable } from '../listener.ts';
import type { Reception } from '../reception.ts';
import { serverTls, type TlsOptions } from '../tls.ts';
import { type ResolvedWebSocketOptions, rulesOf } from './options.ts';
import { WebSocketPeer } from './web-socket-peer.ts';

/** Where a listener is bound. */
export interface WebSocketAddress {
  readonly host: string;
  readonly port: number;
  /** The endpoint's URL, on that host and port. */
  readonly url: string;
}

/** What `<id>_listener` of a `webSocket` transport understands. */
export type WebSocketListenerProtocol = ListenerProtocol<WebSocketAddress>;

export interface WebSocketListenerStart extends ListenerStart {
  readonly limits: WebSocketLimits;
  readonly options: ResolvedWebSocketOptions;
}

/** The subprotocol of MCP, as its clients offer it. */
export const SUBPROTOCOL = 'mcp';

/** Owns the listening socket of one `webSocket`; connections live beside it. Internal. */
export const WebSocketListener: GenServer<WebSocketListenerProtocol, WebSocketListenerStart> = genServer(
  import.meta,
  'WebSocketListener',
  listenerServer<WebSocketListenerStart, WebSocketAddress>(open),
);

function open({ options, limits }: WebSocketListenerStart, reception: Reception): Openable<WebSocketAddress> {
  const { path, tls } = options;
  const server = createHttpServer(limits, tls);
  const webSockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false, // a compressor per connection takes 300 KiB
    maxPayload: limits.messageBytesMax,
    closeTimeout: CLOSE_TIMEOUT_MS,
    handleProtocols: () => SUBPROTOCOL,
  } as ConstructorParameters<typeof WebSocketServer>[0]);
  const rules = rulesOf(options, limits);
  server.on('request', (request, response) => {
    const refusal = rules.checkPlace(request, isLoopbackAddress(request.socket.localAddress)) ?? upgradeRequired;
    refuse(response, { ...refusal, close: true }, []);
  });
  server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    const socket = stream as Socket;
    const refusal = refusalOf(request, socket, rules);
    if (refusal !== undefined) {
      socket.on('error', ignored).end(rawResponse(refusal));
      socket.destroySoon();
      return;
    }
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      reception.welcome(new WebSocketPeer(webSocket, socket, limits), descriptorOf(socket));
    });
  });
  return {
    server,
    stopListening: () => {
      server.close();
      server.closeAllConnections(); // those that have not become WebSockets
    },
    address: ({ host, port, authority }) => {
      return { host, port, url: `${tls === undefined ? 'ws' : 'wss'}://${authority}${path}` };
    },
  };
}

function createHttpServer(limits: WebSocketLimits, tls: TlsOptions | undefined): Server {
  const { handshakeTimeoutMs } = limits;
  const options = {
    maxHeaderSize: limits.headerBytesMax,
    headersTimeout: handshakeTimeoutMs,
    requestTimeout: handshakeTimeoutMs,
    connectionsCheckingInterval: Math.ceil(handshakeTimeoutMs / 10),
    noDelay: true,
  };
  const server =
    tls === undefined
      ? createServer(options)
      : createSecureServer({ ...options, ...serverTls(tls, handshakeTimeoutMs) }).on(
          'tlsClientError',
          (_error, socket) => socket.destroy(),
        );
  server.maxHeadersCount = 0; // the rules refuse too many; Node.js would drop them silently
  server.maxConnections = limits.connectionsMax + REFUSED_CONNECTIONS_MAX;
  return server;
}

function refusalOf(request: IncomingMessage, socket: Socket, rules: Rules): Refusal | undefined {
  const refusal = rules.checkPlace(request, isLoopbackAddress(socket.localAddress));
  if (refusal !== undefined) return refusal;
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((each) => each.trim());
  return offered.includes(SUBPROTOCOL) ? undefined : subprotocolRequired;
}

/** A client that has left while it was refused. */
function ignored(): void {}
