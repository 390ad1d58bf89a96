import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type ExitReason, isNormalExit } from '../../runtime/index.ts';
import type { Arrival, TurnedAway } from '../arrival.ts';
import { type HttpLimits, LINGER_BYTES_MAX } from '../limits.ts';
import type { Intake, SlowReader } from '../peer.ts';
import type { ConnectionInfo, Inbound, Outbound } from '../transport.ts';
import { HttpExchange, refuse } from './http-exchange.ts';
import { isLoopbackAddress } from './origin.ts';
import * as refusals from './refusal.ts';
import { type Refusal, rawResponse, turnedAway } from './refusal.ts';
import { headOf } from './request-head.ts';
import type { Rules } from './rules.ts';

export interface HttpSettings {
  readonly rules: Rules;
  readonly limits: HttpLimits;
  /** Whether the socket is ours to close: not under a server of the user's, which has other uses for it. */
  readonly ownsSockets: boolean;
}

const exchangeOf = Symbol('exchange');
const peerOf = Symbol('peer');

/** Found on the request, so that no closure is needed per request. */
interface BodyRequest extends IncomingMessage {
  [exchangeOf]?: HttpExchange;
  [peerOf]?: HttpPeer;
}

/** One client socket: its requests become exchanges, and the answers go out in the order of the requests. */
export class HttpPeer implements Arrival {
  readonly info: ConnectionInfo;
  private readonly settings: HttpSettings;
  private readonly socket: Socket;
  private readonly loopback: boolean;
  private readonly exchanges = new Map<number, HttpExchange>();
  private count = 0;
  private intake: Intake | undefined;
  /** Complete before the process was there. */
  private early: Inbound[] = [];
  /** What every further request is told, if not undefined. */
  private refusal: Refusal | undefined;
  private newest: ServerResponse | undefined;
  private wakeArmed = false;
  private lingering = false;
  private hasProcess = true;
  private gone = false;

  constructor(socket: Socket, settings: HttpSettings) {
    const { remoteAddress } = socket;
    this.info = { transport: 'http', kind: 'http', ...(remoteAddress === undefined ? {} : { remoteAddress }) };
    this.settings = settings;
    this.socket = socket;
    this.loopback = isLoopbackAddress(socket.localAddress);
    socket.on('close', this.onClose);
  }

  get isOpen(): boolean {
    return this.intake !== undefined;
  }

  get isGone(): boolean {
    return this.gone;
  }

  // ---- what the HTTP server reports

  request(request: IncomingMessage, response: ServerResponse): void {
    const { rules, limits } = this.settings;
    this.newest = response;
    let refusal = this.refusal ?? rules.check(request, this.loopback);
    if (this.exchanges.size >= limits.openExchangesMax) refusal ??= refusals.tooManyExchanges;
    if (refusal !== undefined) {
      this.refuseRequest(request, response, refusal);
      return;
    }
    const { accept, origin } = request.headers;
    const id = ++this.count;
    const exchange = new HttpExchange(id, request, response, rules.accepted(accept), rules.corsHeaders(origin));
    this.exchanges.set(id, exchange);
    if (request.method === 'POST') {
      this.readBody(exchange);
    } else {
      request.resume(); // a body that should not be there must not stop the socket from being read
      this.deliver(exchange, '');
    }
  }

  /** Whether `request` will not read the body. */
  wouldRefuse(request: IncomingMessage): boolean {
    return (this.refusal ?? this.settings.rules.check(request, this.loopback)) !== undefined;
  }

  /** A request that the HTTP parser gave up. */
  clientError(refusal: Refusal): void {
    for (const exchange of this.exchanges.values()) {
      // An answer to an earlier request is due first: another one in its place would be taken for it.
      if (!exchange.delivered) continue;
      this.socket.destroy();
      return;
    }
    this.exchanges.clear();
    this.linger(refusal, undefined);
  }

  /** All requests, those that wait and those to come, are refused. */
  turnAway(why: TurnedAway): void {
    const refusal = turnedAway[why];
    this.refusal = refusal;
    this.hasProcess = false;
    this.early = [];
    for (const exchange of this.exchanges.values()) this.refuseOpen(exchange, refusal);
  }

  // ---- Peer

  open(intake: Intake): void {
    this.intake = intake;
    for (const inbound of this.early) intake.deliver(inbound);
    this.early = [];
    if (this.gone) intake.closed();
    else if (this.lingering) intake.ended();
  }

  send({ exchange: id, message, end, sse, http }: Outbound): SlowReader | undefined {
    const exchange = this.exchanges.get(id);
    if (exchange === undefined) return undefined; // exchange 0: HTTP has no place for it
    if (end) this.exchanges.delete(id);
    if (!exchange.streaming) {
      if (end) {
        if (this.refusal !== undefined && exchange.response === this.newest) exchange.response.shouldKeepAlive = false;
        exchange.answer(message, http, sse);
        return undefined;
      }
      exchange.keepHead(http);
      if (!exchange.accepted.stream) return undefined;
      exchange.openStream(message === undefined && sse === undefined);
      this.armWake();
    }
    if (message !== undefined) {
      const limitBytes = this.settings.limits.queuedBytesMax;
      const { queuedBytes } = exchange;
      if (queuedBytes > limitBytes) {
        this.exchanges.set(id, exchange); // not ended after all: it is cut off with the connection
        return { slow_reader: { queuedBytes, limitBytes } };
      }
    }
    if (end) exchange.endStream(message, sse);
    else if (message !== undefined || sse !== undefined) exchange.event(message, sse);
    return undefined;
  }

