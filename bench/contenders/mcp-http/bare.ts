/** The floor: node:http, JSON.parse, an answer of the same form. No checks, no routing, no processes. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerForServer } from './server-answers.ts';

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
server.listen(0, '127.0.0.1');
await once(server, 'listening');
await answerForServer(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`);
