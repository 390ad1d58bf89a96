/**
 * The event streams of one session: what was sent on them, for clients that come back for the rest (2025-11-25,
 * basic/transports, Resumability), and who listens now. Its methods return what is to be sent; it sends nothing.
 */

import type { Pid } from '../../runtime/index.ts';
import type { ConnectionProtocol, Outbound } from '../../transports/transport.ts';
import type { RequestId } from '../json-rpc.ts';
import type { McpLimits } from '../limits.ts';
import { LogBudget, type Shortened } from './log-budget.ts';

/** An exchange that takes the messages of a stream; exchange 0 is the stream that the whole connection is. */
export interface Sink {
  readonly connection: Pid<ConnectionProtocol>;
  readonly exchange: number;
}

/** What is to be sent, and where. */
export interface Send {
  readonly to: Pid<ConnectionProtocol>;
  readonly outbound: Outbound;
}

/** A message of the stream of a request, on its way to its client already. */
export interface Recorded {
  readonly stream: string;
  /** 0, 1, 2 … in its stream. */
  readonly n: number;
  /** Undefined: an event to come back to. */
  readonly message: object | undefined;
  readonly end: boolean;
  /** The process that answers, and what it answers. */
  readonly pid: Pid;
  readonly requestId: RequestId;
}

interface LoggedEvent {
  readonly n: number;
  readonly message: object | undefined;
  readonly text: string;
}

interface LoggedStream {
  readonly events: LoggedEvent[];
  next: number;
  /** The last event that went to a sink. */
  sent: number;
  /** The newest is the last; it gets what comes. */
  sinks: Sink[];
  ended: boolean;
  readonly of: { readonly pid: Pid; readonly requestId: RequestId } | undefined;
}

type LogLimits = Pick<McpLimits, 'sessionEventsMax' | 'sessionEventCharsMax' | 'sessionStreamsMax'>;

/** The stream that belongs to no request. */
const own = 'own';

export class SessionLog implements Shortened {
  readonly #limits: LogLimits;
  readonly #budget: LogBudget;
  readonly #streams = new Map<string, LoggedStream>();
  #events = 0;
  #chars = 0;

  constructor(limits: LogLimits, budget: LogBudget = new LogBudget(Number.POSITIVE_INFINITY)) {
    this.#limits = limits;
    this.#budget = budget;
  }

  /** Whether somebody listens, or will come back for an answer. */
  get inUse(): boolean {
    for (const { sinks, ended, of } of this.#streams.values()) {
      if (sinks.length > 0 || (of !== undefined && !ended)) return true;
    }
    return false;
  }

  /** Who is to be watched. */
  get connections(): readonly Pid[] {
    return [...this.#streams.values()].flatMap(({ sinks }) => sinks.map(({ connection }) => connection));
  }
  get requests(): readonly { readonly pid: Pid; readonly id: RequestId }[] {
    return [...this.#streams.values()].flatMap(({ of, ended }) =>
      of === undefined || ended ? [] : [{ pid: of.pid, id: of.requestId }],
    );
  }

  /**
   * A message of the session itself. If nobody listens it waits for the next who does; one that says the same as one
   * that waits is not kept twice.
   */
  notify(message: object): Send[] {
    const stream = this.#stream(own, undefined);
    const text = JSON.stringify(message);
    if (stream.events.some((event) => event.n > stream.sent && event.text === text)) return [];
    const event = this.#append(own, stream, stream.next, message, text);
    return this.#deliver(own, stream, [event]);
  }

  /** A message for whoever listens to the session itself now; for nobody else. */
  tell(message: object): Send[] {
    const sink = this.#streams.get(own)?.sinks.at(-1);
    return sink === undefined
      ? []
      : [{ to: sink.connection, outbound: { exchange: sink.exchange, message, end: false } }];
  }

  /** A message of the stream of a request, kept, and passed on to whoever has come back for it. */
  record({ stream: name, n, message, end, pid, requestId }: Recorded): Send[] {
    const stream = this.#stream(name, { pid, requestId });
    if (stream.ended) return [];
    stream.ended = end;
    const event = this.#append(name, stream, n, message, message === undefined ? '' : JSON.stringify(message));
    return this.#deliver(name, stream, [event]);
  }

  /** The process of a request has ended. If its stream has not, nobody else will end it. */
  requestEnded(pid: Pid, answer: (id: RequestId) => object): Send[] {
    return [...this.#streams].flatMap(([stream, { of, ended, next }]) => {
      if (of?.pid !== pid || ended) return [];
      return this.record({ stream, n: next, message: answer(of.requestId), end: true, ...of });
    });
  }

