import type { ChildSpec, Context, Dest, ExitReason, Ref } from '../runtime/index.ts';
import type { Credentials } from './credentials.ts';

export { Credentials } from './credentials.ts';

/**
 * The contract between a protocol and what carries its messages. A transport owns sockets and streams and never looks
 * into a message; an endpoint reads and writes messages and never touches a socket. Between them stands the
 * connection process: one per peer, it runs the endpoint's callbacks one at a time, and writes what is cast to it.
 */
export interface Transport {
  /** Unique among the transports of a system: the names of its processes begin with it. */
  readonly id: string;
  /** The transport with that endpoint behind each of its connections, to be put under a supervisor. */
  childSpec(endpoint: EndpointSpec): ChildSpec;
}

/**
 * Which endpoint the connections run, as data: a module, the export in it that is an `Endpoint`, and its configuration.
 */
export interface EndpointSpec {
  /** The URL of the module (`import.meta.url`). */
  readonly module: string;
  readonly exportName: string;
  readonly config: unknown;
  /**
   * What a transport over HTTP answers to a GET of these paths, as JSON: whoever may reach the endpoint may read it,
   * without the endpoint. Other transports have no paths.
   */
  readonly documents?: Documents;
}

/** JSON by path: `/.well-known/…`. */
export type Documents = Readonly<Record<string, object>>;

/**
 * What the peer sent, handed to `handleInbound`. It opens an exchange, which stays open until an `Outbound` with
 * `end: true` goes to it: notifications and responses too must be ended, without a message.
 */
export interface Inbound {
  /** 1, 2, 3 … on each connection. */
  readonly exchange: number;
  /** One JSON text of bounded size; `''` for GET and DELETE, and with a `fault`. */
  readonly text: string;
  /**
   * The text was unusable and is not here. An endpoint that only parses `text` answers a parse error, which is right.
   */
  readonly fault?: 'message_too_long' | 'invalid_utf8';
  readonly http?: HttpRequestHead;
}

export interface HttpRequestHead {
  readonly method: 'POST' | 'GET' | 'DELETE';
  /**
   * Names in lower case; repeated fields joined with `, `. Look up only names that you know: the object has a
   * prototype. `authorization` is not among them.
   */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The header `Authorization`, if there is one. */
  readonly authorization?: Credentials;
  /** Whether the peer accepts an event stream: without it, messages sent before the last are dropped. */
  readonly acceptsStream: boolean;
}

/**
 * What goes to the peer: `ctx.cast(connection, 'send', outbound)`, from any process. What is sent to an exchange that
 * has ended, or whose peer has gone, is dropped.
 *
 * On HTTP the first outbound of an exchange decides the form of the response: `end: true` gives one JSON body (or
 * none: 202), `end: false` an event stream, one event per message, closed by `end: true`. On a stream every message
 * is a line, and exchange 0 is always open: messages that belong to no exchange (server to client) go there.
 */
export interface Outbound {
  readonly exchange: number;
  /**
   * A JSON-RPC message; serialised by the connection. One that cannot be (a cycle, a BigInt) is answered with error
   * -32603 under its `id`; without an `id` to answer under, it costs the connection.
   */
  readonly message?: object;
  /** Whether the exchange is complete. */
  readonly end: boolean;
  /**
   * Fields of the event on an HTTP event stream; elsewhere they mean nothing. Without a message they make an event
   * without data, from which a client can resume.
   */
  readonly sse?: { readonly id?: string; readonly retryMs?: number };
  /** Read from the first outbound of an exchange. Defaults: status 200, without a message 202. */
  readonly http?: { readonly status?: number; readonly headers?: Readonly<Record<string, string>> };
}

/** What any process may send to a connection. */
export interface ConnectionProtocol {
  readonly cast: {
    readonly send: Outbound;
    /** Finish what is open, as on a shutdown, then end with that reason. */
    readonly close: ExitReason;
  };
}

/** What an endpoint may send to the connection that it runs in. */
export interface EndpointProtocol extends ConnectionProtocol {
  /** `ctx.sendAfter(delayMs, 'told', what)`: comes back to `handleTold`. */
  readonly info: { readonly told: unknown };
}

/** The context of an endpoint's callbacks: that of the connection process. */
export type ConnectionContext = Context<EndpointProtocol>;

export interface ConnectionInfo {
  readonly transport: 'stdio' | 'http' | 'memory' | 'tcp' | 'websocket' | 'sse' | 'grpc';
  /** `'stream'`: messages both ways at any time. `'http'`: the peer asks, and answers go to its exchanges only. */
  readonly kind: 'stream' | 'http';
  /** The address of the peer, if it came over a network. */
  readonly remoteAddress?: string;
  /**
   * The name of the peer as its transport has verified it (mutual TLS): whoever may use the connection has shown that
   * it is this. Absent if nobody was verified.
   */
  readonly principal?: string;
  /**
   * Names the peer if the connection after a restart of the transport is with the same one again, as on standard
   * streams: its end with `'shutdown'` is then not the end of the stream.
   */
  readonly resumable?: string;
}

/**
 * What runs inside each connection process. The callbacks run one at a time; what one throws ends that connection
 * only (open HTTP exchanges are answered 500). They must not block: work belongs into processes of its own, which the
 * endpoint monitors, so that an answer is certain: a request whose process dies is answered by `handleDown`.
 */
export interface Endpoint<Config = any, State = any> {
  /** Once per connection, before its first message. */
  init(config: Config, connection: ConnectionInfo, ctx: ConnectionContext): State;
  /** A message. While a promise is pending, nothing else of this connection is handled. */
  handleInbound(state: State, inbound: Inbound, ctx: ConnectionContext): State | Promise<State>;
  /** The peer left that exchange before its end, or the time to finish it at a shutdown is over: stop working on it. */
  handleAbort(state: State, exchange: number, ctx: ConnectionContext): State;
  /**
   * The connection is about to end: nothing new comes, what is open has `drainTimeoutMs` to finish. The time to end
   * what would never end by itself (event streams, subscriptions); otherwise a stop waits for it.
   */
  handleDrain?(state: State, ctx: ConnectionContext): State;
  /** A monitor that the endpoint set has fired. While a promise is pending, nothing else is handled. */
  handleDown(state: State, down: ConnectionDown, ctx: ConnectionContext): State | Promise<State>;
  /** What the endpoint had itself told, later. */
  handleTold?(state: State, what: unknown, ctx: ConnectionContext): State;
  /**
   * The connection ends: the last callback, not called if the process is killed. Every exchange has ended or was
   * aborted, unless a callback threw: then this is the only one that still runs.
   */
  handleClose?(state: State, reason: ExitReason, ctx: ConnectionContext): void;
}

export interface ConnectionDown {
  readonly ref: Ref;
  /** What was monitored: a pid, or the name that was given. */
  readonly object: Dest;
  readonly reason: ExitReason;
}
