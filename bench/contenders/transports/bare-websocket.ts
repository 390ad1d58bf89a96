/** The floor: ws, every message back as it came. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { answerForServer } from './server-answers.ts';

const server = new WebSocketServer({ port: 0, host: '127.0.0.1', backlog: 1_024, perMessageDeflate: false });
server.on('connection', (socket) => {
  socket.on('error', () => socket.terminate());
  socket.on('message', (data: Buffer) => socket.send(data, { binary: false }));
});
await once(server, 'listening');
const { port } = server.address() as AddressInfo;
await answerForServer({ port, url: `ws://127.0.0.1:${port}/mcp` });
