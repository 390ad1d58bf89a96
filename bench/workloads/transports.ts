/**
 * `transports`: what a small request costs the server on each transport, beside the least that its library does.
 *
 * A request of 100 bytes and its answer, in a closed loop; every answer is looked at. TCP, WebSocket and HTTP: 64
 * connections with one request under way each; HTTP/2: 8 sessions with 8; gRPC: 64 calls on channels of their own. A
 * value is the server's CPU time for one of 5,000, user and system, all threads. Each server is a process of its own.
 *
 * - `bare`: node:net (lines), ws, node:http, node:http2, @grpc/grpc-js: the request back as it came.
 * - `ours`: the transport with an endpoint that parses, makes an answer and serialises it; a supervised process per
 *   connection, all bounds at work.
 */
import { type Command, type Contender, nodeProgram } from '../contender.ts';
import { alternate } from '../rounds.ts';
import { openWire, type Wire } from '../soak/wires.ts';
import { isWanted, scaled, type Workload } from '../workload.ts';

const defaultRounds = 5;
const requests = 5_000;
const warmUp = 3_000;
const text = `{"id":7,"jsonrpc":"2.0","method":"ping","params":{"x":"${'X'.repeat(42)}"}}`;
const expected = 'X'.repeat(42);
const aims = [{ ratio: 0.5 }];

const kinds = [
  { kind: 'tcp', connections: 64, each: 1 },
  { kind: 'websocket', connections: 64, each: 1 },
  { kind: 'http', connections: 64, each: 1 },
  { kind: 'http2', connections: 8, each: 8 },
  { kind: 'grpc', connections: 64, each: 1 },
] as const;

interface Address {
  readonly port?: number;
  readonly url?: string;
  readonly target?: string;
}

async function ask(wires: readonly Wire[], each: number, count: number): Promise<void> {
  let left = count;
  const client = async (wire: Wire): Promise<void> => {
    while (left > 0) {
      left--;
      const answer = await wire.request(text);
      if (!answer.includes(expected)) throw new Error(`not what was sent: ${answer.slice(0, 200)}`);
    }
  };
  await Promise.all(wires.flatMap((wire) => Array.from({ length: each }, () => client(wire))));
}

async function cpuUs(contender: Contender): Promise<number> {
  return ((await contender.ask<{ readonly value: number }>('cpu')) as { readonly value: number }).value;
}

export const transports: Workload = {
  name: 'transports',
  title: 'CPU time of the server per small request, over each transport',
  reference: 'bare',
  async run(options) {
    const wanted = ['bare', 'ours'].filter((name) => isWanted(name, options));
    for (const { kind, connections, each } of kinds) {
      const count = scaled(requests, options);
      const program = (name: string): string => `transports/${name}-${kind}`;
      const answers = await alternate<{ readonly us: number }>({
        contenders: new Map<string, Command>(wanted.map((name) => [name, nodeProgram(program(name))])),
        rounds: options.rounds ?? defaultRounds,
        round: async (contender) => {
          const { port, url, target } = (await contender.ask<Address>('address')) as Address;
          const address = target ?? (kind === 'tcp' ? String(port) : (url as string));
          const wires = await Promise.all(Array.from({ length: connections }, () => openWire[kind](address)));
          await ask(wires, each, scaled(warmUp, options));
          const before = await cpuUs(contender);
          await ask(wires, each, count);
          const used = (await cpuUs(contender)) - before;
          for (const wire of wires) wire.leave(false);
          return { us: used / count };
        },
      });
      options.measured(
        [...answers].map(([contender, rounds]) => ({
          operation: kind,
          contender,
          unit: 'us CPU' as const,
          values: rounds.map(({ us }) => us),
          ...(contender === 'ours' && { aims }),
        })),
      );
    }
  },
};
