/** The node of the workload `faults`: says where it listens, and runs until its standard input ends. */
import { fromModule, mcpNode } from '../../../mcp/index.ts';
import { name, startSystem } from '../../../runtime/index.ts';
import { type HttpListenerProtocol, streamableHttp } from '../../../transports/http/index.ts';
import server from './server.ts';

const module = new URL('./server.js', import.meta.url).href;
const resourceLimits = { maxOldGenerationSizeMb: 48, maxYoungGenerationSizeMb: 8 };
const system = await startSystem({
  threads: { cpu: { count: 1, resourceLimits } },
  children: [mcpNode('mcp', { servers: [fromModule(server, module)], transports: [streamableHttp({ port: 0 })] })],
});
const { url } = await system.call(name<HttpListenerProtocol>('http_listener'), 'address');
console.log(url);
process.stdin.resume().once('end', () => void system.stop());
