/**
 * `mcp-stdio`: what a `tools/call` over standard streams costs, in a session of 2025-11-25.
 *
 * A tool `echo` gives back 64 characters. `sequential`: one call at a time; `32 in flight`: 32 at a time; 20,000 calls
 * a round each, after as many to warm up (fewer, and most of what is measured is the compiler). The driver checks every
 * answer. CPU time is that of the server, all its threads, user and system, per call. Linux only: it comes from
 * /proc/<pid>/task/<tid>/schedstat. `wall` is the time that passes per call, as the driver on the same cores has it.
 *
 * - `bare`: lines, JSON.parse, an answer of the same form; the floor.
 * - `ours`: a node with the tool on the main thread. `threads`: on a worker thread, as under `beamish serve`.
 * - `sdk-v1`, `sdk-v2`: the official SDKs.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { nodeProgram } from '../contender.ts';
import { isWanted, scaled, type Workload } from '../workload.ts';

const defaultRounds = 5;
const text = 'x'.repeat(64);
const aim = { ratio: 2, over: 'sdk-v1' };
const calls = 20_000;
const operations = [
  { operation: 'tools/call, sequential', inFlight: 1 },
  { operation: 'tools/call, 32 in flight', inFlight: 32 },
] as const;
const programs = new Map([
  ['bare', 'bare'],
  ['ours', 'ours'],
  ['threads', 'ours-threads'],
  ['sdk-v1', 'sdk-v1'],
  ['sdk-v2', 'sdk-v2'],
]);

/** Per call. */
interface Cost {
  readonly cpuUs: number;
  readonly wallUs: number;
}

/** A server, and who waits for which of its answers. */
class Server {
  readonly child: ChildProcess;
  private readonly waiting = new Map<number, (line: string) => void>();
  private last = 0;

  constructor(program: string) {
    const { file, args } = nodeProgram(`mcp-stdio/${program}`);
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

  async costPerCall(count: number, inFlight: number): Promise<Cost> {
    const before = this.cpuUs();
    const start = performance.now();
    let left = count;
    const client = async (): Promise<void> => {
      while (left-- > 0) {
        const line = await this.ask('tools/call', { name: 'echo', arguments: { text } });
        if (!line.includes(text)) throw new Error(`wrong answer: ${line.slice(0, 200)}`);
      }
    };
    await Promise.all(Array.from({ length: inFlight }, client));
    const wallUs = ((performance.now() - start) * 1_000) / count;
    return { cpuUs: (this.cpuUs() - before) / count, wallUs };
  }
}

export const mcpStdio: Workload = {
  name: 'mcp-stdio',
  title: 'CPU time of the server, and the time that passes, per tools/call over standard streams',
  reference: 'sdk-v1',
  async run(options) {
    if (process.platform !== 'linux') return options.note('needs /proc');
    const wanted = [...programs].filter(([name]) => isWanted(name, options));
    const servers = new Map(wanted.map(([name, program]) => [name, new Server(program)]));
    const count = scaled(calls, options);
    try {
      for (const server of servers.values()) await server.open();
      for (const { operation, inFlight } of operations) {
        const costs = new Map<string, Cost[]>(wanted.map(([name]) => [name, []]));
        for (const server of servers.values()) await server.costPerCall(count, inFlight);
        for (let round = 0; round < (options.rounds ?? defaultRounds); round++) {
          for (const [name, server] of servers) costs.get(name)?.push(await server.costPerCall(count, inFlight));
        }
        const rows = (unit: 'us CPU' | 'us', what: string, of: (cost: Cost) => number): void =>
          options.measured(
            [...costs].map(([contender, each]) => ({
              operation: what,
              contender,
              unit,
              values: each.map(of),
              ...(contender === 'ours' && { aims: [aim] }),
            })),
          );
        rows('us CPU', operation, ({ cpuUs }) => cpuUs);
        rows('us', `${operation}, wall`, ({ wallUs }) => wallUs);
      }
    } finally {
      for (const { child } of servers.values()) child.kill();
    }
  },
};
