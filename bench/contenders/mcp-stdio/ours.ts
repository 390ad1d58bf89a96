/** A node of ours with one tool on its standard streams, all on the main thread. */
import { mcpNode } from '../../../mcp/index.ts';
import { startSystem } from '../../../runtime/index.ts';
import { stdio } from '../../../transports/stdio.ts';
import server from '../mcp-http/echo-server.ts';

await startSystem({ children: [mcpNode('mcp', { servers: [server], transports: [stdio()] })] });
