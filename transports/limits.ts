/**
 * Every bound of the transports. Bytes count UTF-8 bytes, times are milliseconds; each is an option of the transports
 * it concerns.
 */

/** The bounds that every transport has. */
export interface TransportLimits {
  /**
   * Bytes of one message: an HTTP body, a line of stdio. Longer: HTTP 413 and close; elsewhere `fault:
   * 'message_too_long'`.
   */
  readonly messageBytesMax: number;
  /**
   * Exchanges open at one time on one connection. Past it a stream is not read on, a pipelined HTTP request gets 503.
   */
  readonly openExchangesMax: number;
  /** Bytes that a reader may leave unread when the next message for it is due; past it, it is disconnected. */
  readonly queuedBytesMax: number;
  /** Connections at one time; more are refused: HTTP 503, `connectMemory` rejects. Stdio has one by nature. */
  readonly connectionsMax: number;
  /** How long a stopped connection may take to finish its open exchanges and to flush what it wrote. */
  readonly drainTimeoutMs: number;
}

export const TRANSPORT_LIMITS: TransportLimits = {
  messageBytesMax: 4 * 1_024 * 1_024,
  openExchangesMax: 256,
  queuedBytesMax: 4 * 1_024 * 1_024,
  connectionsMax: 10_000,
  drainTimeoutMs: 5_000,
};

/** The bounds of every transport that accepts connections from a network. */
export interface ListenerLimits extends TransportLimits {
  /**
   * Connections from one remote address at one time; more are refused. Behind a proxy all have the address of the
   * proxy, so the default lets one address have all. Unix sockets have no address.
   */
  readonly connectionsPerAddressMax: number;
}

/** The bounds of connections that last, TCP and WebSocket, beside those of every listener. */
export interface SocketLimits extends ListenerLimits {
  /**
   * How long a connection may have no exchange open and send nothing before it is closed in order. It is looked at
   * four times in that time, so it is exceeded by up to a quarter.
   */
  readonly idleTimeoutMs: number;
  /** How long a client may take for the TLS handshake, or to ask for the WebSocket upgrade; past it, it is cut off. */
  readonly handshakeTimeoutMs: number;
}

/** The bounds of TCP and Unix sockets, with their defaults. */
export const SOCKET_LIMITS: SocketLimits = {
  ...TRANSPORT_LIMITS,
  connectionsPerAddressMax: 10_000,
  idleTimeoutMs: 30 * 60_000,
  handshakeTimeoutMs: 10_000,
};

/** The bounds of WebSocket connections beside those of every socket. */
export interface WebSocketLimits extends SocketLimits {
  /** Bytes of the head of the upgrade request; past it 431 and close. */
  readonly headerBytesMax: number;
  /** Header fields of the upgrade request; past it 431 and close. */
  readonly headersMax: number;
  /**
   * How long a client may be silent before it is asked whether it is there (ping). If it has not answered when as much
   * time has passed again, it is taken for gone.
   */
  readonly pingIntervalMs: number;
}

/** The bounds of WebSocket connections, with their defaults. */
export const WEB_SOCKET_LIMITS: WebSocketLimits = {
  ...SOCKET_LIMITS,
  headerBytesMax: 16 * 1_024,
  headersMax: 100,
  pingIntervalMs: 30_000,
};

/** The bounds of HTTP+SSE (2024-11-05) beside those of HTTP. */
export interface SseLimits extends HttpLimits {
  /** As for TCP: how long a stream may have no exchange open while its client sends nothing. */
  readonly idleTimeoutMs: number;
}

/** How often idleness is looked at in `idleTimeoutMs`. */
export const IDLE_CHECKS = 4;

/** Stdio has one reader, and to lose it ends the node: it may leave more unread. */
export const STDIO_LIMITS: TransportLimits = { ...TRANSPORT_LIMITS, queuedBytesMax: 64 * 1_024 * 1_024 };

