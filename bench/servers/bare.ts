/** The floor: node:http, JSON.parse, an answer of the same form. No checks, no routing, no processes. */
import { createServer } from 'node:http';
import { reportCpu } from './report-cpu.ts';

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const message = JSON.parse(Buffer.concat(chunks).toString()) as {
      id: number;
      params?: { arguments?: { text: string } };
    };
    const content = [{ type: 'text', text: message.params?.arguments?.text ?? '' }];
    const body = JSON.stringify({ jsonrpc: '2.0', id: message.id, result: { content } });
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
    response.end(body);
  });
});
server.listen(0, '127.0.0.1', () => reportCpu(`http://127.0.0.1:${(server.address() as { port: number }).port}/mcp`));
