import {
  type CallOptions,
  Client,
  type ClientDuplexStream,
  credentials,
  Metadata,
  type StatusObject,
} from '@grpc/grpc-js';
import { type System, startSystem } from '../../../runtime/index.ts';
import { deepFreeze } from '../../../runtime/testing.ts';
import { type GrpcAddress, type GrpcOptions, grpc, grpcListenerName } from '../../../transports/grpc/index.ts';
import { decodeText, encodeText } from '../../../transports/grpc/message-codec.ts';
import { MessageClient } from '../message-client.ts';
import { Observer } from '../probe-endpoint.ts';

export interface Running {
  readonly system: System;
  readonly observer: Observer;
  readonly address: GrpcAddress;
  connect(options?: CallOptions): Promise<GrpcTestClient>;
}

/** Runs the transport on a free port with the probe endpoint behind it. */
export async function withGrpc(
  options: Partial<GrpcOptions>,
  body: (running: Running) => Promise<void>,
): Promise<void> {
  const observer = new Observer();
  const transport = grpc({ port: 0, ...options });
  const system = await startSystem({ children: [transport.childSpec(observer.spec)], onSend: deepFreeze });
  try {
    const address = await system.call(grpcListenerName(transport.id), 'address');
    await body({ system, observer, address, connect: (call) => connect(address.target, call) });
  } finally {
    await system.stop();
  }
}

const alone = { 'grpc.use_local_subchannel_pool': 1 };

/** One call on a channel of its own. */
export class GrpcTestClient extends MessageClient {
  readonly call: ClientDuplexStream<string, { readonly text: string }>;
  declare readonly closed: Promise<StatusObject>;

  constructor(target: string, options: CallOptions, channel = new Client(target, credentials.createInsecure(), alone)) {
    const path = '/beamish.mcp.v1.McpService/Connect';
    const call = channel.makeBidiStreamRequest(path, encodeText, decodeText, new Metadata(), options);
    call.on('error', () => {}); // what a test looks at is the status
    super({
      send: (text) => void call.write(text),
      read: (take) => void call.on('data', ({ text }) => take(text)),
      stopReading: () => void call.pause(),
      leave: () => call.cancel(),
      closed: new Promise<StatusObject>((resolve) => {
        call.once('status', (status) => {
          resolve(status);
          channel.close();
        });
      }),
    });
    this.call = call;
  }
}

/** Resolves when the server has taken the call. */
export async function connect(target: string, options: CallOptions = {}): Promise<GrpcTestClient> {
  const client = new GrpcTestClient(target, options);
  await taken(client);
  return client;
}

export async function taken({ call, closed }: GrpcTestClient): Promise<void> {
  const headers = new Promise<undefined>((resolve) => call.once('metadata', () => resolve(undefined)));
  const status = await Promise.race([headers, closed]);
  if (status !== undefined) throw new Error(`the call was not taken: ${status.details}`);
}
