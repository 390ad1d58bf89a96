import { constants, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { type Clock, type ExitReason, isNormalExit, type TimerHandle } from '../../runtime/index.ts';
import type { Arrival, TurnedAway } from '../arrival.ts';
import { isLoopbackAddress } from '../http/origin.ts';
import * as refusals from '../http/refusal.ts';
import { type Refusal, turnedAway } from '../http/refusal.ts';
import { headOf } from '../http/request-head.ts';
import type { RequestHead, Rules } from '../http/rules.ts';
import { FAREWELL_MS, type Http2Limits } from '../limits.ts';
import type { Intake, SlowReader } from '../peer.ts';
import { remoteEndOf } from '../tls.ts';
import type { ConnectionInfo, Inbound, Outbound } from '../transport.ts';
import { FrameAllowance } from './frame-allowance.ts';
import { Http2Exchange, refuse, type Unread } from './http2-exchange.ts';

export interface Http2Settings {
  readonly rules: Rules;
  readonly limits: Http2Limits;
  readonly clock: Clock;
}

/** One session of HTTP/2: its streams become exchanges, which are answered in any order. */
export class Http2Peer implements Arrival {
  readonly info: ConnectionInfo;
  private readonly settings: Http2Settings;
  private readonly session: ServerHttp2Session;
  private readonly socket: Socket;
  private readonly loopback: boolean;
  private readonly resets: FrameAllowance;
  private readonly controlFrames: FrameAllowance;
  private readonly exchanges = new Map<number, Http2Exchange>();
  private readonly unread: Unread = { answerBytes: 0, eventBytes: 0 };
  /** Complete, but their client has to read first what it was sent. */
  private held: Http2Exchange[] = [];
  private count = 0;
  private intake: Intake | undefined;
  /** Complete before the process was there. */
  private early: Inbound[] = [];
  /** What every further request is told, if not undefined. */
  private refusal: Refusal | undefined;
  private timer: TimerHandle | undefined;
  /** Whether the timer looks often. */
  private watching = false;
  private greeted = false;
  private idleSinceMs: number;
  private bytesWritten = 0;
  private wakeArmed = false;
  private gone = false;

  constructor(session: ServerHttp2Session, socket: Socket, settings: Http2Settings) {
    this.info = { transport: 'http', kind: 'http', ...remoteEndOf(socket) };
    const { limits, clock } = settings;
    this.settings = settings;
    this.session = session;
    this.socket = socket;
    this.loopback = isLoopbackAddress(socket.localAddress);
    this.resets = new FrameAllowance(limits.resetsMax, limits.floodWindowMs);
    this.controlFrames = new FrameAllowance(limits.controlFramesMax, limits.floodWindowMs);
    this.idleSinceMs = clock.now();
    session.on('stream', this.onStream).on('close', this.onClose).on('error', ignored);
    session.on('ping', this.onControlFrame).on('remoteSettings', this.onSettings);
    this.look(limits.headersTimeoutMs);
  }

  get isOpen(): boolean {
    return this.intake !== undefined;
  }

  get isGone(): boolean {
    return this.gone;
  }

  /** All requests, those that wait and those to come, are refused. */
  turnAway(why: TurnedAway): void {
    this.refusal = turnedAway[why];
    this.early = [];
    for (const exchange of this.exchanges.values()) this.refuseOpen(exchange, this.refusal);
  }

  // ---- Peer

  open(intake: Intake): void {
    this.intake = intake;
    for (const inbound of this.early) intake.deliver(inbound);
    this.early = [];
    if (this.gone) intake.closed();
  }

  send({ exchange: id, message, end, sse, http }: Outbound): SlowReader | undefined {
    const exchange = this.exchanges.get(id);
    if (exchange === undefined) return undefined; // exchange 0: HTTP has no place for it
    if (end) this.over(exchange);
    if (!exchange.streaming) {
      if (end) {
        exchange.answer(message, http, sse);
        return undefined;
      }
      exchange.keepHead(http);
      if (!exchange.accepted.stream) return undefined;
      exchange.openStream();
      this.armWake();
    }
    const limitBytes = this.settings.limits.queuedBytesMax;
    const { eventBytes } = this.unread;
    if (message !== undefined && eventBytes > limitBytes) {
      this.exchanges.set(id, exchange); // not ended after all: it is cut off with the connection
      return { slow_reader: { queuedBytes: eventBytes, limitBytes } };
    }
    if (end) exchange.endStream(message, sse);
    else if (message !== undefined || sse !== undefined) exchange.event(message, sse);
    return undefined;
  }

  /** GOAWAY names the last stream that was begun: a client may send again elsewhere what came after it. */
  stopReading(): void {
    this.refusal ??= refusals.unavailable;
    this.held = [];
    for (const exchange of this.exchanges.values()) {
      if (!exchange.delivered) this.refuseOpen(exchange, this.refusal);
    }
    if (!this.session.closed) this.session.close();
  }

  end(): void {
    if (!this.session.closed) this.session.close();
    this.letGo();
  }

  close(reason: ExitReason): void {
    if (this.gone) return;
    this.gone = true;
    this.stopLooking();
    const refusal = isNormalExit(reason) ? refusals.unavailable : refusals.internalError;
    const told = this.exchanges.size > 0 && this.unread.answerBytes + this.unread.eventBytes === 0;
    for (const exchange of this.exchanges.values()) exchange.fail(refusal);
    const code = this.exchanges.size > 0 ? constants.NGHTTP2_INTERNAL_ERROR : constants.NGHTTP2_NO_ERROR;
    this.exchanges.clear();
    if (told && !this.session.closed) this.session.close();
    if (told) this.letGo();
    else this.destroy(code);
  }

  wake(): void {
    this.wakeArmed = false;
    for (const exchange of this.exchanges.values()) {
      if (!exchange.streaming) continue;
      exchange.keepAlive();
      this.armWake();
    }
  }

  // ---- what the session reports

  private readonly onStream = (
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    flags: number,
    rawHeaders: readonly string[],
  ): void => {
    const { rules, limits, clock } = this.settings;
    stream.on('error', ignored); // it closes after it
    this.watch();
    const contradicts = nameOneHost(headers);
    const request: RequestHead = { method: headers[':method'], url: headers[':path'], headers, rawHeaders };
    let refusal = this.refusal ?? (contradicts ? refusals.malformedRequest : rules.check(request, this.loopback));
    if (this.exchanges.size >= limits.openExchangesMax) refusal ??= refusals.tooManyExchanges;
    const cors = rules.corsHeaders(headers.origin);
    if (refusal !== undefined) {
      refuse(stream, refusal, cors, this.unread);
      if (this.refusal !== undefined && !this.session.closed) this.session.close();
      return;
    }
    const accepted = rules.accepted(headers.accept);
    const nowMs = clock.now();
    const exchange = new Http2Exchange(++this.count, stream, headers, { accepted, cors, unread: this.unread, nowMs });
    this.exchanges.set(exchange.id, exchange);
    stream.once('close', () => this.closed(exchange));
    if (request.method !== 'POST') {
      stream.resume(); // a body that should not be there must not stop the session from being read
      this.deliver(exchange, '');
    } else if ((flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0) {
      stream.resume();
      this.received(exchange);
    } else {
      stream.on('data', (piece: Buffer) => this.receive(exchange, piece)).on('end', () => this.received(exchange));
    }
  };

  private readonly onSettings = (): void => {
    this.greeted = true;
    this.onControlFrame();
  };

  private readonly onControlFrame = (): void => {
    const { clock, limits } = this.settings;
    if (!this.controlFrames.take(clock.now())) this.putOut({ control_frames: limits.controlFramesMax });
  };

  private readonly onClose = (): void => {
    this.gone = true;
    this.stopLooking();
    this.intake?.closed();
  };

  // ---- inside

  private receive(exchange: Http2Exchange, piece: Buffer): void {
    if (exchange.delivered || !this.exchanges.has(exchange.id)) return; // refused
    exchange.body.append(piece);
    if (exchange.body.bytes > this.settings.limits.messageBytesMax) {
      this.refuseOpen(exchange, this.settings.rules.bodyTooLarge);
    }
  }

  private received(exchange: Http2Exchange): void {
    if (exchange.stream.aborted || !this.exchanges.has(exchange.id)) return;
    // Who leaves unread what he is sent gets no more to read: what he asks for waits.
    if (this.unread.answerBytes > this.settings.limits.queuedBytesMax) this.held.push(exchange);
    else this.deliverBody(exchange);
  }

  private deliverBody(exchange: Http2Exchange): void {
    const text = exchange.body.take();
    if (text === undefined) this.refuseOpen(exchange, refusals.invalidUtf8);
    else this.deliver(exchange, text);
  }

  private deliver(exchange: Http2Exchange, text: string): void {
    exchange.delivered = true;
    const { id, headers, accepted } = exchange;
    const http = headOf(headers[':method'], headers, accepted.stream);
    const inbound = { exchange: id, text, http } as unknown as Inbound;
    if (this.intake === undefined) this.early.push(inbound);
    else this.intake.deliver(inbound);
  }

  private refuseOpen(exchange: Http2Exchange, refusal: Refusal): void {
    this.over(exchange);
    refuse(exchange.stream, refusal, this.settings.rules.corsHeaders(exchange.headers.origin), this.unread);
  }

  private over(exchange: Http2Exchange): void {
    this.exchanges.delete(exchange.id);
    if (this.exchanges.size === 0) this.idleSinceMs = this.settings.clock.now();
  }

  /** A stream has closed. If it is open still, its client has left it. */
  private closed(exchange: Http2Exchange): void {
    if (!this.exchanges.has(exchange.id)) {
      this.release();
      return;
    }
    this.over(exchange);
    this.held = this.held.filter((each) => each !== exchange);
    if (this.gone) return;
    if (exchange.delivered) this.leave(exchange.id);
    const { clock, limits } = this.settings;
    if (!this.session.destroyed && !this.resets.take(clock.now())) this.putOut({ resets: limits.resetsMax });
  }

  private leave(id: number): void {
    if (this.intake === undefined) this.early = this.early.filter(({ exchange }) => exchange !== id);
    else this.intake.left(id);
  }

  /** Something was read: what waited for that may go on. */
  private release(): void {
    while (this.held.length > 0 && this.unread.answerBytes <= this.settings.limits.queuedBytesMax) {
      this.deliverBody(this.held.shift()!);
    }
  }

  /** A client that floods the session loses it at once. */
  private putOut(what: { readonly resets: number } | { readonly control_frames: number }): void {
    if (this.session.destroyed) return;
    const { floodWindowMs } = this.settings.limits;
    this.intake?.closed({ shutdown: { enhance_your_calm: { ...what, windowMs: floodWindowMs } } });
    this.destroy(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  /** Without an error Node.js would take no code; it reaches `ignored`. */
  private destroy(code: number): void {
    if (!this.session.destroyed) this.session.destroy(new Error(`the session was ended with code ${code}`), code);
  }

  /** The session has ended, or will when its streams have; a client that does not close then is cut off. */
  private letGo(): void {
    const { clock } = this.settings;
    const cutOff = (): void => {
      const timer = clock.setTimer(() => this.socket.destroy(), FAREWELL_MS);
      this.socket.once('close', () => clock.clearTimer(timer));
    };
    if (this.socket.writableFinished) cutOff();
    else this.socket.once('finish', cutOff);
  }

  private armWake(): void {
    if (this.wakeArmed || this.intake === undefined) return;
    this.wakeArmed = true;
    this.intake.wakeAfter(this.settings.limits.sseKeepAliveMs);
  }

  // ---- time

  /** A request has come: bodies that are slow must be seen soon. */
  private watch(): void {
    if (this.watching || this.gone) return;
    this.watching = true;
    this.look(this.settings.limits.timeoutCheckMs);
  }

  private look(delayMs: number): void {
    this.stopLooking();
    this.timer = this.settings.clock.setTimer(() => this.onTime(), delayMs);
  }

  private stopLooking(): void {
    if (this.timer !== undefined) this.settings.clock.clearTimer(this.timer);
  }

  private onTime(): void {
    const { limits, clock } = this.settings;
    const nowMs = clock.now();
    if (!this.greeted) {
      this.destroy(constants.NGHTTP2_SETTINGS_TIMEOUT);
      return;
    }
    for (const exchange of this.exchanges.values()) {
      if (exchange.delivered || this.held.includes(exchange)) continue;
      if (nowMs - exchange.startedMs >= limits.requestTimeoutMs) this.refuseOpen(exchange, refusals.requestTimeout);
    }
    if (this.socket.bytesWritten !== this.bytesWritten) {
      this.bytesWritten = this.socket.bytesWritten;
      if (this.unread.answerBytes > 0) this.idleSinceMs = nowMs; // it reads, if slowly
    }
    const idleMs = this.exchanges.size > 0 ? 0 : nowMs - this.idleSinceMs;
    if (idleMs >= limits.keepAliveTimeoutMs) {
      this.end();
      if (this.unread.answerBytes > 0) this.destroy(constants.NGHTTP2_ENHANCE_YOUR_CALM);
      return;
    }
    this.watching = this.exchanges.size > 0 || idleMs < limits.timeoutCheckMs;
    this.look(this.watching ? limits.timeoutCheckMs : limits.keepAliveTimeoutMs - idleMs);
  }
}

/**
 * `:authority` is what HTTP/1.1 has in Host. Both may be there, but must say the same (RFC 9113, section 8.3.1); true
 * if they do not.
 */
function nameOneHost(headers: IncomingHttpHeaders): boolean {
  const authority = headers[':authority'];
  if (authority === undefined) return false;
  if (headers.host !== undefined && headers.host.toLowerCase() !== authority.toLowerCase()) return true;
  headers.host = authority;
  return false;
}

/** A session or a stream closes after an error, and that is what counts. */
function ignored(): void {}
