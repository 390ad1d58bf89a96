/** The floor: node:http, JSON.parse, answers of the same form. No checks, no routing, no processes. */
import { createServer } from 'node:http';
import { description, toolCount, toolNames } from './echo-tools.ts';
import { answerForServer, listen } from './server-answers.ts';

const inputSchema = { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] };
const tools = toolNames(toolCount).map((name) => ({ name, description, inputSchema }));

interface Message {
  readonly id?: number;
  readonly method: string;
  readonly params?: { readonly arguments?: { readonly text: string } };
}

function resultOf({ method, params }: Message): object {
  if (method === 'tools/list') return { tools };
  return { content: [{ type: 'text', text: params?.arguments?.text ?? '' }] };
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    if (request.method === 'DELETE') {
      response.writeHead(204).end();
      return;
    }
    const message = JSON.parse(Buffer.concat(chunks).toString()) as Message;
    if (message.id === undefined) {
      response.writeHead(202).end();
      return;
    }
    const body = JSON.stringify({ jsonrpc: '2.0', id: message.id, result: resultOf(message) });
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    response.writeHead(200, message.method === 'initialize' ? { ...headers, 'mcp-session-id': 'one' } : headers);
    response.end(body);
  });
});
await answerForServer(await listen(server));
