/** The floor: node:http, every body back as it came. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerForServer } from './server-answers.ts';

const server = createServer((request, response) => {
  const pieces: Buffer[] = [];
  request.on('data', (piece: Buffer) => pieces.push(piece));
  request.on('end', () => {
    const body = Buffer.concat(pieces);
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length });
    response.end(body);
  });
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 1_024 });
await once(server, 'listening');
await answerForServer({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp` });
