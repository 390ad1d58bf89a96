/** A node of ours with one tool. */
import { mcpNode, mcpServer, text, tool } from '../../../mcp/index.ts';
import { name, startSystem } from '../../../runtime/index.ts';
import { type HttpListenerProtocol, streamableHttp } from '../../../transports/http/index.ts';
import { answerForServer } from './server-answers.ts';

const server = mcpServer('echo', {
  info: { name: 'echo', version: '1.0.0' },
  tools: {
    echo: tool(
      {
        description: 'Says it back.',
        input: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
      },
      async (args) => text(args.text),
    ),
  },
});
const system = await startSystem({
  children: [mcpNode('mcp', { servers: [server], transports: [streamableHttp({ port: 0 })] })],
});
const { url } = await system.call(name<HttpListenerProtocol>('http_listener'), 'address');
await answerForServer(url);
