/**
 * `actor`: what the runtime's own operations cost on one thread, beside the BEAM and other libraries.
 *
 * Each contender runs in a process of its own, a new one for each operation, so that no operation is compiled for the
 * needs of another. To warm up it repeats the operation until that has cost half a second of CPU time; then it runs it
 * once a round, in turn with the others. A value is the CPU time of one operation: user and system time of the whole
 * process over the run, all threads (Node.js: getrusage, so the helpers of the garbage collector and the compiler
 * count; BEAM: run time of all threads, one scheduler, busy waiting off). Peers run a quarter of the counts below: they
 * take longer.
 *
 * - `call` (200,000): one process calls one server, one call after another; the server adds 1 to its state and replies
 *   with it. Default timeout. BEAM: gen_server:call/2.
 * - `call, async handler` (200,000): the handler is an async function that awaits a settled promise once before it
 *   replies. On the BEAM any handler may wait, so it is compared with the same `call`.
 * - `cast` (1,000,000): one process casts to one server in bursts of 1,000, with a call after each burst; the server
 *   adds. BEAM: gen_server:cast/2.
 * - `ping-pong` (300,000): one operation is a round trip of a ping `{ from, n }` and a pong `{ n }` between two
 *   servers' `handleInfo`. BEAM: two bare processes with `receive`, which is the quickest it has.
 * - `ping-pong, async handlers` (300,000): each handler awaits a settled promise once. BEAM: as before.
 * - `spawn + exit` (300,000): a server spawns 1,000 functions, each of which sends it one message and returns; when all
 *   have reported, the next 1,000.
 * - `spawn_monitor + DOWN` (200,000): a server spawns and monitors one function that returns at once, waits for its
 *   DOWN, and so on.
 * - `start_child` (30,000): one process starts children of a `simple_one_for_one` supervisor, one after another; all
 *   stay alive until the run is over.
 * - `supervisor restart` (40,000): a process kills a child of a `one_for_one` supervisor (`exitProcess(pid, 'kill')`),
 *   waits until the init of its successor says that it is up, kills that; 200 times under each of 200 supervisors.
 *   Supervisors start and stop outside the measured time.
 * - `restart storm` (30,000; 2 rounds, warm-up with 2,000): the same under one supervisor, all within one period of 60
 *   s.
 * - `bytes per idle process` (100,000 and 1,000,000; 1 round, since rounds do not differ): a function that waits in
 *   `receive`; nobody else holds its pid. Heap in use and external memory after garbage collection, before and after.
 *   BEAM: erlang:memory(total), less the list of pids. 1,000,000 of ours and the BEAM only.
 * - `bytes per idle server`: the same of a started server with a number as its state.
 * - `flood` (1,000,000; 3 rounds): a server has that many casts in its mailbox, each of which keeps it busy for 2 us of
 *   CPU time (a loop, calibrated by each contender before each flood). Until they are handled, another process sets
 *   itself one timer of 2 ms after another and notes how late each comes, and the driver sends 64 bytes to an echo
 *   socket in the contender, over loopback, one round trip after another. Values are wall time, and other programs on
 *   the machine take their part of it: the minimum of the rounds says most.
 */
import { beamProgram, type Command, type Contender, nodeProgram } from '../contender.ts';
import { Echo } from '../echo.ts';
import { percentile } from '../machine.ts';
import { installPeers } from '../peers.ts';
import { alternate } from '../rounds.ts';
import { type Aim, isWanted, type Row, type RunOptions, scaled, type Workload } from '../workload.ts';

type Commands = ReadonlyMap<string, Command>;

const defaultRounds = 5;
const peers = ['nact', 'xstate', 'effect'];

interface Timed {
  readonly operation: string;
  readonly question: string;
  /** What the BEAM is asked, if it is another question. */
  readonly beam?: string;
  readonly count: number;
  readonly aim?: Aim;
  readonly rounds?: number;
  readonly warmUp?: number;
}

const timed: readonly Timed[] = [
  { operation: 'call', question: 'call', count: 200_000, aim: { ratio: 4 } },
  { operation: 'call, async handler', question: 'call_async', beam: 'call', count: 200_000 },
  { operation: 'cast', question: 'cast', count: 1_000_000, aim: { ratio: 1.5 } },
  { operation: 'ping-pong', question: 'ping_pong', count: 300_000, aim: { ratio: 2.5 } },
  {
    operation: 'ping-pong, async handlers',
    question: 'ping_pong_async',
    beam: 'ping_pong',
    count: 300_000,
    aim: { ratio: 1 },
  },
  { operation: 'spawn + exit', question: 'spawn_exit', count: 300_000, aim: { ratio: 2 } },
  { operation: 'spawn_monitor + DOWN', question: 'spawn_monitor', count: 200_000, aim: { ratio: 3 } },
  { operation: 'start_child', question: 'start_child', count: 30_000 },
  { operation: 'supervisor restart', question: 'restart', count: 40_000, aim: { ratio: 1.5 } },
  {
    operation: 'restart storm',
    question: 'restart_storm',
    count: 30_000,
    aim: { ratio: 1.5 },
    rounds: 2,
    warmUp: 2_000,
  },
];

/** Runs until it has been compiled: `warmUpCpuNs` of work, in no more than `warmUpRuns`. */
const warmUpCpuNs = 500_000_000;
const warmUpRuns = 100;

type Cost = { readonly cpuNs: number };