/** The bounds of gRPC: a call is a connection. */
export interface GrpcLimits extends SocketLimits {
  /** How long a session may be silent before its client is pinged, and how long the answer may take. */
  readonly pingIntervalMs: number;
}

/** The bounds of gRPC, with their defaults. */
export const GRPC_LIMITS: GrpcLimits = { ...SOCKET_LIMITS, pingIntervalMs: 30_000 };

/** The bounds of HTTP beside those of every transport. */
export interface HttpLimits extends ListenerLimits {
  /** Bytes of a request's head; past it 431 and close. */
  readonly headerBytesMax: number;
  /** Header fields of a request; past it 431 and close. */
  readonly headersMax: number;
  /** From the first byte, or from the connection, to the end of the head; past it 408 and close (slowloris). */
  readonly headersTimeoutMs: number;
  /**
   * From the first byte of a request to its last; past it 408 and close. The time that the answer takes is not in it.
   */
  readonly requestTimeoutMs: number;
  /** How often both of these times are looked at: they are exceeded by up to so much. */
  readonly timeoutCheckMs: number;
  /**
   * How long a connection may be idle between two requests. Longer than the 60 s of usual load balancers, which must
   * close first.
   */
  readonly keepAliveTimeoutMs: number;
  /** Silence on an event stream after which a comment is sent, so that proxies do not take it for dead. */
  readonly sseKeepAliveMs: number;
}

/** The bounds of HTTP, with their defaults. */
export const HTTP_LIMITS: HttpLimits = {
  ...TRANSPORT_LIMITS,
  connectionsPerAddressMax: 10_000,
  headerBytesMax: 16 * 1_024,
  headersMax: 100,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  timeoutCheckMs: 1_000,
  keepAliveTimeoutMs: 65_000,
  sseKeepAliveMs: 15_000,
};

/** The bounds of HTTP/2 beside those of HTTP; `openExchangesMax` is the number of streams that a session may have. */
export interface Http2Limits extends HttpLimits {
  /**
   * Requests that a client may take back before they are answered (RST_STREAM), in `floodWindowMs`; past it the session
   * ends with ENHANCE_YOUR_CALM.
   */
  readonly resetsMax: number;
  /** PING and SETTINGS frames that a client may send in `floodWindowMs`; past it, the same. */
  readonly controlFramesMax: number;
  readonly floodWindowMs: number;
}

/** The bounds of HTTP/2, with their defaults. */
export const HTTP2_LIMITS: Http2Limits = {
  ...HTTP_LIMITS,
  resetsMax: 500,
  controlFramesMax: 500,
  floodWindowMs: 10_000,
};

/** How long a client may take to close a connection of HTTP/2 that has been ended, before its socket is destroyed. */
export const FAREWELL_MS = 500;
/** The bounds of HTTP+SSE, with their defaults. */
export const SSE_LIMITS: SseLimits = { ...HTTP_LIMITS, idleTimeoutMs: SOCKET_LIMITS.idleTimeoutMs };

/**
 * Connections past `connectionsMax` that are accepted so as to be told 503; beyond these the socket is dropped
 * unanswered.
 */
export const REFUSED_CONNECTIONS_MAX = 64;

/**
 * File descriptors that connections leave to the rest of the program, or a quarter of all if that is less. Who arrives
 * when only so many are left is told that there are too many connections; when half of them are gone too, the socket
 * is dropped unanswered.
 */
export const DESCRIPTORS_RESERVED = 128;

/** What a supervisor waits for a connection beyond its `drainTimeoutMs` before it kills it. */
export const DRAIN_MARGIN_MS = 1_000;

/**
 * The defaults with what the options say of them.
 *
 * @throws {TransportOptionError} if one is not an integer of at least 1.
 */
export function resolveLimits<L extends object>(defaults: L, options: Partial<L>): L {
  const given: Partial<Record<string, unknown>> = options;
  const resolved = { ...defaults } as unknown as Record<string, number>;
  for (const limit of Object.keys(defaults)) {
    const value = given[limit];
    if (value === undefined) continue;
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1) {
      throw new TransportOptionError(limit, `must be an integer of at least 1, not ${String(value)}`);
    }
    resolved[limit] = value;
  }
  return resolved as unknown as L;
}

