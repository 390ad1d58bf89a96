/** The floor: node:http2, every body back as it came. */
import { once } from 'node:events';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { answerForServer } from './server-answers.ts';

const server = createServer();
server.on('stream', (stream) => {
  const pieces: Buffer[] = [];
  stream.on('error', () => stream.destroy());
  stream.on('data', (piece: Buffer) => pieces.push(piece));
  stream.on('end', () => {
    const body = Buffer.concat(pieces);
    stream.respond({ ':status': 200, 'content-type': 'application/json', 'content-length': body.length });
    stream.end(body);
  });
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 1_024 });
await once(server, 'listening');
await answerForServer({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp` });
