/** A node of ours whose tool runs on a worker thread, as under `beamish serve --stdio`. */
import { mcpNode } from '../../../mcp/index.ts';
import { startSystem } from '../../../runtime/index.ts';
import { stdio } from '../../../transports/stdio.ts';
import server from '../mcp-http/echo-server.ts';

await startSystem({
  threads: { cpu: 1 },
  children: [mcpNode('mcp', { servers: [server], transports: [stdio()] })],
});
