import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ExitReason } from '../../runtime/index.ts';
import type { Arrival, TurnedAway } from '../arrival.ts';
import { eventText, KEEP_ALIVE_COMMENT } from '../http/event-text.ts';
import { refuse, STREAM_HEAD } from '../http/http-exchange.ts';
import { type Refusal, tooManyExchanges, turnedAway, unavailable } from '../http/refusal.ts';
import { IdleWatch } from '../idle-watch.ts';
import type { SseLimits } from '../limits.ts';
import type { Intake, SlowReader } from '../peer.ts';
import type { ConnectionInfo, Outbound } from '../transport.ts';

/** What an event stream is opened with. */
export interface SseStream {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly cors: readonly string[];
  /** Where the client is to send its messages. */
  readonly endpoint: string;
  /** Its session is over: nothing more is for it. */
  readonly over: () => void;
}

/**
 * One client of HTTP+SSE: an event stream on which the server sends, and a session under which the client posts. The
 * posts come over other sockets, and are taken one by one.
 */
export class SsePeer implements Arrival {
  readonly info: ConnectionInfo;
  private readonly stream: SseStream;
  private readonly limits: SseLimits;
  private readonly idle: IdleWatch;
  private intake: Intake | undefined;
  private exchanges = 0;
  private pending = '';
  private silent = false;
  private reading = true;
  private gone = false;

  constructor(stream: SseStream, limits: SseLimits) {
    const { remoteAddress } = stream.request.socket;
    this.info = { transport: 'sse', kind: 'stream', ...(remoteAddress === undefined ? {} : { remoteAddress }) };
    this.stream = stream;
    this.limits = limits;
    this.idle = new IdleWatch(limits.idleTimeoutMs, limits.sseKeepAliveMs);
    stream.response.on('close', this.onClose).on('error', this.onClose);
  }

  get isOpen(): boolean {
    return this.intake !== undefined;
  }

  get isGone(): boolean {
    return this.gone;
  }

  turnAway(why: TurnedAway): void {
    this.gone = true;
    this.stream.over();
    refuse(this.stream.response, { ...turnedAway[why], close: true }, this.stream.cors);
  }

  /** A message that was posted. Why it is not taken, or undefined. */
  post(text: string): Refusal | undefined {
    const { intake } = this;
    if (intake === undefined || !this.reading || this.gone) return unavailable;
    if (intake.isFull) return tooManyExchanges;
    this.idle.touch();
    intake.deliver({ exchange: ++this.exchanges, text });
    return undefined;
  }

  // ---- Peer

  open(intake: Intake): void {
    this.intake = intake;
    if (this.gone) {
      intake.closed();
      return;
    }
    const { response, endpoint, cors } = this.stream;
    response.shouldKeepAlive = false; // the end of the stream is the end of its socket
    response.writeHead(200, [...STREAM_HEAD, ...cors]);
    response.write(`event: endpoint\ndata: ${endpoint}\n\n`);
    intake.wakeAfter(this.idle.checkMs);
  }

  send({ message }: Outbound): SlowReader | undefined {
    if (message === undefined) return undefined;
    const limitBytes = this.limits.queuedBytesMax;
    const queuedBytes = this.stream.response.writableLength + this.pending.length;
    if (queuedBytes > limitBytes) return { slow_reader: { queuedBytes, limitBytes } };
    if (this.pending === '') process.nextTick(this.flush); // what is sent in one turn goes out in one write
    this.pending += eventText(message, undefined);
    return undefined;
  }

  stopReading(): void {
    this.reading = false;
  }

  end(): void {
    this.flush();
    this.stream.response.end();
  }

  close(_reason: ExitReason): void {
    this.stream.over();
    if (this.gone) return;
    this.gone = true;
    const { response } = this.stream;
    const isRead = !response.writableNeedDrain;
    if (isRead) this.flush();
    if (!response.headersSent) refuse(response, { ...unavailable, close: true }, this.stream.cors);
    else if (isRead) response.socket?.destroySoon();
    else response.destroy();
  }

  wake(): void {
    const { intake, idle } = this;
    if (intake === undefined || this.gone) return;
    if (this.silent) this.stream.response.write(KEEP_ALIVE_COMMENT);
    this.silent = true;
    if (!idle.check(intake)) intake.wakeAfter(idle.checkMs);
  }

  private readonly flush = (): void => {
    const { pending } = this;
    if (pending === '') return;
    this.pending = '';
    this.silent = false;
    this.stream.response.write(pending);
  };

  private readonly onClose = (): void => {
    if (this.gone) return;
    this.gone = true;
    this.intake?.closed();
  };
}
