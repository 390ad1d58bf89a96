/** A node of ours with one tool, all on the main thread. */
import { mcpNode } from '../../../mcp/index.ts';
import { name, startSystem } from '../../../runtime/index.ts';
import { type HttpListenerProtocol, streamableHttp } from '../../../transports/http/index.ts';
import server from './echo-server.ts';
import { answerForServer } from './server-answers.ts';

const system = await startSystem({
  children: [mcpNode('mcp', { servers: [server], transports: [streamableHttp({ port: 0 })] })],
});
const { url } = await system.call(name<HttpListenerProtocol>('http_listener'), 'address');
await answerForServer(url);
