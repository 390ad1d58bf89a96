import { startSystem } from '../../../runtime/index.ts';
import { webSocket, webSocketListenerName } from '../../../transports/websocket/index.ts';
import { echo } from './echo-endpoint.ts';
import { answerForServer } from './server-answers.ts';

const bounds = { port: 0, connectionsMax: 20_000, connectionsPerAddressMax: 20_000 };
const system = await startSystem({ children: [webSocket(bounds).childSpec(echo)] });
await answerForServer(await system.call(webSocketListenerName(), 'address'));
