import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Server as NetServer } from 'node:net';
import { type Context, type GenServer, genServer } from '../../runtime/index.ts';
import { lastingTable } from '../admission.ts';
import { descriptorOf } from '../descriptors.ts';
import { Body } from '../http/body.ts';
import { refuse } from '../http/http-exchange.ts';
import { http1Options } from '../http/http1-server.ts';
import { rulesOf } from '../http/options.ts';
import { isLoopbackAddress } from '../http/origin.ts';
import { invalidUtf8, methodNotAllowed, type Refusal, sessionNotFound } from '../http/refusal.ts';
import type { Rules } from '../http/rules.ts';
import { REFUSED_CONNECTIONS_MAX, type SseLimits } from '../limits.ts';
import { type ListenerProtocol, type ListenerStart, listenerServer, type Openable } from '../listener.ts';
import type { Reception } from '../reception.ts';
import type { ResolvedSseOptions } from './options.ts';
import { SsePeer } from './sse-peer.ts';

/** Where a listener is bound. */
export interface SseAddress {
  readonly host: string;
  readonly port: number;
  /** The URL of the event stream, on that host and port. */
  readonly url: string;
}

/** What `<id>_listener` of an `sse` transport understands. */
export type SseListenerProtocol = ListenerProtocol<SseAddress>;

export interface SseListenerStart extends ListenerStart {
  readonly limits: SseLimits;
  readonly options: ResolvedSseOptions;
}

/** The body of the answer to a post, as clients of 2024-11-05 know it. */
const ACCEPTED = 'Accepted';

/** Owns the listening socket of one `sse`; connections live beside it. Internal. */
export const SseListener: GenServer<SseListenerProtocol, SseListenerStart> = genServer(
  import.meta,
  'SseListener',
  listenerServer<SseListenerStart, SseAddress>(open),
);

/** Node.js answers one request per socket at a time; the posts of one client may come over many. */
const POST_SOCKETS_PER_STREAM = 1;

function open({ id, options, limits }: SseListenerStart, reception: Reception, ctx: Context): Openable<SseAddress> {
  const server = createServer(http1Options(limits));
  server.maxHeadersCount = 0; // the rules refuse too many; Node.js would drop them silently
  server.maxConnections = limits.connectionsMax * (1 + POST_SOCKETS_PER_STREAM) + REFUSED_CONNECTIONS_MAX;
  const service = new SseService(options, limits, reception, sessionsOf(ctx, id));
  server.on('request', (request, response) => service.serve(request, response));
  return {
    server,
    stopListening: () => {
      service.stopping = true;
      NetServer.prototype.close.call(server);
      server.closeIdleConnections(); // of posts; streams live on with their processes
    },
    address: ({ host, port, authority }) => ({ host, port, url: `http://${authority}${options.path}` }),
  };
}

/** The sessions of a transport, one map for all its listeners: streams outlive them, and leave it themselves. */
function sessionsOf(ctx: Context, id: string): Map<string, SsePeer> {
  const kept = lastingTable<'sessions', Map<string, SsePeer>>(ctx, `${id}_sessions`);
  const sessions = kept.get('sessions') ?? new Map<string, SsePeer>();
  kept.set('sessions', sessions);
  return sessions;
}

/** What one listening socket serves. Sessions are found by the next listener too, whose clients post to it. */
class SseService {
  stopping = false;
  private readonly options: ResolvedSseOptions;
  private readonly limits: SseLimits;
  private readonly reception: Reception;
  private readonly sessions: Map<string, SsePeer>;
  private readonly streamRules: Rules;
  private readonly postRules: Rules;

  constructor(options: ResolvedSseOptions, limits: SseLimits, reception: Reception, sessions: Map<string, SsePeer>) {
    this.options = options;
    this.limits = limits;
    this.reception = reception;
    this.sessions = sessions;
    this.streamRules = rulesOf({ ...options, id: '', limits });
    this.postRules = rulesOf({ ...options, path: options.messagePath, id: '', limits });
  }

  serve(request: IncomingMessage, response: ServerResponse): void {
    if (this.stopping) response.shouldKeepAlive = false;
    const isPost = request.method === 'POST';
    // What a page asks before it posts is asked where it posts.
    const isAboutPost =
      isPost || (request.method === 'OPTIONS' && request.url?.split('?', 1)[0] === this.options.messagePath);
    const rules = isAboutPost ? this.postRules : this.streamRules;
    const cors = rules.corsHeaders(request.headers.origin);
    const refused = rules.check(request, isLoopbackAddress(request.socket.localAddress));
    const refusal = refused ?? (request.method === 'DELETE' ? methodNotAllowed : undefined);
    if (refusal !== undefined) skip(request, response, refusal, cors);
    else if (isPost) this.receive(request, response, cors);
    else this.openStream(request, response, cors);
  }

  private openStream(request: IncomingMessage, response: ServerResponse, cors: readonly string[]): void {
    const sessionId = randomUUID();
    const endpoint = `${this.options.messagePath}?sessionId=${sessionId}`;
    const over = (): void => void this.sessions.delete(sessionId);
    const peer = new SsePeer({ request, response, cors, endpoint, over }, this.limits);
    this.sessions.set(sessionId, peer);
    this.reception.welcome(peer, descriptorOf(request.socket));
  }

  private receive(request: IncomingMessage, response: ServerResponse, cors: readonly string[]): void {
    const sessionId = new URL(request.url ?? '', 'http://localhost').searchParams.get('sessionId') ?? '';
    const peer = this.sessions.get(sessionId);
    if (peer === undefined) {
      skip(request, response, sessionNotFound, cors);
      return;
    }
    const body = new Body();
    request.on('data', (piece: Buffer) => {
      if (response.headersSent) return;
      body.append(piece);
      if (body.bytes > this.limits.messageBytesMax) refuse(response, keep(this.postRules.bodyTooLarge), cors);
    });
    request.on('end', () => {
      if (response.headersSent) return;
      const text = body.take();
      const refusal = text === undefined ? invalidUtf8 : peer.post(text);
      if (refusal !== undefined) {
        refuse(response, refusal, cors);
        return;
      }
      response.writeHead(202, ['Content-Type', 'text/plain', 'Content-Length', String(ACCEPTED.length), ...cors]);
      response.end(ACCEPTED);
    });
  }
}

/** Refuses, and skips the body: a socket that is closed with bytes unread is reset before the client has its answer. */
function skip(request: IncomingMessage, response: ServerResponse, refusal: Refusal, cors: readonly string[]): void {
  refuse(response, keep(refusal), cors);
  request.resume();
}

function keep(refusal: Refusal): Refusal {
  return { ...refusal, close: false };
}
