import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { answerForServer } from './server-answers.ts';

/** `node:net` and lines, nothing else: what a line brings goes back, all of one read in one write. */
export async function serveLines(answer: (line: string) => string): Promise<never> {
  const server = createServer({ noDelay: true }, (socket) => {
    let rest = '';
    socket.setEncoding('utf8');
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: string) => {
      const text = rest + chunk;
      let answers = '';
      let start = 0;
      for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
        answers += answer(text.slice(start, end + 1));
        start = end + 1;
      }
      rest = text.slice(start);
      if (answers !== '') socket.write(answers);
    });
  });
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1_024 });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return answerForServer({ port });
}
