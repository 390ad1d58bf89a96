import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Server as GrpcServer } from '@grpc/grpc-js';
import { type Clock, type Context, type GenServer, genServer } from '../../runtime/index.ts';
import { descriptorOf } from '../descriptors.ts';
import { type GrpcLimits, REFUSED_CONNECTIONS_MAX } from '../limits.ts';
import { type ListenerProtocol, type ListenerStart, listenerServer, type Openable } from '../listener.ts';
import type { Reception } from '../reception.ts';
import { remoteEndOf, serverTls, type TlsOptions } from '../tls.ts';
import { type GrpcCall, GrpcPeer, streamOf } from './grpc-peer.ts';
import { connectMethod, loadGrpc } from './library.ts';
import { SessionPings } from './session-ping.ts';

/** Where a listener is bound. */
export interface GrpcAddress {
  readonly host: string;
  readonly port: number;
  /** `host:port`, as gRPC clients want it. */
  readonly target: string;
}

/** What `<id>_listener` of a `grpc` transport understands. */
export type GrpcListenerProtocol = ListenerProtocol<GrpcAddress>;

export interface GrpcListenerStart extends ListenerStart {
  readonly limits: GrpcLimits;
  readonly tls: TlsOptions | undefined;
}

/** Owns the listening socket of one `grpc` transport; connections live beside it. Internal. */
export const GrpcListener: GenServer<GrpcListenerProtocol, GrpcListenerStart> = genServer(
  import.meta,
  'GrpcListener',
  listenerServer<GrpcListenerStart, GrpcAddress>(open),
);

/** Milliseconds that a timer of Node.js can wait: how long sessions that were told to end may take, if need be. */
const FOREVER_MS = 2 ** 31 - 1;
/** The field and its length, around a text. */
const FRAMING_BYTES = 6;

/**
 * A server of `node:net` takes the sockets, as for every transport, and the library gets them: so the port is bound,
 * and bound again after a crash, by our rules, and it is known whose certificate a call came with.
 */
function open({ limits, tls }: GrpcListenerStart, reception: Reception, ctx: Context): Openable<GrpcAddress> {
  const grpc = loadGrpc();
  const library = createLibraryServer(limits);
  const injector = library.createConnectionInjector(grpc.ServerCredentials.createInsecure());
  const sockets = new Map<string, Socket>();
  const pings = new SessionPings(limits.pingIntervalMs, ctx.clock);
  library.addService(
    { Connect: connectMethod },
    {
      Connect: (call: GrpcCall) => {
        const socket = sockets.get(call.getPeer());
        const session = streamOf(call)?.session;
        if (session !== undefined) pings.watch(session);
        const peer = new GrpcPeer(call, new grpc.Metadata(), socket === undefined ? {} : remoteEndOf(socket), limits);
        reception.welcome(peer, socket && descriptorOf(socket));
      },
    },
  );
  const server = createSocketServer(limits, tls, (socket) => {
    const from = `${socket.remoteAddress}:${socket.remotePort}`;
    sockets.set(from, socket);
    socket.once('close', () => sockets.delete(from));
    cutOffSilent(socket, limits.handshakeTimeoutMs, ctx.clock);
    socket.setKeepAlive(true, limits.pingIntervalMs); // for sessions that cannot be pinged
    injector.injectConnection(socket);
  });
  return {
    server,
    stopListening: () => {
      server.close();
      injector.drain(FOREVER_MS); // GOAWAY: who has a call goes on with it, and makes the next elsewhere
    },
    address: ({ host, port, authority }) => ({ host, port, target: authority }),
  };
}

function createLibraryServer(limits: GrpcLimits): GrpcServer {
  const { Server } = loadGrpc();
  return new Server({
    'grpc.max_receive_message_length': limits.messageBytesMax + FRAMING_BYTES,
    'grpc.max_concurrent_streams': limits.connectionsMax,
    'grpc.max_connection_idle_ms': limits.idleTimeoutMs,
    'grpc.enable_channelz': 0,
  });
}

function createSocketServer(limits: GrpcLimits, tls: TlsOptions | undefined, accept: (socket: Socket) => void): Server {
  const server =
    tls === undefined
      ? createServer({ noDelay: true }, accept)
      : createTlsServer({ ...serverTls(tls, limits.handshakeTimeoutMs), ALPNProtocols: ['h2'] }, accept);
  server.maxConnections = limits.connectionsMax + REFUSED_CONNECTIONS_MAX;
  server.on('tlsClientError', (_error, socket: Socket) => socket.destroy());
  return server;
}

/** A client that has sent nothing in the time of a handshake has not come to talk. */
function cutOffSilent(socket: Socket, timeoutMs: number, clock: Clock): void {
  const timer = clock.setTimer(() => {
    if (socket.bytesRead === 0) socket.destroy();
  }, timeoutMs);
  socket.once('close', () => clock.clearTimer(timer));
}
