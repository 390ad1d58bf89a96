import { startSystem } from '../../../runtime/index.ts';
import { tcp, tcpListenerName } from '../../../transports/tcp/index.ts';
import { echo } from './echo-endpoint.ts';
import { answerForServer } from './server-answers.ts';

const bounds = { port: 0, connectionsMax: 20_000, connectionsPerAddressMax: 20_000 };
const system = await startSystem({ children: [tcp(bounds).childSpec(echo)] });
await answerForServer(await system.call(tcpListenerName(), 'address'));
