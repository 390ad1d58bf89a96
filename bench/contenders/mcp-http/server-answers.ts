import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerQuestions, type Operation } from '../../contender-program.ts';

/** Tells the driver where the server listens, and what CPU time and memory this process has used so far. */
export function answerForServer(url: string): Promise<never> {
  return answerQuestions(
    new Map<string, Operation>([
      ['address', () => ({ url })],
      [
        'resident',
        () => {
          globalThis.gc?.();
          globalThis.gc?.();
          return { bytes: process.memoryUsage.rss() };
        },
      ],
      [
        'cpu',
        () => {
          const { user, system } = process.cpuUsage();
          return { cpuUs: user + system };
        },
      ],
    ]),
  );
}

/** On a port of its own; returns the address of the endpoint. */
export async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
}
