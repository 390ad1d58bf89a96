import { startSystem } from '../../../runtime/index.ts';
import { http2ListenerName, streamableHttp2 } from '../../../transports/http2/index.ts';
import { echo } from './echo-endpoint.ts';
import { answerForServer } from './server-answers.ts';

const system = await startSystem({ children: [streamableHttp2({ port: 0 }).childSpec(echo)] });
await answerForServer(await system.call(http2ListenerName(), 'address'));
