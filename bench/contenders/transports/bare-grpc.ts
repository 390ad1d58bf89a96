/** The floor: @grpc/grpc-js, every message of a call back as it came. */
import { promisify } from 'node:util';
import { Metadata, Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import { connectMethod } from '../../../transports/grpc/library.ts';
import type { DecodedText } from '../../../transports/grpc/message-codec.ts';
import { answerForServer } from './server-answers.ts';

const server = new Server({ 'grpc.enable_channelz': 0 });
server.addService(
  { Connect: connectMethod },
  {
    Connect: (call: ServerDuplexStream<DecodedText, string>) => {
      call.sendMetadata(new Metadata());
      call.on('error', () => call.destroy());
      call.on('data', ({ text }: DecodedText) => call.write(text));
      call.on('end', () => call.end());
    },
  },
);
const bind = promisify(server.bindAsync.bind(server)) as (at: string, by: ServerCredentials) => Promise<number>;
const port = await bind('127.0.0.1:0', ServerCredentials.createInsecure());
await answerForServer({ target: `127.0.0.1:${port}` });
