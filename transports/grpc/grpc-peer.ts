import type { ServerHttp2Stream } from 'node:http2';
import type { Metadata, ServerDuplexStream } from '@grpc/grpc-js';
import { type ExitReason, isNormalExit } from '../../runtime/index.ts';
import { type Arrival, TURNED_AWAY, type TurnedAway } from '../arrival.ts';
import { IdleWatch } from '../idle-watch.ts';
import type { GrpcLimits } from '../limits.ts';
import type { Intake, SlowReader } from '../peer.ts';
import { serialise } from '../serialise.ts';
import type { RemoteEnd } from '../tls.ts';
import type { ConnectionInfo, Outbound } from '../transport.ts';
import type { DecodedText } from './message-codec.ts';

/** Status codes of gRPC. */
const RESOURCE_EXHAUSTED = 8;
const INTERNAL = 13;
const UNAVAILABLE = 14;
/** RFC 9113, section 7. */
const CANCEL = 8;

const turnedAwayCode: Readonly<Record<TurnedAway, number>> = {
  too_many_connections: RESOURCE_EXHAUSTED,
  too_many_connections_of_address: RESOURCE_EXHAUSTED,
  out_of_descriptors: RESOURCE_EXHAUSTED,
  unavailable: UNAVAILABLE,
  internal_error: INTERNAL,
};

/** Unread bytes from which on a client is not read. */
const HIGH_WATER_BYTES = 64 * 1_024;

export type GrpcCall = ServerDuplexStream<DecodedText, string>;

/** The stream of HTTP/2 under a call, which the library does not show. */
export function streamOf(call: GrpcCall): ServerHttp2Stream | undefined {
  return (call as unknown as { readonly call?: { readonly stream?: ServerHttp2Stream } }).call?.stream;
}

/** One call of the method `Connect`: a connection. Sessions of HTTP/2, which carry many, are the library's. */
export class GrpcPeer implements Arrival {
  readonly info: ConnectionInfo;
  private readonly call: GrpcCall;
  private readonly headers: Metadata;
  private readonly limits: GrpcLimits;
  private readonly idle: IdleWatch;
  private intake: Intake | undefined;
  private exchanges = 0;
  private queuedBytes = 0;
  private reading = true;
  private hasEnded = false;
  private gone = false;

  constructor(call: GrpcCall, headers: Metadata, from: RemoteEnd, limits: GrpcLimits) {
    this.info = { transport: 'grpc', kind: 'stream', ...from };
    this.call = call;
    this.headers = headers;
    this.limits = limits;
    this.idle = new IdleWatch(limits.idleTimeoutMs);
    call.pause(); // until the process is there
    call.on('data', this.onMessage).on('end', this.onEnd).on('cancelled', this.onClose).on('close', this.onClose);
  }

  get isOpen(): boolean {
    return this.intake !== undefined;
  }

  get isGone(): boolean {
    return this.gone;
  }

  turnAway(why: TurnedAway): void {
    this.gone = true;
    this.endWith(turnedAwayCode[why], `${why}: ${TURNED_AWAY[why]}`);
  }

  // ---- Peer

  open(intake: Intake): void {
    this.intake = intake;
    if (this.gone) {
      intake.closed();
      return;
    }
    intake.wakeAfter(this.idle.checkMs);
    this.call.sendMetadata(this.headers); // tells the client that it has been taken
    this.call.resume();
  }

  send({ message, end }: Outbound): SlowReader | undefined {
    if (message !== undefined && !this.gone) {
      const { queuedBytes } = this;
      const limitBytes = this.limits.queuedBytesMax;
      if (queuedBytes > limitBytes) return { slow_reader: { queuedBytes, limitBytes } };
      const text = serialise(message);
      const bytes = Buffer.byteLength(text);
      this.queuedBytes += bytes;
      this.call.write(text, () => {
        this.queuedBytes -= bytes;
        this.pump();
      });
      if (this.queuedBytes > HIGH_WATER_BYTES) this.call.pause();
    }
    if (end) this.pump();
    return undefined;
  }

  stopReading(): void {
    this.reading = false;
    this.call.resume(); // what still comes is dropped; its end is behind it
  }

  end(): void {
    this.call.end();
  }

  close(reason: ExitReason): void {
    if (this.gone) return;
    this.gone = true;
    if (this.queuedBytes > 0) this.cut();
    else if (isNormalExit(reason)) this.endWith(UNAVAILABLE, 'unavailable: the connection was ended');
    else this.endWith(INTERNAL, 'internal_error: the connection has failed');
  }

  wake(): void {
    const { idle, intake } = this;
    if (intake === undefined || this.gone) return;
    if (!idle.check(intake)) intake.wakeAfter(idle.checkMs);
  }

  // ---- what the call reports

  private readonly onMessage = ({ text, fault }: DecodedText): void => {
    const { intake } = this;
    if (!this.reading || this.gone || intake === undefined) return;
    this.idle.touch();
    const exchange = ++this.exchanges;
    intake.deliver(fault === undefined ? { exchange, text } : { exchange, text, fault });
    if (this.isFull(intake)) this.call.pause();
  };

  private readonly onEnd = (): void => {
    this.hasEnded = true;
    if (this.reading && !this.gone) this.intake?.ended();
  };

  private readonly onClose = (): void => {
    if (this.gone) return;
    this.gone = true;
    this.intake?.closed();
  };

  private pump(): void {
    const { intake, call } = this;
    if (intake === undefined || this.gone || this.hasEnded || !call.isPaused()) return;
    if (!this.reading || !this.isFull(intake)) call.resume();
  }

  private isFull(intake: Intake): boolean {
    return intake.isFull || this.queuedBytes > HIGH_WATER_BYTES;
  }

  /** The library makes the status of an error, and ends the call with it. */
  private endWith(code: number, details: string): void {
    this.call.resume();
    this.call.emit('error', Object.assign(new Error(details), { code, details }));
  }

  /** A status would wait behind what is not read. The library cannot reset a call, its stream can. */
  private cut(): void {
    streamOf(this.call)?.close(CANCEL);
    this.call.destroy();
  }
}
