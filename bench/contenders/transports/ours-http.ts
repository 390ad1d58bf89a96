import { startSystem } from '../../../runtime/index.ts';
import { listenerName, streamableHttp } from '../../../transports/http/index.ts';
import { echo } from './echo-endpoint.ts';
import { answerForServer } from './server-answers.ts';

const system = await startSystem({ children: [streamableHttp({ port: 0 }).childSpec(echo)] });
await answerForServer(await system.call(listenerName('http'), 'address'));