  /** Somebody listens to the session itself, from what waits on. `'too_many'`: as many do already as may. */
  attach(sink: Sink): Send[] | 'too_many' {
    const stream = this.#stream(own, undefined);
    const others = stream.sinks.filter((each) => !isSame(each, sink));
    if (others.length >= this.#limits.sessionStreamsMax) return 'too_many';
    stream.sinks = [...others, sink];
    const waiting = stream.events.filter(({ n }) => n > stream.sent);
    return [...opening(sink, eventId(own, stream.sent)), ...this.#deliver(own, stream, waiting)];
  }

  /** Somebody comes back for what followed an event. `'unknown'`: of no stream that is still known. */
  resume(sink: Sink, lastEventId: string): Send[] | 'too_many' | 'unknown' {
    const [, digits = '', name = ''] = /^(-?\d{1,15})-([\w-]+)$/.exec(lastEventId) ?? [];
    const last = Number(digits);
    if (name === own) {
      const stream = this.#stream(own, undefined);
      const { sent } = stream;
      // What was sent and has not arrived is sent again.
      stream.sent = Math.min(sent, last);
      const sends = this.attach(sink);
      if (sends === 'too_many') stream.sent = sent;
      return sends;
    }
    const stream = this.#streams.get(name);
    if (stream === undefined) return 'unknown';
    stream.sinks = [sink];
    const missed = stream.events.filter(({ n }) => n > last);
    if (stream.ended && missed.length === 0) {
      stream.sinks = [];
      return [{ to: sink.connection, outbound: { exchange: sink.exchange, end: true } }];
    }
    return [...opening(sink, undefined), ...this.#deliver(name, stream, missed)];
  }

  /** An exchange has ended. */
  detach(sink: Sink): void {
    for (const stream of this.#streams.values()) stream.sinks = stream.sinks.filter((each) => !isSame(each, sink));
  }

  /** A connection has ended, with all of its exchanges. */
  lost(connection: Pid): void {
    for (const stream of this.#streams.values()) {
      stream.sinks = stream.sinks.filter((each) => each.connection !== connection);
    }
  }

  /** The session ends, and its event streams with it. */
  close(): Send[] {
    const sinks = [...this.#streams.values()].flatMap((stream) => stream.sinks.splice(0));
    return sinks
      .filter(({ exchange }) => exchange !== 0)
      .map(({ connection, exchange }) => ({ to: connection, outbound: { exchange, end: true } }));
  }

  #stream(name: string, of: LoggedStream['of']): LoggedStream {
    const known = this.#streams.get(name);
    if (known !== undefined) return known;
    const stream: LoggedStream = { events: [], next: 0, sent: -1, sinks: [], ended: false, of };
    this.#streams.set(name, stream);
    return stream;
  }

  #append(name: string, stream: LoggedStream, n: number, message: object | undefined, text: string): LoggedEvent {
    const event = { n, message, text };
    stream.next = n + 1;
    stream.events.push(event);
    this.#events += 1;
    this.#chars += text.length;
    this.#forget(name);
    this.#budget.taken(this, text.length);
    return event;
  }

  /** Forgets the oldest events of the oldest streams, past the bounds. */
  #forget(newest: string): void {
    const { sessionEventsMax, sessionEventCharsMax } = this.#limits;
    for (const [name, stream] of this.#streams) {
      while (this.#events > sessionEventsMax || this.#chars > sessionEventCharsMax) {
        const event = stream.events.shift();
        if (event === undefined) break;
        this.#lose(event);
      }
      // What has ended and is forgotten cannot be resumed.
      if (stream.events.length === 0 && stream.ended && name !== newest) this.#streams.delete(name);
    }
  }

  #lose({ text }: LoggedEvent): void {
    this.#events -= 1;
    this.#chars -= text.length;
    this.#budget.given(text.length);
  }

  forgetOldest(): boolean {
    for (const [name, stream] of this.#streams) {
      const event = stream.events.shift();
      if (event === undefined) continue;
      this.#lose(event);
      if (stream.events.length === 0 && stream.ended) this.#streams.delete(name);
      return true;
    }
    return false;
  }

  /** The session has ended, and nothing of it is kept. */
  dispose(): void {
    this.#budget.gone(this, this.#chars);
  }

  #deliver(name: string, stream: LoggedStream, events: readonly LoggedEvent[]): Send[] {
    const sink = stream.sinks.at(-1);
    if (sink === undefined) return [];
    const last = events.at(-1);
    if (last !== undefined) stream.sent = last.n;
    const sends = events.map((event) => toSink(sink, name, event, stream.ended && event === last));
    if (stream.ended) stream.sinks = [];
    return sends;
  }
}

export function eventId(stream: string, n: number): string {
  return `${n}-${stream}`;
}

function isSame(a: Sink, b: Sink): boolean {
  return a.connection === b.connection && a.exchange === b.exchange;
}

/** An event stream begins at once, with something to come back to. */
function opening({ connection, exchange }: Sink, id: string | undefined): Send[] {
  if (exchange === 0) return [];
  const sse = id === undefined ? {} : { sse: { id } };
  return [{ to: connection, outbound: { exchange, end: false, ...sse } }];
}

function toSink({ connection, exchange }: Sink, stream: string, event: LoggedEvent, end: boolean): Send {
  const message = event.message === undefined ? {} : { message: event.message };
  return { to: connection, outbound: { exchange, ...message, end, sse: { id: eventId(stream, event.n) } } };
}
