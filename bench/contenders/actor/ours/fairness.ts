/** What else happens while a server works off a long mailbox. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { type Call, type GenServer, genServer, noreply, type Pid, reply } from '../../../../runtime/index.ts';
import type { Operation } from '../../../contender-program.ts';
import { inProcess, started } from './bench-system.ts';

/** Answers on a socket of the host, as a transport would. */
export const openEcho: Operation = async () => {
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    socket.on('data', (data) => socket.write(data));
    socket.on('error', () => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port };
};

interface WorkerProtocol {
  readonly call: { readonly handled: Call<void, number> };
  readonly cast: { readonly work: number };
}

/** Keeps its thread busy for each message. */
export const Worker: GenServer<WorkerProtocol, number> = genServer(import.meta, 'Worker', {
  init: (handled: number) => handled,
  handleCall: { handled: (handled) => reply(handled, handled) },
  handleCast: {
    work: (handled, steps) => {
      spin(steps);
      return noreply(handled + 1);
    },
  },
});

interface SleeperProtocol {
  readonly call: { readonly waits: Call<void, readonly number[]> };
  readonly info: { readonly wake: number };
}

const sleepMs = 2;

/** Sets itself one timer after another, and notes how late each comes. */
export const Sleeper: GenServer<SleeperProtocol> = genServer(import.meta, 'Sleeper', {
  init: (_arg, ctx): number[] => {
    ctx.sendAfter(sleepMs, 'wake', performance.now() + sleepMs);
    return [];
  },
  handleCall: { waits: (waits) => reply<readonly number[], number[]>(waits, []) },
  handleInfo: {
    wake: (waits, due, ctx) => {
      const now = performance.now();
      waits.push(now - due);
      ctx.sendAfter(sleepMs, 'wake', now + sleepMs);
      return noreply(waits);
    },
  },
});

let sink = 1;
function spin(steps: number): void {
  let x = sink;
  for (let i = 0; i < steps; i++) x = (Math.imul(x, 1_103_515_245) + 12_345) | 0;
  sink = x;
}

const workUs = 2;
/** How many steps of `spin` take as long as the work of one message, in CPU time: other programs must not matter. */
function calibrate(): number {
  const trial = 10_000_000;
  spin(trial);
  let fastestUs = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 5; i++) {
    const before = process.cpuUsage();
    spin(trial);
    const { user, system } = process.cpuUsage(before);
    fastestUs = Math.min(fastestUs, user + system);
  }
  return Math.round((trial * workUs) / fastestUs);
}

interface Flood {
  readonly worker: Pid<WorkerProtocol>;
  readonly sleeper: Pid<SleeperProtocol>;
  readonly count: number;
}
let current: Flood | undefined;

/** Answers when all messages are in the mailbox. */
export const flood: Operation = (count) =>
  inProcess(async (ctx) => {
    const steps = calibrate();
    const worker = await started(ctx, Worker, 0);
    for (let i = 0; i < count; i++) ctx.cast(worker, 'work', steps);
    // Its first timer starts in the midst of the flood.
    current = { worker, sleeper: await started(ctx, Sleeper, undefined), count };
    return { queued: count };
  });

/** Answers when they are handled: how long timers had to wait meanwhile. */
export const drained: Operation = () =>
  inProcess(async (ctx) => {
    const { worker, sleeper, count } = current as Flood;
    while ((await ctx.call(worker, 'handled', undefined, { timeoutMs: 'infinity' })) < count);
    const waitsMs = await ctx.call(sleeper, 'waits');
    for (const pid of [worker, sleeper]) ctx.exitProcess(pid, 'kill');
    return { waitsMs };
  });
