/** The workload `threads` on beamish: processes of the first thread, and of a worker thread. */
import { type Context, type GenServer, type Pid, type Protocol, startSystem } from '../../../runtime/index.ts';
import { answerQuestions, type Cost, costPerOperation, expectEqual, type Operation } from '../../contender-program.ts';
import { idle, inFlight, kibibyte, large, oneByOne, pauseMs, sleep } from './measure.ts';
import { Counter, type CounterProtocol, Player, Source, type SourceTask, Spawner, Stream } from './ours/servers.ts';

const system = await startSystem({ threads: { cpu: 1 }, children: [] });
const counter = await started(Counter, undefined, 'cpu');

async function started<P extends Protocol, Start>(
  server: GenServer<P, Start>,
  start: Start,
  thread: string,
): Promise<Pid<P>> {
  const result = await system.start(server, start, { thread });
  if (result === 'ignore' || 'error' in result) throw new Error(`${server.exportName}: ${JSON.stringify(result)}`);
  return result.ok;
}

/** Runs a function as a process of the first thread. */
function inProcess<Result>(run: (ctx: Context) => Promise<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    system.spawn((_arg: undefined, ctx: Context) => run(ctx).then(resolve, reject), undefined);
  });
}

const untilOver = (start: (over: () => void) => unknown): Promise<void> =>
  new Promise((resolve, reject) => {
    Promise.resolve(start(resolve)).catch(reject);
  });

async function arrived(count: number, bytes: number): Promise<void> {
  const taken = { count: 0, bytes: 0 };
  while (taken.count < count) {
    const more = await system.call(counter, 'take', undefined, { timeoutMs: 'infinity' });
    taken.count += more.count;
    taken.bytes += more.bytes;
  }
  expectEqual(taken.bytes, bytes, 'bytes');
}

function oneWay(bytesEach: number, send: SourceTask['send'], sources = 1): Operation {
  return (total) => {
    const count = Math.ceil(total / sources);
    return costPerOperation(count * sources, async () => {
      const source = (over: () => void): unknown =>
        started(Source, { to: counter as Pid<CounterProtocol>, count, send, over }, 'main');
      await Promise.all(Array.from({ length: sources }, () => untilOver(source)));
      await arrived(count * sources, count * sources * bytesEach);
    });
  };
}

const cast: SourceTask['send'] = (ctx, to, ref) => ctx.cast(to, 'add', { ref, n: 1 });
const shared = new Uint8Array(new SharedArrayBuffer(large.length));

const calls =
  (pause?: () => Promise<void>): Operation =>
  (count) =>
    inProcess((ctx) => oneByOne(count, () => ctx.call(counter, 'add', 1), pause));

const loaded: Operation = async (count) => {
  const stream = await started(Stream, counter, 'main');
  const latency = await calls()(count);
  system.exitProcess(stream, 'kill');
  await system.call(counter, 'take');
  return latency;
};

const callsAtOnce: Operation = (total) => {
  const count = Math.ceil(total / inFlight);
  const client = (): Promise<void> =>
    inProcess(async (ctx) => {
      for (let i = 0; i < count; i++) await ctx.call(counter, 'add', 1);
    });
  return costPerOperation(count * inFlight, () => Promise.all(Array.from({ length: inFlight }, client)));
};

const start: Operation = (count) =>
  inProcess((ctx) =>
    costPerOperation(count, async () => {
      for (let i = 0; i < count; i++) {
        const result = await ctx.start(Counter, undefined, { thread: 'cpu' });
        if (result === 'ignore' || 'error' in result) throw new Error('a server did not start');
        ctx.exitProcess(result.ok, 'kill');
      }
    }),
  );

const whileOver = (begin: (count: number, over: () => void) => unknown): ((count: number) => Promise<Cost>) => {
  return (count) => costPerOperation(count, () => untilOver((over) => begin(count, over)));
};

await answerQuestions(
  new Map<string, Operation>([
    ['cast', oneWay(1, cast)],
    ['send', oneWay(1, (ctx, to, ref) => ctx.send(to, 'add', { ref, n: 1 }))],
    ['kibibyte', oneWay(kibibyte.length, (ctx, to) => ctx.cast(to, 'text', kibibyte))],
    ['large', oneWay(large.length, (ctx, to) => ctx.cast(to, 'data', large))],
    ['shared', oneWay(large.length, (ctx, to) => ctx.cast(to, 'data', shared))],
    ['fan_in', oneWay(1, cast, 8)],
    ['ping_pong', whileOver((rallies, over) => started(Player, { to: counter, rallies, over }, 'main'))],
    ['call', calls()],
    ['parked', calls(() => sleep(pauseMs))],
    ['loaded', loaded],
    ['call_many', callsAtOnce],
    ['spawn', whileOver((count, over) => started(Spawner, { count, over }, 'main'))],
    ['start', start],
    ['idle', idle],
  ]),
);
