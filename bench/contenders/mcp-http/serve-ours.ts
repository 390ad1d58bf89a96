/** A node of ours over HTTP, with as many tools as its argument says. */
import { mcpNode } from '../../../mcp/index.ts';
import { name, type SystemOptions, startSystem } from '../../../runtime/index.ts';
import { type HttpListenerProtocol, streamableHttp } from '../../../transports/http/index.ts';
import echo from './echo-server.ts';
import echo30 from './echo-server-30.ts';
import { toolCount } from './echo-tools.ts';
import { answerForServer } from './server-answers.ts';

export async function serveOurs(options: Pick<SystemOptions, 'threads'>): Promise<never> {
  const servers = [toolCount === 1 ? echo : echo30];
  const system = await startSystem({
    ...options,
    children: [mcpNode('mcp', { servers, transports: [streamableHttp({ port: 0 })] })],
  });
  const { url } = await system.call(name<HttpListenerProtocol>('http_listener'), 'address');
  return answerForServer(url);
}
