/**
 * `mcp-sessions`: what sessions of the revision 2025-11-25 cost a server over HTTP, where each has one tool.
 *
 * - `open + close`: `initialize`, `notifications/initialized` and DELETE, on 16 keep-alive connections, 2,000 sessions
 *   a round after as many to warm up: user and system time of the server (getrusage, all threads) per session.
 *   `bare` answers the same three requests and keeps nothing: the floor, of node:http and the requests alone.
 * - `bytes per idle session, 10,000`: what the resident set of a new server grows by when 10,000 sessions are opened
 *   and stay idle, garbage collected before and after, divided by 10,000.
 *
 * The servers are those of `mcp-http`, all on the main thread; `sdk-v1` and `sdk-v2` are the official SDKs.
 */
import { Agent } from 'node:http';
import { type Command, type Contender, nodeProgram } from '../contender.ts';
import { post, remove } from '../load.ts';
import { alternate } from '../rounds.ts';
import { type Aim, isWanted, type RunOptions, scaled, type Workload } from '../workload.ts';

const defaultRounds = 5;
const sessions = 2_000;
const warmUpSessions = 2_000;
const idleSessions = 10_000;
const connections = 16;
const cpuAims = [{ atMost: 150 }, { ratio: 0.5 }];
const bytesAims = [{ atMost: 6 * 1_024 }];
const json = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
const servers = ['bare', 'ours', 'sdk-v1', 'sdk-v2'] as const;
const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'bench', version: '1' } };
const initialize = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params });
const initialized = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' });

type Headers = Readonly<Record<string, string>>;

async function open(url: string, agent: Agent): Promise<Headers> {
  const opened = await post(url, json, initialize, agent);
  const id = opened.headers['mcp-session-id'];
  if (opened.status !== 200 || typeof id !== 'string') throw new Error(`no session: ${opened.status} ${opened.body}`);
  const ofSession = { ...json, 'mcp-protocol-version': '2025-11-25', 'mcp-session-id': id };
  const { status } = await post(url, ofSession, initialized, agent);
  if (status !== 202) throw new Error(`initialized was answered ${status}`);
  return ofSession;
}

async function close(url: string, headers: Headers, agent: Agent): Promise<void> {
  const { status } = await remove(url, headers, agent);
  if (status !== 200 && status !== 204) throw new Error(`DELETE was answered ${status}`);
}

/** Opens so many sessions, several at once, and closes each at once if they are not to stay. */
async function openMany(contender: Contender, count: number, stay: boolean): Promise<void> {
  const { url } = (await contender.ask<{ readonly url: string }>('address')) as { readonly url: string };
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  let left = count;
  const client = async (): Promise<void> => {
    while (left-- > 0) {
      const headers = await open(url, agent);
      if (!stay) await close(url, headers, agent);
    }
  };
  await Promise.all(Array.from({ length: connections }, client));
  agent.destroy();
}

async function asked(contender: Contender, what: 'cpuUs' | 'bytes'): Promise<number> {
  const answer = await contender.ask<Record<string, number>>(what === 'cpuUs' ? 'cpu' : 'resident');
  return answer?.[what] ?? Number.NaN;
}

async function cpuPerSession(contender: Contender, count: number): Promise<{ readonly value: number }> {
  const before = await asked(contender, 'cpuUs');
  await openMany(contender, count, false);
  return { value: ((await asked(contender, 'cpuUs')) - before) / count };
}

async function bytesPerSession(contender: Contender, options: RunOptions): Promise<{ readonly value: number }> {
  await openMany(contender, scaled(warmUpSessions, options), false);
  const count = scaled(idleSessions, options);
  const before = await asked(contender, 'bytes');
  await openMany(contender, count, true);
  return { value: ((await asked(contender, 'bytes')) - before) / count };
}

export const mcpSessions: Workload = {
  name: 'mcp-sessions',
  title: 'CPU time and memory of a server per session',
  reference: 'bare',
  async run(options) {
    const wanted = servers.filter((name) => isWanted(name, options));
    if (wanted.length === 0) return;
    const contenders = new Map<string, Command>(wanted.map((name) => [name, nodeProgram(`mcp-http/${name}`)]));
    const rounds = options.rounds ?? defaultRounds;
    const warmUp = (contender: Contender) => cpuPerSession(contender, scaled(warmUpSessions, options));
    const round = (contender: Contender) => cpuPerSession(contender, scaled(sessions, options));
    const rows = async (operation: string, unit: 'us CPU' | 'B', aims: Aim[], plan: object): Promise<void> => {
      const answers = await alternate({ contenders, rounds, round, ...plan });
      options.measured(
        [...answers].map(([contender, values]) => ({
          operation,
          contender,
          unit,
          values: values.map(({ value }) => value),
          ...(contender === 'ours' && { aims }),
        })),
      );
    };
    await rows('open + close', 'us CPU', cpuAims, { warmUp });
    const idle = (contender: Contender) => bytesPerSession(contender, options);
    // The floor keeps nothing.
    contenders.delete('bare');
    if (contenders.size === 0) return;
    await rows('bytes per idle session, 10,000', 'B', bytesAims, { round: idle, fresh: true });
  },
};
