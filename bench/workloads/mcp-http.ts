/**
 * `mcp-http`: CPU time of the server per `tools/call` and `tools/list` over HTTP, with 1 tool and with 30.
 *
 * A tool `echo` gives back 64 characters; JSON answers, 16 keep-alive connections in a closed loop, 20,000 calls a
 * round after 5,000 to warm up, and a tenth as many lists. The driver sends the load and checks every answer. Each
 * server runs in a process of its own, all during the whole run, and is loaded in turn. A value is the user and system
 * time of the server (getrusage, all threads) divided by the requests of the round.
 *
 * - `bare`: node:http, JSON.parse, an answer of the same form; the floor.
 * - `ours-2025-11-25`: a session of the revision 2025-11-25. `ours-2026-07-28`: stateless requests.
 * - `threads-…`: the same with the tool on a worker thread, as under `beamish serve`; lists are answered before that.
 * - `sdk-v1`: the official SDK, version 1, with sessions. `sdk-v2-…`: version 2, with sessions and stateless.
 */
import { type Contender, nodeProgram } from '../contender.ts';
import { type Load, post, run } from '../load.ts';
import { alternate } from '../rounds.ts';
import { isWanted, type RunOptions, scaled, type Workload } from '../workload.ts';

const defaultRounds = 5;
const warmUpRequests = 5_000;
const requests = 20_000;
/** As a part of the calls: the SDKs make their lists anew each time. */
const listsPart = 0.1;
const toolCounts = [1, 30] as const;
const methods = ['tools/call', 'tools/list'] as const;
const aim = { ratio: 0.5 };
const connections = 16;
const text = 'x'.repeat(64);
const json = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
const call = { name: 'echo', arguments: { text } };

type Method = (typeof methods)[number];

/** What is sent with each request of that method. */
type Prepare = (url: string, method: Method) => Promise<{ headers: Record<string, string>; params: object }>;

const servers: readonly (readonly [name: string, program: string, prepare: Prepare])[] = [
  ['bare', 'bare', stateless],
  ['ours-2025-11-25', 'ours', session],
  ['ours-2026-07-28', 'ours', stateless],
  ['threads-2025-11-25', 'ours-threads', session],
  ['threads-2026-07-28', 'ours-threads', stateless],
  ['sdk-v1', 'sdk-v1', session],
  ['sdk-v2-2025-11-25', 'sdk-v2', session],
  ['sdk-v2-2026-07-28', 'sdk-v2', stateless],
];

async function session(url: string, method: Method): ReturnType<Prepare> {
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'bench', version: '1' } };
  const opened = await post(url, json, JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params }));
  const id = opened.headers['mcp-session-id'];
  const ofSession = {
    ...json,
    'mcp-protocol-version': '2025-11-25',
    ...(typeof id === 'string' && { 'mcp-session-id': id }),
  };
  await post(url, ofSession, JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }));
  return { headers: ofSession, params: method === 'tools/call' ? call : {} };
}

async function stateless(_url: string, method: Method): ReturnType<Prepare> {
  const isCall = method === 'tools/call';
  const named = isCall && { 'mcp-name': call.name };
  const headers = { ...json, 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, ...named };
  const prefix = 'io.modelcontextprotocol/';
  const _meta = { [`${prefix}protocolVersion`]: '2026-07-28', [`${prefix}clientCapabilities`]: {} };
  return { headers, params: { ...(isCall && call), _meta } };
}

async function loadOf(contender: Contender, prepare: Prepare, method: Method, tools: number): Promise<Load> {
  const { url } = (await contender.ask<{ readonly url: string }>('address')) as { readonly url: string };
  const { headers, params } = await prepare(url, method);
  const body = JSON.stringify({ jsonrpc: '2.0', id: 7, method, params });
  const expected = method === 'tools/call' ? text : `"echo${tools === 1 ? '' : `-${tools}`}"`;
  return { url, connections, headers, body, expected };
}

/** CPU time per request while the load runs. */
async function cpuUsPerRequest(contender: Contender, load: Load, count: number): Promise<{ readonly cpuUs: number }> {
  const used = async (): Promise<number> =>
    ((await contender.ask<{ readonly cpuUs: number }>('cpu')) as { readonly cpuUs: number }).cpuUs;
  const before = await used();
  await run(load, count);
  return { cpuUs: ((await used()) - before) / count };
}

async function measureWith(tools: number, options: RunOptions): Promise<void> {
  const wanted = servers.filter(([name]) => isWanted(name, options));
  const prepare = new Map(wanted.map(([name, , each]) => [name, each]));
  const contenders = new Map(
    wanted.map(([name, program]) => {
      const { file, args } = nodeProgram(`mcp-http/${program}`);
      return [name, { file, args: [...args, `${tools}`] }];
    }),
  );
  const loads = new Map<string, Load>();
  const both = async (contender: Contender, name: string, count: number): Promise<Map<Method, number>> => {
    const costs = new Map<Method, number>();
    for (const method of methods) {
      const isCall = method === 'tools/call';
      if (!isCall && name.startsWith('threads-')) continue;
      const key = `${name} ${method}`;
      const load = loads.get(key) ?? (await loadOf(contender, prepare.get(name) as Prepare, method, tools));
      loads.set(key, load);
      const { cpuUs } = await cpuUsPerRequest(contender, load, scaled(count * (isCall ? 1 : listsPart), options));
      costs.set(method, cpuUs);
    }
    return costs;
  };
  const answers = await alternate({
    contenders,
    rounds: options.rounds ?? defaultRounds,
    warmUp: (contender, name) => both(contender, name, warmUpRequests),
    round: (contender, name) => both(contender, name, requests),
  });
  for (const method of methods) {
    options.measured(
      [...answers]
        .filter(([, rounds]) => rounds[0]?.has(method))
        .map(([contender, rounds]) => ({
          operation: `${method}, ${tools} tool${tools === 1 ? '' : 's'}`,
          contender,
          unit: 'us CPU',
          values: rounds.map((costs) => costs.get(method) as number),
          ...(contender.startsWith('ours') && { aims: [aim] }),
        })),
    );
  }
}

export const mcpHttp: Workload = {
  name: 'mcp-http',
  title: `CPU time of the server per request, ${connections} connections`,
  reference: 'bare',
  async run(options) {
    if (!servers.some(([name]) => isWanted(name, options))) return;
    for (const tools of toolCounts) await measureWith(tools, options);
  },
};
