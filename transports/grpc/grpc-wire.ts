import { isIP } from 'node:net';
import { checkServerIdentity, createSecureContext } from 'node:tls';
import type { ChannelCredentials, Client, ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import type { Clock } from '../../runtime/index.ts';
import type { CarrierOutlet } from '../client/carrier-outlet.ts';
import { connectedWithin } from '../client/connecting.ts';
import type { Disconnected, Wire } from '../client/stream-carrier.ts';
import { FAREWELL_MS, type SocketClientLimits } from '../limits.ts';
import { serialise } from '../serialise.ts';
import { clientTls, type TlsClientOptions } from '../tls.ts';
import { connectMethod, loadGrpc } from './library.ts';
import type { DecodedText } from './message-codec.ts';

/**
 * What is said in place of the name of a server that is known by its address only: an address is no name to TLS
 * (RFC 6066, 3), and Node.js from 26 on refuses it. Nobody has this name (RFC 2606, 2).
 */
const NAMELESS = 'address.invalid';

/** Where a client of gRPC connects to. */
export interface GrpcTarget {
  readonly target: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly tls: TlsClientOptions | undefined;
}

/** The client's end of a call. It is connected when the server has sent its headers. */
export class GrpcWire implements Wire {
  private readonly client: Client;
  private readonly call: ClientDuplexStream<string, DecodedText>;
  private readonly outlet: CarrierOutlet;
  private readonly limits: SocketClientLimits;
  private readonly clock: Clock;
  private fail: (error: Error) => void = () => {};
  private isConnected = false;
  private error: ServiceError | undefined;
  private queuedBytes = 0;
  private over = false;

  constructor({ target, metadata, tls }: GrpcTarget, outlet: CarrierOutlet, limits: SocketClientLimits, clock: Clock) {
    const grpc = loadGrpc();
    this.outlet = outlet;
    this.limits = limits;
    this.clock = clock;
    const address = addressOf(target);
    const name = tls?.servername ?? (tls === undefined || address === undefined ? undefined : NAMELESS);
    this.client = new grpc.Client(target, credentialsOf(tls, address), {
      'grpc.max_receive_message_length': limits.messageBytesMax,
      'grpc.use_local_subchannel_pool': 1, // a connection of its own, which ends with it
      'grpc.enable_http_proxy': 0,
      'grpc.enable_retries': 0, // the client decides what is repeated
      'grpc.enable_channelz': 0,
      ...(name !== undefined && { 'grpc.ssl_target_name_override': name }),
    });
    const fields = new grpc.Metadata();
    for (const [key, value] of Object.entries(metadata)) fields.set(key, value);
    const { path, requestSerialize, responseDeserialize } = connectMethod;
    this.call = this.client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, fields, {});
    this.call
      .on('data', (message: DecodedText) => this.onMessage(message))
      .on('error', (error: ServiceError) => {
        this.error ??= error;
      })
      .on('status', () => this.onStatus());
  }

  async connected(): Promise<void> {
    await connectedWithin(this.limits.connectTimeoutMs, this.clock, (ready, fail) => {
      this.fail = fail;
      this.call.once('metadata', ready);
    });
    this.isConnected = true;
  }

  send(message: object): boolean {
    if (this.queuedBytes > this.limits.queuedBytesMax) return false;
    const text = serialise(message);
    const bytes = Buffer.byteLength(text);
    this.queuedBytes += bytes;
    this.call.write(text, () => {
      this.queuedBytes -= bytes;
    });
    return true;
  }

  pump(): void {
    if (this.call.isPaused() && !this.outlet.isFull) this.call.resume();
  }

  /** Ends our half behind what was sent; a server that does not end its own in time is left. */
  close(): void {
    if (this.over || !this.isConnected) {
      this.leave();
      return;
    }
    this.call.resume();
    this.call.end();
    const timer = this.clock.setTimer(() => this.leave(), FAREWELL_MS);
    this.call.once('status', () => {
      this.clock.clearTimer(timer);
      this.client.close();
    });
  }

  private leave(): void {
    this.call.cancel();
    this.client.close();
  }

  private onMessage({ text, fault }: DecodedText): void {
    this.outlet.text(fault === undefined ? { exchange: 0, text } : { exchange: 0, text, fault });
    if (this.outlet.isFull) this.call.pause();
  }

  /** The last that is heard of a call. An error, if it was one, comes before or right after it. */
  private onStatus(): void {
    this.over = true;
    process.nextTick(() => {
      const { status } = loadGrpc();
      const { code, details } = this.error ?? { code: status.OK, details: 'the server has ended the call' };
      const why: Disconnected = { code: `GRPC_${status[code]}`, message: details };
      if (this.isConnected) this.outlet.self('disconnected', code === status.OK ? undefined : why);
      else this.fail(Object.assign(new Error(why.message), { code: why.code }));
    });
  }
}

/** The address that a target names, if it names none by a name. */
function addressOf(target: string): string | undefined {
  const host = target.slice(0, target.lastIndexOf(':')).replace(/^\[(.*)\]$/, '$1');
  return isIP(host) === 0 ? undefined : host;
}

function credentialsOf(tls: TlsClientOptions | undefined, address: string | undefined): ChannelCredentials {
  const { credentials } = loadGrpc();
  if (tls === undefined) return credentials.createInsecure();
  const context = createSecureContext(clientTls(tls));
  if (address === undefined || tls.servername !== undefined) return credentials.createFromSecureContext(context);
  return credentials.createFromSecureContext(context, {
    checkServerIdentity: (_name, certificate) => checkServerIdentity(address, certificate),
  });
}
