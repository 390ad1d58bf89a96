/**
 * `transports-idle`: what an open connection on which nothing happens costs the server, and a first message on each.
 *
 * 10,000 connections are opened by the driver, 100 at a time. `memory` is the growth of the server's resident memory,
 * after garbage collection, divided by the connections; before it a tenth of them came and went, so that code is
 * compiled and pools are filled. `open` is one connection taken, handshake included; `echo` one message of 1 KiB there
 * and back, a message on every connection at once. `CPU` is user and system time of the server, all threads; `wall`
 * includes the driver, one thread on the same machine. A new server for each round.
 *
 * - `bare-tcp`, `bare-websocket`: node:net and ws, echo. `ours-…`: our transports with an endpoint that parses and
 *   serialises, a supervised process per connection. The messages of `ours-sse` are posted over 100 connections.
 */
import { Agent, get, type IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { EventStream } from '../../transports/client/event-stream.ts';
import { type Command, type Contender, nodeProgram } from '../contender.ts';
import { openMany, openSockets, padded, reset, roundTrips } from '../line-load.ts';
import { post } from '../load.ts';
import { alternate } from '../rounds.ts';
import { isWanted, scaled, type Workload } from '../workload.ts';

const defaultRounds = 3;
const baseConnections = 10_000;
const POSTING_MAX = 100;
const line = padded('{"id":7,"jsonrpc":"2.0","method":"ping","params":{"x":"', '"}}');
const message = line.toString().trimEnd();

interface Address {
  readonly port: number;
  readonly url: string;
}

/** All connections of a round. */
interface Opened {
  close(): void;
  /** One message on each, and its answer. */
  echo(): Promise<void>;
}

async function openTcp({ port }: Address, count: number): Promise<Opened> {
  const sockets = await openSockets(port, count);
  return { close: () => reset(sockets), echo: () => roundTrips(sockets, [line], 1, count) };
}

async function openWebSockets({ url }: Address, count: number): Promise<Opened> {
  const sockets = await openMany(count, async () => {
    const socket = new WebSocket(url, 'mcp', { perMessageDeflate: false });
    await new Promise<void>((resolve, reject) => void socket.once('open', resolve).once('error', reject));
    return socket;
  });
  const echo = (socket: WebSocket): Promise<void> =>
    new Promise((resolve, reject) => {
      socket.once('close', () => reject(new Error('the server has closed a connection')));
      socket.once('message', (data: Buffer) => {
        socket.removeAllListeners('close');
        if (data.length > message.length / 2) resolve();
        else reject(new Error(`not what was sent: ${data.toString()}`));
      });
      socket.send(message);
    });
  return {
    close: () => {
      for (const socket of sockets) socket.terminate();
    },
    echo: async () => void (await Promise.all(sockets.map(echo))),
  };
}

async function openStreams({ url }: Address, count: number): Promise<Opened> {
  const streams = await openMany(count, async () => {
    const request = get(url, { headers: { accept: 'text/event-stream' }, agent: false });
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request.once('response', resolve).once('error', reject);
    });
    const events = new EventStream(1e6, 'endpoint');
    const next = (): Promise<string> =>
      new Promise((resolve, reject) => {
        response.once('close', () => reject(new Error('the server has closed a stream')));
        const take = (chunk: string): void => {
          const [event] = events.push(chunk);
          if (event === undefined || !('data' in event)) return;
          response.removeAllListeners('close').off('data', take);
          resolve(event.data);
        };
        response.setEncoding('utf8').on('data', take);
      });
    const postTo = new URL(await next(), url).href;
    return { response, postTo, next };
  });
  // The posts come over connections of their own, as those of a page do.
  const agent = new Agent({ keepAlive: true, maxSockets: POSTING_MAX });
  const echo = async ({ postTo, next }: (typeof streams)[number]): Promise<void> => {
    const answered = next();
    const { status } = await post(postTo, { 'content-type': 'application/json' }, message, agent);
    const answer = await answered;
    if (status !== 202 || answer.length < message.length / 2) throw new Error(`not what was sent: ${status} ${answer}`);
  };
  return {
    close: () => {
      agent.destroy();
      for (const { response } of streams) response.destroy();
    },
    echo: async () => void (await Promise.all(streams.map(echo))),
  };
}

const servers = new Map<string, (address: Address, count: number) => Promise<Opened>>([
  ['bare-tcp', openTcp],
  ['ours-tcp', openTcp],
  ['bare-websocket', openWebSockets],
  ['ours-websocket', openWebSockets],
  ['ours-sse', openStreams],
]);
const memoryAims = new Map([
  ['ours-tcp', [{ atMost: 12 * 1_024 }]],
  ['ours-websocket', [{ atMost: 14 * 1_024 }]],
]);

interface Cost {
  readonly cpuUs: number;
  readonly wallUs: number;
}

interface Round {
  readonly bytes: number;
  readonly open: Cost;
  readonly echo: Cost;
}

async function number(contender: Contender, operation: 'cpu' | 'memory'): Promise<number> {
  return ((await contender.ask<{ readonly value: number }>(operation)) as { readonly value: number }).value;
}

async function timed<T>(contender: Contender, count: number, run: () => Promise<T>): Promise<{ done: T; cost: Cost }> {
  const before = await number(contender, 'cpu');
  const start = process.hrtime.bigint();
  const done = await run();
  const wallUs = Number(process.hrtime.bigint() - start) / 1_000 / count;
  return { done, cost: { cpuUs: ((await number(contender, 'cpu')) - before) / count, wallUs } };
}

async function oneRound(contender: Contender, name: string, count: number): Promise<Round> {
  const address = (await contender.ask<Address>('address')) as Address;
  const open = servers.get(name)!;
  const first = await open(address, Math.ceil(count / 10));
  await first.echo();
  first.close();
  const before = await number(contender, 'memory');
  const { done, cost } = await timed(contender, count, () => open(address, count));
  const bytes = ((await number(contender, 'memory')) - before) / count;
  const { cost: echo } = await timed(contender, count, () => done.echo());
  done.close();
  return { bytes, open: cost, echo };
}

export const transportsIdle: Workload = {
  name: 'transports-idle',
  title: 'memory per idle connection; CPU and wall time to open one, and of one echo on each',
  reference: 'bare-tcp',
  async run(options) {
    const wanted = [...servers.keys()].filter((name) => isWanted(name, options));
    if (wanted.length === 0) return;
    const count = scaled(baseConnections, options);
    const answers = await alternate<Round>({
      contenders: new Map<string, Command>(wanted.map((name) => [name, nodeProgram(`transports/${name}`)])),
      rounds: options.rounds ?? defaultRounds,
      fresh: true,
      round: (contender, name) => oneRound(contender, name, count),
    });
    for (const [operation, unit, value] of [
      ['memory', 'B', (round: Round) => round.bytes],
      ['open, CPU', 'us CPU', (round: Round) => round.open.cpuUs],
      ['open, wall', 'us', (round: Round) => round.open.wallUs],
      ['echo, CPU', 'us CPU', (round: Round) => round.echo.cpuUs],
      ['echo, wall', 'us', (round: Round) => round.echo.wallUs],
    ] as const) {
      const rows = [...answers].map(([contender, rounds]) => {
        const aims = operation === 'memory' ? memoryAims.get(contender) : undefined;
        const values = rounds.map(value);
        return { operation, contender, unit, values, ...(aims !== undefined && { aims }) };
      });
      options.measured(rows);
    }
  },
};