/** An option given to a transport is not what it must be. `option` names it. */
export class TransportOptionError extends TypeError {
  override readonly name = 'TransportOptionError';
  readonly code = 'ERR_TRANSPORT_OPTION';
  readonly option: string;

  constructor(option: string, problem: string) {
    super(`transport option '${option}' ${problem}`);
    this.option = option;
  }
}

/** Connections that the operating system may hold until they are accepted. */
export const LISTEN_BACKLOG = 1_024;

/** Bytes of a refused body that are skipped while its connection ends. */
export const LINGER_BYTES_MAX: number = 64 * 1_024;

/** The bounds of the client side of a transport. */
export interface CarrierLimits {
  /** Bytes of one message from the server: a line, a body, an event. Longer ones reach the client as a fault. */
  readonly messageBytesMax: number;
  /** Texts that may wait for the client; past it the carrier does not read on. */
  readonly waitingTextsMax: number;
  /** Bytes that the server may leave unread when the next message for it is due; past it the carrier ends. */
  readonly queuedBytesMax: number;
}

/** The bounds of a carrier, with their defaults. */
export const CARRIER_LIMITS: CarrierLimits = {
  messageBytesMax: 64 * 1_024 * 1_024,
  waitingTextsMax: 256,
  queuedBytesMax: 64 * 1_024 * 1_024,
};

/** The bounds of a child process beside those of every carrier. */
export interface ChildProcessLimits extends CarrierLimits {
  /** How long a server may take to exit after the end of its input, before SIGTERM. */
  readonly endOfInputMs: number;
  /** How long it may take after SIGTERM, before SIGKILL. */
  readonly sigtermMs: number;
  /** Bytes of one line of its standard error; what is longer is cut into several. */
  readonly logLineBytesMax: number;
}

/** The bounds of a child process, with their defaults. */
export const CHILD_PROCESS_LIMITS: ChildProcessLimits = {
  ...CARRIER_LIMITS,
  endOfInputMs: 2_000,
  sigtermMs: 2_000,
  logLineBytesMax: 8 * 1_024,
};

/** How long the output of a server that has exited may take to end: a process that it left behind may hold it open. */
export const EXIT_FLUSH_MS = 500;

/** The bounds of an HTTP client beside those of every carrier. */
export interface HttpClientLimits extends CarrierLimits {
  /** How long a connection may take to be made. */
  readonly connectTimeoutMs: number;
  /** Connections to the server at one time. */
  readonly socketsMax: number;
}

/** The bounds of an HTTP client, with their defaults. */
export const HTTP_CLIENT_LIMITS: HttpClientLimits = {
  ...CARRIER_LIMITS,
  connectTimeoutMs: 10_000,
  socketsMax: 256,
};

/** The bounds of a client of sockets, TCP or WebSocket, beside those of every carrier. */
export interface SocketClientLimits extends CarrierLimits {
  /** How long a connection may take to be made, TLS handshake and WebSocket upgrade included. */
  readonly connectTimeoutMs: number;
}

/** The bounds of a client of sockets, with their defaults. */
export const SOCKET_CLIENT_LIMITS: SocketClientLimits = { ...CARRIER_LIMITS, connectTimeoutMs: 10_000 };

/** The bounds of a WebSocket client beside those of every client of sockets. */
export interface WebSocketClientLimits extends SocketClientLimits {
  /** As the bound of the server of that name. */
  readonly pingIntervalMs: number;
}

/** The bounds of a WebSocket client, with their defaults. */
export const WEB_SOCKET_CLIENT_LIMITS: WebSocketClientLimits = { ...SOCKET_CLIENT_LIMITS, pingIntervalMs: 30_000 };

/** How long the other side of a WebSocket may take to answer a close before the socket is closed all the same. */
export const CLOSE_TIMEOUT_MS = 2_000;
