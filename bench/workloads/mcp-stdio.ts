/**
 * `mcp-stdio`: CPU time of the server per `tools/call` over standard streams, in a session of 2025-11-25.
 *
 * A tool `echo` gives back 64 characters. `sequential`: one call at a time, 5,000 a round; `32 in flight`: 20,000 a
 * round; both after a tenth of that to warm up. The driver checks every answer. Linux only: the user and system time of
 * the server, all its threads, comes from /proc/<pid>/task/<tid>/schedstat.
 *
 * - `ours`: a node with the tool on the main thread. `sdk-v1`: the official SDK, version 1.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { nodeProgram } from '../contender.ts';
import { isWanted, scaled, type Workload } from '../workload.ts';

const defaultRounds = 5;
const text = 'x'.repeat(64);
const aim = { ratio: 2, over: 'sdk-v1' };
const operations = [
  { operation: 'tools/call, sequential', inFlight: 1, calls: 5_000 },
  { operation: 'tools/call, 32 in flight', inFlight: 32, calls: 20_000 },
] as const;

/** A server, and who waits for which of its answers. */
class Server {
  readonly child: ChildProcess;
  private readonly waiting = new Map<number, (line: string) => void>();
  private last = 0;

  constructor(name: string) {
    const { file, args } = nodeProgram(`mcp-stdio/${name}`);
    this.child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: this.child.stdout! }).on('line', (line) => {
      const id = Number(/"id":(\d+)/.exec(line)?.[1]);
      this.waiting.get(id)?.(line);
      this.waiting.delete(id);
    });
  }

  ask(method: string, params: object): Promise<string> {
    const id = ++this.last;
    return new Promise((resolve) => {
      this.waiting.set(id, resolve);
      this.send({ jsonrpc: '2.0', id, method, params });
    });
  }

  send(message: object): void {
    this.child.stdin!.write(`${JSON.stringify(message)}\n`);
  }

  async open(): Promise<void> {
    const clientInfo = { name: 'bench', version: '1' };
    await this.ask('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo });
    this.send({ jsonrpc: '2.0', method: 'notifications/initialized' });
  }

  /** User and system time so far, without threads that have ended. */
  cpuUs(): number {
    const tasks = `/proc/${this.child.pid}/task`;
    const ns = (task: string): number => Number(readFileSync(`${tasks}/${task}/schedstat`, 'utf8').split(' ')[0]);
    return readdirSync(tasks).reduce((sum, task) => sum + ns(task), 0) / 1_000;
  }

  async cpuUsPerCall(count: number, inFlight: number): Promise<number> {
    const before = this.cpuUs();
    let left = count;
    const client = async (): Promise<void> => {
      while (left-- > 0) {
        const line = await this.ask('tools/call', { name: 'echo', arguments: { text } });
        if (!line.includes(text)) throw new Error(`wrong answer: ${line.slice(0, 200)}`);
      }
    };
    await Promise.all(Array.from({ length: inFlight }, client));
    return (this.cpuUs() - before) / count;
  }
}

export const mcpStdio: Workload = {
  name: 'mcp-stdio',
  title: 'CPU time of the server per tools/call over standard streams',
  reference: 'sdk-v1',
  async run(options) {
    if (process.platform !== 'linux') return options.note('needs /proc');
    const names = ['ours', 'sdk-v1'].filter((name) => isWanted(name, options));
    const servers = new Map(names.map((name) => [name, new Server(name)]));
    try {
      for (const server of servers.values()) await server.open();
      for (const { operation, inFlight, calls } of operations) {
        const count = scaled(calls, options);
        const values = new Map<string, number[]>(names.map((name) => [name, []]));
        for (const server of servers.values()) await server.cpuUsPerCall(Math.ceil(count / 10), inFlight);
        for (let round = 0; round < (options.rounds ?? defaultRounds); round++) {
          for (const [name, server] of servers) values.get(name)?.push(await server.cpuUsPerCall(count, inFlight));
        }
        options.measured(
          names.map((contender) => ({
            operation,
            contender,
            unit: 'us CPU',
            values: values.get(contender) ?? [],
            ...(contender === 'ours' && { aims: [aim] }),
          })),
        );
      }
    } finally {
      for (const { child } of servers.values()) child.kill();
    }
  },
};
