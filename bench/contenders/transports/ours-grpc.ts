import { startSystem } from '../../../runtime/index.ts';
import { grpc, grpcListenerName } from '../../../transports/grpc/index.ts';
import { echo } from './echo-endpoint.ts';
import { answerForServer } from './server-answers.ts';

const system = await startSystem({ children: [grpc({ port: 0 }).childSpec(echo)] });
await answerForServer(await system.call(grpcListenerName(), 'address'));