  stopReading(): void {
    this.refusal ??= refusals.unavailable;
    // What has not come whole was not begun: the client may send it again elsewhere.
    for (const exchange of this.exchanges.values()) {
      if (!exchange.delivered) this.refuseOpen(exchange, this.refusal);
    }
  }

  end(): void {
    if (this.lingering) return; // until the client closes, or the time is over
    const { newest } = this;
    if (newest === undefined || newest.writableFinished) this.finish();
    else newest.once('finish', () => this.finish());
  }

  close(reason: ExitReason): void {
    if (this.gone) return;
    this.gone = true;
    this.socket.off('close', this.onClose);
    const flushed = this.socket.writableLength === 0 && !this.lingering;
    const refusal = isNormalExit(reason) ? refusals.unavailable : refusals.internalError;
    for (const exchange of this.exchanges.values()) exchange.fail(refusal);
    this.exchanges.clear();
    if (!this.settings.ownsSockets && !this.lingering) return;
    // A farewell that the kernel took is sent before the socket closes; there is nobody to wait for more than that.
    if (flushed && this.socket.writableLength === 0) this.socket.destroySoon();
    else this.socket.destroy();
  }

  wake(): void {
    this.wakeArmed = false;
    for (const exchange of this.exchanges.values()) {
      if (!exchange.streaming) continue;
      exchange.keepAlive();
      this.armWake();
    }
  }

  // ---- inside

  private readBody(exchange: HttpExchange): void {
    const request = exchange.request as BodyRequest;
    request[exchangeOf] = exchange;
    request[peerOf] = this;
    request.on('data', onData).on('end', onEnd);
  }

  receive(exchange: HttpExchange, piece: Buffer): void {
    exchange.body.append(piece);
    if (exchange.body.bytes <= this.settings.limits.messageBytesMax) return;
    stopBody(exchange);
    this.exchanges.delete(exchange.id);
    this.refuseRequest(exchange.request, exchange.response, this.settings.rules.bodyTooLarge);
  }

  received(exchange: HttpExchange): void {
    const text = exchange.body.take();
    if (text === undefined) this.refuseOpen(exchange, refusals.invalidUtf8);
    else this.deliver(exchange, text);
  }

  private deliver(exchange: HttpExchange, text: string): void {
    const { request, accepted } = exchange;
    exchange.delivered = true;
    const inbound = {
      exchange: exchange.id,
      text,
      http: headOf(request.method, request.headers, accepted.stream),
    } as Inbound;
    if (this.intake === undefined) this.early.push(inbound);
    else this.intake.deliver(inbound);
  }

  private refuseOpen(exchange: HttpExchange, refusal: Refusal): void {
    stopBody(exchange);
    this.exchanges.delete(exchange.id);
    this.refuseRequest(exchange.request, exchange.response, refusal);
  }

  /** A body that will not be read is skipped if it is of a size we would have taken; else the connection ends here. */
  private refuseRequest(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
    const { rules, limits } = this.settings;
    const length = request.headers['content-length'];
    const unread = length === undefined ? request.headers['transfer-encoding'] !== undefined : Number(length) > 0;
    const skippable = length !== undefined && Number(length) <= limits.messageBytesMax;
    if (request.complete || !unread || (skippable && !refusal.close)) {
      refuse(response, refusal, rules.corsHeaders(request.headers.origin));
    } else if (this.exchanges.size > 0 || !this.settings.ownsSockets || !this.hasProcess) {
      refuse(response, { ...refusal, close: true }, rules.corsHeaders(request.headers.origin));
    } else {
      this.linger(refusal, request);
    }
  }

  /**
   * Answers a request that has not come whole, and ends the connection. To close a socket with bytes unread resets
   * it, and a reset overtakes the answer: so only our half is closed, and the rest when the client has closed its
   * own, or the drain time is over. A little more of the body is skipped, to see the client's end behind it; then the
   * socket is not read on.
   */
  private linger(refusal: Refusal, request: IncomingMessage | undefined): void {
    if (this.lingering) return;
    this.lingering = true;
    this.refusal = { ...refusal, close: true };
    const { socket } = this;
    if (!socket.writable) {
      socket.destroy();
      return;
    }
    socket.end(rawResponse(refusal));
    if (!this.hasProcess) {
      socket.destroySoon(); // nobody to wait for its end
    } else if (request === undefined) {
      socket.pause();
    } else {
      let skippedBytes = 0;
      request.on('data', (piece: Buffer) => {
        skippedBytes += piece.length;
        if (skippedBytes > LINGER_BYTES_MAX) request.pause(); // its buffer fills, and Node.js stops reading the socket
      });
    }
    this.intake?.ended();
  }

  private finish(): void {
    if (this.settings.ownsSockets) {
      this.socket.destroySoon();
    } else {
      this.socket.off('close', this.onClose);
      this.onClose();
    }
  }

  private armWake(): void {
    if (this.wakeArmed || this.intake === undefined) return;
    this.wakeArmed = true;
    this.intake.wakeAfter(this.settings.limits.sseKeepAliveMs);
  }

  private readonly onClose = (): void => {
    this.gone = true;
    this.intake?.closed();
  };
}

function onData(this: BodyRequest, piece: Buffer): void {
  const exchange = this[exchangeOf];
  if (exchange !== undefined) this[peerOf]?.receive(exchange, piece);
}

function onEnd(this: BodyRequest): void {
  const exchange = this[exchangeOf];
  if (exchange !== undefined) this[peerOf]?.received(exchange);
}

function stopBody(exchange: HttpExchange): void {
  exchange.request.off('data', onData).off('end', onEnd).resume();
}
