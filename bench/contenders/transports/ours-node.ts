/** A node of ours with one tool, on TCP: sessions, requests and connections are supervised. All on the main thread. */
import { mcpNode } from '../../../mcp/index.ts';
import { startSystem } from '../../../runtime/index.ts';
import { tcp, tcpListenerName } from '../../../transports/tcp/index.ts';
import server from '../mcp-http/echo-server.ts';
import { answerForServer } from './server-answers.ts';

const transports = [tcp({ port: 0, connectionsMax: 20_000, connectionsPerAddressMax: 20_000 })];
const limits = { sessionsMax: 20_000 };
const system = await startSystem({ children: [mcpNode('mcp', { servers: [server], transports, limits })] });
await answerForServer(await system.call(tcpListenerName(), 'address'));
