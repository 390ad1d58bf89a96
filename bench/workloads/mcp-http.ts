/**
 * `mcp-http`: CPU time of the server per `tools/call` over HTTP.
 *
 * A tool `echo` gives back 64 characters; JSON answers, 16 keep-alive connections in a closed loop, 20,000 requests a
 * round after 5,000 to warm up. The driver sends the load and checks every answer. Each server runs in a process of its
 * own, all during the whole run, and is loaded in turn. A value is the server's user and system time (getrusage, all
 * threads) divided by the requests of the round.
 *
 * - `bare`: node:http, JSON.parse, an answer of the same form; the floor.
 * - `ours-2025-11-25`: a session of the revision 2025-11-25. `ours-2026-07-28`: stateless requests.
 * - `threads-…`: the same with the tool on a worker thread, as under `beamish serve`.
 * - `sdk-v1`: the official SDK, version 1, stateful, wired as its documentation has it.
 */
import { type Contender, nodeProgram } from '../contender.ts';
import { type Load, post, run } from '../load.ts';
import { alternate } from '../rounds.ts';
import { isWanted, scaled, type Workload } from '../workload.ts';

const defaultRounds = 5;
const warmUpRequests = 5_000;
const requests = 20_000;
const connections = 16;
const text = 'x'.repeat(64);
const json = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
const call = { name: 'echo', arguments: { text } };

type Prepare = (url: string) => Promise<{ headers: Record<string, string>; params: object }>;

const servers: readonly (readonly [name: string, program: string, prepare: Prepare])[] = [
  ['bare', 'bare', stateless],
  ['ours-2025-11-25', 'ours', session],
  ['ours-2026-07-28', 'ours', stateless],
  ['threads-2025-11-25', 'ours-threads', session],
  ['threads-2026-07-28', 'ours-threads', stateless],
  ['sdk-v1', 'sdk-v1', session],
];

async function session(url: string): ReturnType<Prepare> {
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'bench', version: '1' } };
  const opened = await post(url, json, JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params }));
  const id = opened.headers['mcp-session-id'];
  const ofSession = {
    ...json,
    'mcp-protocol-version': '2025-11-25',
    ...(typeof id === 'string' && { 'mcp-session-id': id }),
  };
  await post(url, ofSession, JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }));
  return { headers: ofSession, params: call };
}

async function stateless(): ReturnType<Prepare> {
  const headers = { ...json, 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'echo' };
  const prefix = 'io.modelcontextprotocol/';
  const _meta = { [`${prefix}protocolVersion`]: '2026-07-28', [`${prefix}clientCapabilities`]: {} };
  return { headers, params: { ...call, _meta } };
}

async function loadOf(contender: Contender, prepare: Prepare): Promise<Load> {
  const { url } = (await contender.ask<{ readonly url: string }>('address')) as { readonly url: string };
  const { headers, params } = await prepare(url);
  const body = JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/call', params });
  return { url, connections, headers, body, expected: text };
}

/** CPU time per request while the load runs. */
async function cpuUsPerRequest(contender: Contender, load: Load, count: number): Promise<{ readonly cpuUs: number }> {
  const used = async (): Promise<number> =>
    ((await contender.ask<{ readonly cpuUs: number }>('cpu')) as { readonly cpuUs: number }).cpuUs;
  const before = await used();
  await run(load, count);
  return { cpuUs: ((await used()) - before) / count };
}

export const mcpHttp: Workload = {
  name: 'mcp-http',
  title: `CPU time of the server per tools/call, ${connections} connections`,
  reference: 'bare',
  async run(options) {
    const wanted = servers.filter(([name]) => isWanted(name, options));
    if (wanted.length === 0) return;
    const prepare = new Map(wanted.map(([name, , each]) => [name, each]));
    const loads = new Map<string, Load>();
    const answers = await alternate({
      contenders: new Map(wanted.map(([name, program]) => [name, nodeProgram(`mcp-http/${program}`)])),
      rounds: options.rounds ?? defaultRounds,
      warmUp: async (contender, name) => {
        const load = await loadOf(contender, prepare.get(name) as Prepare);
        loads.set(name, load);
        return cpuUsPerRequest(contender, load, scaled(warmUpRequests, options));
      },
      round: (contender, name) => cpuUsPerRequest(contender, loads.get(name) as Load, scaled(requests, options)),
    });
    options.measured(
      [...answers].map(([contender, rounds]) => ({
        operation: 'tools/call',
        contender,
        unit: 'us CPU',
        values: rounds.map(({ cpuUs }) => cpuUs),
      })),
    );
  },
};