async function costs(spec: Timed, contenders: Commands, options: RunOptions): Promise<Row[]> {
  const { operation, question, beam = question, aim } = spec;
  const ask = (contender: Contender, name: string, count: number): Promise<Cost | undefined> =>
    contender.ask<Cost>(name === 'beam' ? beam : question, count);
  const countOf = (name: string, full: number): number => scaled(peers.includes(name) ? full / 4 : full, options);
  const answers = await alternate<Cost>({
    contenders,
    rounds: options.rounds ?? spec.rounds ?? defaultRounds,
    warmUp: async (contender, name) => {
      const count = countOf(name, spec.warmUp ?? spec.count);
      let cost = await ask(contender, name, count);
      let used = 0;
      for (let run = 1; cost !== undefined && run < warmUpRuns; run++) {
        used += cost.cpuNs * count;
        if (used >= warmUpCpuNs * options.scale) break;
        cost = await ask(contender, name, count);
      }
      return cost;
    },
    round: (contender, name) => ask(contender, name, countOf(name, spec.count)),
  });
  return [...answers].map(([contender, found]) => ({
    operation,
    contender,
    unit: 'ns CPU',
    values: found.map(({ cpuNs }) => cpuNs),
    ...(contender === 'ours' && aim !== undefined && { aims: [aim] }),
  }));
}

const idle = [
  { operation: 'bytes per idle process', question: 'idle_processes', atMost: 450 },
  { operation: 'bytes per idle server', question: 'idle_servers', atMost: 700 },
].flatMap((each) => [
  { ...each, count: 100_000, contenders: ['ours', 'beam', ...peers] },
  { ...each, count: 1_000_000, contenders: ['ours', 'beam'] },
]);

async function bytes(spec: (typeof idle)[number], contenders: Commands, options: RunOptions): Promise<Row[]> {
  const { question, atMost, count } = spec;
  const answers = await alternate<{ readonly bytes: number }>({
    contenders: new Map([...contenders].filter(([name]) => spec.contenders.includes(name))),
    rounds: options.rounds ?? 1,
    round: (contender) => contender.ask(question, scaled(count, options)),
    fresh: true,
  });
  return [...answers].map(([contender, found]) => ({
    operation: `${spec.operation}, ${count.toLocaleString('en')}`,
    contender,
    unit: 'B',
    values: found.map((answer) => answer.bytes),
    ...(contender === 'ours' && { aims: [{ atMost }] }),
  }));
}

const floodCount = 1_000_000;
const floodRounds = 3;

interface Waits {
  readonly timersMs: readonly number[];
  readonly echoesMs: readonly number[];
}

/** One flood: how late timers were, and how long echoes took, until its messages were handled. */
async function flood(contender: Contender, count: number): Promise<Waits | undefined> {
  const opened = await contender.ask<{ readonly port: number }>('open_echo');
  if (opened === undefined) return undefined;
  const echo = await Echo.connect(opened.port);
  await contender.ask('flood', count);
  const drained = contender.ask<{ readonly waitsMs: readonly number[] }>('drained');
  const echoesMs = await echo.roundTripsUntil(drained);
  echo.close();
  return { timersMs: (await drained)?.waitsMs ?? [], echoesMs };
}

async function fairness(contenders: Commands, options: RunOptions): Promise<Row[][]> {
  const answers = await alternate<Waits>({
    contenders: new Map([...contenders].filter(([name]) => !peers.includes(name))),
    rounds: options.rounds ?? floodRounds,
    warmUp: (contender) => flood(contender, scaled(floodCount / 10, options)),
    round: (contender) => flood(contender, scaled(floodCount, options)),
  });
  const row = (operation: string, each: (waits: Waits) => number, aim?: Aim): Row[] =>
    [...answers].map(([contender, rounds]) => ({
      operation,
      contender,
      unit: 'ms',
      values: rounds.map(each),
      ...(contender === 'ours' && aim !== undefined && { aims: [aim] }),
    }));
  return [
    row('flood: timer late, p99', ({ timersMs }) => percentile(timersMs, 99), { atMost: 5 }),
    row('flood: timer late, worst', ({ timersMs }) => percentile(timersMs, 100)),
    row('flood: socket echo, p50', ({ echoesMs }) => percentile(echoesMs, 50)),
    row('flood: socket echo, p99', ({ echoesMs }) => percentile(echoesMs, 99), { atMost: 5 }),
  ];
}

function available(options: RunOptions): Commands {
  const contenders = new Map<string, Command>();
  const add = (name: string, command: Command | undefined, missing: string): void => {
    if (command !== undefined) contenders.set(name, command);
    else if (options.contenders !== undefined) throw new Error(`${name} cannot run: ${missing}`);
    else options.note(`${name} does not run: ${missing}`);
  };
  if (isWanted('ours', options)) add('ours', nodeProgram('actor/ours', '--max-old-space-size=8192'), '');
  if (isWanted('beam', options))
    add('beam', beamProgram({ modules: ['actor', 'actor_supervisor'] }), 'there is no erl on the path');
  const wanted = peers.filter((name) => isWanted(name, options));
  const installed = wanted.length > 0 && installPeers();
  for (const name of wanted)
    add(name, installed ? nodeProgram(`actor/${name}`) : undefined, 'npm could not install it');
  return contenders;
}

export const actor: Workload = {
  name: 'actor',
  title: 'CPU time of one operation; bytes; wall time under load',
  reference: 'beam',
  async run(options) {
    const contenders = available(options);
    if (contenders.size === 0) return;
    for (const spec of timed) options.measured(await costs(spec, contenders, options));
    for (const spec of idle) options.measured(await bytes(spec, contenders, options));
    for (const rows of await fairness(contenders, options)) options.measured(rows);
  },
};
