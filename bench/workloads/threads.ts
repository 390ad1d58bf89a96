/**
 * `threads`: between processes of two threads of one system, `startSystem({ threads: { cpu: 1 } })`, through the public
 * surface: who sends runs on the first thread, the server on the other. Contenders: `ours`; `beam`, two schedulers,
 * which spin while they wait, as is their default; `beam-asleep`, the same without; `post`, `postMessage` for each
 * message; `comlink` and `piscina` (one thread), for calls; `wake-post` and `wake-wait`, the floor of Node.js for
 * single calls: two threads that wake each other and do nothing else.
 *
 * A message is two numbers with a tag. Wall time, and CPU time of all threads of the process; a new process for each
 * operation, which first does 20,000 calls and the operation itself, to be compiled. Wall time needs a core for each
 * thread: look at the load.
 *
 * - `cast` (500,000): the sender casts 256 messages per turn, or as many as back-pressure lets it; until the server has
 *   counted them all. BEAM: gen_server:cast/2, at once. `message`: without a server's envelope, `ctx.send`; BEAM: `!`.
 * - `cast, 1 KiB` (100,000): a text. `cast, 64 KiB` (6,000): a Buffer, which is copied. `cast, 64 KiB shared` (50,000):
 *   shared memory. BEAM: binaries, which it shares.
 * - `fan-in 8 -> 1` (500,000): eight senders on one thread cast to one server.
 * - `ping-pong` (20,000): a message forth, a message back. BEAM: bare processes. `call` (20,000): one call after the
 *   other. `call, parked` (300): the same with a pause of 2 ms before each. `call, loaded` (3,000): the same while
 *   another process casts 128 messages to that server every millisecond. `call, 64 in flight` (100,000): 64 processes
 *   that call.
 * - `spawn` (20,000): 100 processes at once are spawned on the other thread, each sends a message back and ends.
 *   `start` (5,000): one server after the other is started there and, when its init is done, killed.
 * - `idle`: CPU time of a second without messages, of five.
 */
import { beamProgram, type Command, type Contender, nodeProgram } from '../contender.ts';
import { installPeers } from '../peers.ts';
import { alternate } from '../rounds.ts';
import { type Aim, isWanted, type Row, type RunOptions, scaled, type Workload } from '../workload.ts';

const defaultRounds = 5;
const warmUpCalls = 20_000;
/** What calls only; and what only wakes. */
const callers = ['piscina', 'comlink'];
const wakers = ['wake-post', 'wake-wait'];

type Answer = Readonly<Record<string, number>>;

interface Column {
  readonly name: string;
  readonly unit: Row['unit'];
  readonly value: (answer: Answer) => number | undefined;
  readonly aims?: readonly Aim[];
}

interface Measure {
  readonly question: string;
  readonly count: number;
  readonly columns: readonly Column[];
}

function cost(question: string, name: string, count: number, ...aims: readonly Aim[]): Measure {
  const columns: Column[] = [
    { name, unit: 'ns', value: ({ wallNs }) => wallNs, aims },
    { name: `${name}: CPU`, unit: 'ns CPU', value: ({ cpuNs }) => cpuNs },
  ];
  return { question, count, columns };
}

function latency(question: string, name: string, count: number, ...aims: readonly Aim[]): Measure {
  const columns: Column[] = [
    { name: `${name}, p50`, unit: 'us', value: ({ p50 }) => p50, aims },
    { name: `${name}, p99`, unit: 'us', value: ({ p99 }) => p99 },
    { name: `${name}: CPU`, unit: 'us CPU', value: ({ cpuNs = Number.NaN }) => cpuNs / 1_000 },
  ];
  return { question, count, columns };
}

const measures: readonly Measure[] = [
  cost('cast', 'cast', 500_000, { ratio: 1 }, { ratio: 5, over: 'post' }),
  cost('send', 'message', 500_000),
  cost('kibibyte', 'cast, 1 KiB', 100_000),
  cost('large', 'cast, 64 KiB', 6_000),
  cost('shared', 'cast, 64 KiB shared', 50_000),
  cost('fan_in', 'fan-in 8 -> 1', 500_000),
  cost('ping_pong', 'ping-pong', 20_000, { ratio: 0.6 }),
  latency('call', 'call', 20_000, { ratio: 0.6 }),
  latency('parked', 'call, parked', 300, { ratio: 0.9, over: 'beam-asleep' }),
  latency('loaded', 'call, loaded', 3_000),
  cost('call_many', 'call, 64 in flight', 100_000, ...callers.map((over) => ({ ratio: 6, over }))),
  cost('spawn', 'spawn', 20_000),
  cost('start', 'start', 5_000),
  // A thousandth of a core.
  {
    question: 'idle',
    count: 100,
    columns: [{ name: 'idle', unit: 'ms CPU', value: ({ cpuMs }) => cpuMs, aims: [{ atMost: 1 }] }],
  },
];

async function measure(
  { question, count, columns }: Measure,
  all: ReadonlyMap<string, Command>,
  options: RunOptions,
): Promise<Row[][]> {
  const ask = (contender: Contender): Promise<Answer | undefined> => contender.ask(question, scaled(count, options));
  const isTrip = question === 'call' || question === 'parked';
  const takesPart = (name: string): boolean =>
    wakers.includes(name) ? isTrip : isTrip || question === 'call_many' || !callers.includes(name);
  const answers = await alternate<Answer>({
    contenders: new Map([...all].filter(([name]) => takesPart(name))),
    rounds: options.rounds ?? defaultRounds,
    warmUp: async (contender) => {
      await contender.ask('call', scaled(warmUpCalls, options));
      return ask(contender);
    },
    round: ask,
  });
  return columns.map(({ name, unit, value, aims }) =>
    [...answers].map(([contender, found]) => ({
      operation: name,
      contender,
      unit,
      values: found.map((answer) => value(answer) ?? Number.NaN),
      ...(contender === 'ours' && aims !== undefined && { aims }),
    })),
  );
}

function waker(by: 'post' | 'wait'): Command {
  const { file, args } = nodeProgram('threads/wake');
  return { file, args: [...args, by] };
}

function available(options: RunOptions): ReadonlyMap<string, Command> {
  const contenders = new Map<string, Command>();
  const add = (name: string, command: () => Command | undefined, missing: string): void => {
    if (!isWanted(name, options)) return;
    const found = command();
    if (found !== undefined) contenders.set(name, found);
    else if (options.contenders !== undefined) throw new Error(`${name} cannot run: ${missing}`);
    else options.note(`${name} does not run: ${missing}`);
  };
  const beam = { modules: ['threads'], schedulers: 2 } as const;
  add('ours', () => nodeProgram('threads/ours'), '');
  add('beam', () => beamProgram({ ...beam, spins: true }), 'there is no erl on the path');
  add('beam-asleep', () => beamProgram(beam), 'there is no erl on the path');
  add('post', () => nodeProgram('threads/post'), '');
  add('piscina', () => nodeProgram('threads/piscina'), '');
  add('comlink', () => (installPeers() ? nodeProgram('threads/comlink') : undefined), 'npm could not install it');
  add('wake-post', () => waker('post'), '');
  add('wake-wait', () => waker('wait'), '');
  return contenders;
}

export const threads: Workload = {
  name: 'threads',
  title: 'between processes of two threads: wall time, and CPU time of all threads',
  reference: 'beam',
  async run(options) {
    const contenders = available(options);
    if (contenders.size === 0) return;
    for (const each of measures) for (const rows of await measure(each, contenders, options)) options.measured(rows);
  },
};
