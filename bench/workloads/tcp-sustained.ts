/**
 * `tcp-sustained`: what the server needs for a line of 1 KiB over TCP, with 100, 1,000 and 10,000 connections.
 *
 * - `echo`: each connection has 1 or 16 requests under way in a closed loop, 20,000 a round, or one for each place
 *   if those are more. A value is for one round trip.
 * - `send`: each connection sends lines that bring no answer, 20,000 a round, or 20 a connection if those are more,
 *   then a request, whose answer says that all were read. A value is for one line.
 *
 * `CPU` is the server's user and system time, all threads; `wall` includes the driver, which sends the load and looks
 * at the answers from one thread of the same machine. Each server is a process of its own, loaded in turn, by
 * connections that are opened for the round and used before it is timed.
 *
 * - `bare`: node:net, a request back as it came. `bare-json`: the same, parsed and serialised.
 * - `beam`: as `bare`, on gen_tcp, a process per connection, one scheduler.
 * - `ours-endpoint`: the transport `tcp` with an endpoint that does what `bare-json` does: a supervised process per
 *   connection, all bounds at work, no MCP.
 * - `ours-ping`: a node of MCP, sessions of 2025-11-25: `ping`, the line filled by `_meta`; `send` is
 *   `notifications/cancelled`. `ours-call`: `tools/call` of a tool that gives the text back; a process per request.
 */
import type { Socket } from 'node:net';
import { beamProgram, type Command, type Contender, nodeProgram } from '../contender.ts';
import { openSockets, padded, requests, reset, roundTrips, sendAll } from '../line-load.ts';
import { alternate } from '../rounds.ts';
import { type Aim, isWanted, type Row, type RunOptions, scaled, type Workload } from '../workload.ts';

const defaultRounds = 3;
const baseLines = 20_000;
const linesPerConnection = 20;
const warmUpTrips = 5_000;
const sizes = [100, 1_000, 10_000];
const depths = [1, 16];

const plain = requests('"method":"tools/call","params":{"data":"', '"}}');
const ping = requests('"method":"ping","params":{"_meta":{"x":"', '"}}}');
const call = requests('"method":"tools/call","params":{"name":"echo","arguments":{"text":"', '"}}}');
const cancelled = '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,"reason":"';
const notification = padded(cancelled, '"}}');
const clientInfo = { name: 'bench', version: '1' };
const initialize = JSON.stringify({
  id: 1,
  jsonrpc: '2.0',
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo },
});
const initialized = Buffer.from('{"jsonrpc":"2.0","method":"notifications/initialized"}\n');

interface Server {
  readonly command: Command | undefined;
  readonly lines: readonly Buffer[];
  /** Whether a connection begins with `initialize`. */
  readonly session?: true;
}

interface Cost {
  readonly cpuUs: number;
  readonly wallUs: number;
}

type Run = (sockets: readonly Socket[], lines: readonly Buffer[]) => Promise<void>;

function servers(options: RunOptions): Map<string, Server> {
  const all: readonly [string, () => Server][] = [
    ['bare', () => ({ command: nodeProgram('transports/bare-tcp'), lines: plain })],
    ['bare-json', () => ({ command: nodeProgram('transports/bare-json'), lines: plain })],
    ['beam', () => ({ command: beamProgram({ modules: ['tcp_echo'] }), lines: plain })],
    ['ours-endpoint', () => ({ command: nodeProgram('transports/ours-tcp'), lines: plain })],
    ['ours-ping', () => ({ command: nodeProgram('transports/ours-node'), lines: ping, session: true })],
    ['ours-call', () => ({ command: nodeProgram('transports/ours-node'), lines: call, session: true })],
  ];
  const wanted = all.filter(([name]) => isWanted(name, options)).map(([name, server]) => [name, server()] as const);
  if (wanted.some(([, { command }]) => command === undefined)) {
    options.note('beam is left out: there is no Erlang/OTP');
  }
  return new Map(wanted.filter(([, { command }]) => command !== undefined));
}

async function cpuUs(contender: Contender): Promise<number> {
  return ((await contender.ask<{ readonly value: number }>('cpu')) as { readonly value: number }).value;
}

/** Opens the connections, has something on each to warm up, and runs for the clock. */
async function cost(contender: Contender, server: Server, connections: number, run: Run): Promise<Cost> {
  const { port } = (await contender.ask<{ readonly port: number }>('address')) as { readonly port: number };
  const sockets = await openSockets(port, connections);
  if (server.session === true) {
    await roundTrips(sockets, [Buffer.from(`${initialize}\n`)], 1, connections);
    for (const socket of sockets) socket.write(initialized);
  }
  await roundTrips(sockets, server.lines, 1, Math.max(warmUpTrips, connections));
  const before = await cpuUs(contender);
  const start = process.hrtime.bigint();
  await run(sockets, server.lines);
  const wallUs = Number(process.hrtime.bigint() - start) / 1_000;
  const used = (await cpuUs(contender)) - before;
  reset(sockets);
  return { cpuUs: used, wallUs };
}

/** Of an echo through all of MCP: at most twice the floor; against the BEAM, which parses nothing, half or as much. */
function aimsOf(contender: string, depth: number | undefined): readonly Aim[] | undefined {
  if (contender !== 'ours-ping' || depth === undefined) return undefined;
  return [
    { ratio: 0.5, over: 'bare' },
    { ratio: depth === 1 ? 0.5 : 1, over: 'beam' },
  ];
}

export const tcpSustained: Workload = {
  name: 'tcp-sustained',
  title: 'CPU time of the server, and wall time, per line of 1 KiB over TCP',
  reference: 'bare',
  async run(options) {
    const all = servers(options);
    const measure = async (
      operation: string,
      depth: number | undefined,
      connections: number,
      lines: number,
      run: Run,
    ) => {
      // A notification does not get as far as a tool.
      const those = [...all].filter(([name]) => depth !== undefined || name !== 'ours-call');
      const programs = new Map(those.map(([name, { command }]) => [name, command as Command]));
      const answers = await alternate<Cost>({
        contenders: programs,
        rounds: options.rounds ?? defaultRounds,
        round: (contender, name) => cost(contender, all.get(name) as Server, connections, run),
      });
      for (const [of, unit] of [
        ['cpuUs', 'us CPU'],
        ['wallUs', 'us'],
      ] as const) {
        const rows = [...answers].map(([contender, rounds]): Row => {
          const aims = of === 'cpuUs' ? aimsOf(contender, depth) : undefined;
          const values = rounds.map((round) => round[of] / lines);
          const title = `${operation}, ${of === 'cpuUs' ? 'CPU' : 'wall'}`;
          return { operation: title, contender, unit, values, ...(aims !== undefined && { aims }) };
        });
        options.measured(rows);
      }
    };
    if (all.size === 0) return;
    for (const size of sizes) {
      const connections = scaled(size, options);
      for (const depth of depths) {
        const count = Math.max(scaled(baseLines, options), connections * depth);
        const trips: Run = (sockets, lines) => roundTrips(sockets, lines, depth, count);
        await measure(`echo ${size} x ${depth}`, depth, connections, count, trips);
      }
      const perSocket = Math.max(linesPerConnection, Math.round(scaled(baseLines, options) / connections));
      const sending: Run = (sockets, lines) => sendAll(sockets, notification, perSocket, lines);
      await measure(`send ${size}`, undefined, connections, connections * (perSocket + 1), sending);
    }
  },
};
