import type { ChildSpec, Pid } from '../runtime/index.ts';

/**
 * The contract between a client and what carries its messages to a server. A *carrier* is the process that owns the
 * pipe, the sockets or the link of one connection. It looks into no message; the client never touches a socket.
 */
export interface ClientTransport {
  /**
   * `'stream'`: messages both ways at any time. `'http'`: each message opens an exchange, which the server answers.
   */
  readonly kind: 'stream' | 'http';
  /** What is at the other end, for reports: a command, an address. */
  readonly target: string;
  /**
   * The template of a `simple_one_for_one` supervisor: a temporary child that takes `CarrierStart` beside its own
   * argument. Its start fails when there is nothing to carry to.
   */
  readonly carrier: ChildSpec;
  /**
   * What to try when the server refuses with HTTP 400, 404 or 405 to open a session over this one: HTTP+SSE, at the
   * same address (2025-11-25, Transports, Backwards Compatibility).
   */
  readonly older?: ClientTransport;
}

export interface CarrierStart {
  /** Where the carrier reports to. When it exits, the carrier ends. */
  readonly owner: Pid;
  /** Headers of every request beside those of its own, if it makes requests by itself. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a client asks of its carrier. */
export interface CarrierProtocol {
  readonly cast: {
    readonly send: Outgoing;
    /** The client has given up an exchange: what still comes of it is dropped, and the server sees that it has left. */
    readonly abort: number;
    /** The client has handled that many texts: a carrier does not read on while too many wait. */
    readonly taken: number;
    /** Close in order, then exit. */
    readonly close: void;
  };
}

/** A message to the server. */
export interface Outgoing {
  /** Names the exchange that it opens; the client counts them. Streams have none. */
  readonly exchange: number;
  /** Serialised by the carrier. Without one it is a GET or DELETE, which streams do not have. */
  readonly message?: object;
  readonly http?: {
    readonly method: 'POST' | 'GET' | 'DELETE';
    /** Names in lower case. */
    readonly headers: Readonly<Record<string, string>>;
  };
}

/** What a carrier sends to its owner; its end comes as the DOWN of its process. */
export interface CarrierReports {
  readonly carrier_text: CarrierText;
  readonly carrier_head: CarrierHead;
  readonly carrier_end: CarrierEnd;
  readonly carrier_log: CarrierLog;
}

/** A text that came from the server: a line, a body, the data of an event. */
export interface CarrierText {
  readonly carrier: Pid;
  /** 0 on a stream. */
  readonly exchange: number;
  readonly text: string;
  /** The text was unusable and is not here. */
  readonly fault?: 'message_too_long' | 'invalid_utf8';
}

/** The head of an HTTP response. */
export interface CarrierHead {
  readonly carrier: Pid;
  readonly exchange: number;
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/** An HTTP exchange is over. */
export interface CarrierEnd {
  readonly carrier: Pid;
  readonly exchange: number;
  /** Why it ended early; undefined if the response came to its end. */
  readonly error?: {
    /** As Node.js has it: `'ECONNREFUSED'`, `'ECONNRESET'` … */
    readonly code: string;
    readonly message: string;
    /** False: the server cannot have seen the request. */
    readonly sent: boolean;
  };
  /** Of an event stream: where to go on, and how long the server asks to wait before that. */
  readonly lastEventId?: string;
  readonly retryMs?: number;
}

/** What a server writes for people: a line of its standard error. */
export interface CarrierLog {
  readonly carrier: Pid;
  readonly text: string;
}
