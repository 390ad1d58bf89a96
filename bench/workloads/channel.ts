/**
 * `channel`: from one thread to another in one process. Contenders: `post`, `postMessage` of a port for each message;
 * `ours`, the channel of `runtime/thread/`; `asleep`, the same without spinning. The frames are as a kernel sends them:
 * what, to whom, from whom, a tag, a payload (`contenders/channel/frames.ts`).
 *
 * - `one way, …`: the sender sends 256 messages per turn of its event loop, or as many as back-pressure lets it; until
 *   the other thread has counted them all. `small` has a payload of two numbers, `call` a pid, a ref and a payload of
 *   three members, then 1 KiB of text, and a Buffer of 64 KiB, which is copied. Rows: wall time, and CPU time of both
 *   threads.
 * - `round trip, warm`: one message after the other, each sent back; p50, p99 of wall time, CPU time of both threads.
 * - `round trip, parked`: the same with a pause of 2 ms before each.
 * - `idle`: CPU time within a second without messages.
 */
import { type Contender, nodeProgram } from '../contender.ts';
import { alternate } from '../rounds.ts';
import { type Aim, isWanted, type Row, type RunOptions, scaled, type Workload } from '../workload.ts';

const names = ['ours', 'asleep', 'post'];
const defaultRounds = 5;

interface Measure {
  readonly question: string;
  readonly count: number;
  readonly rows: readonly { name: string; unit: Row['unit']; value: (answer: Answer) => number; aim?: Aim }[];
}

type Answer = Readonly<Record<string, number>>;

const field =
  (name: string) =>
  (answer: Answer): number =>
    answer[name] ?? Number.NaN;

function oneWay(question: string, name: string, count: number, aim?: Aim): Measure {
  return {
    question,
    count,
    rows: [
      { name: `one way, ${name}`, unit: 'ns', value: field('wallNs'), ...(aim !== undefined && { aim }) },
      { name: `one way, ${name}: CPU`, unit: 'ns CPU', value: field('cpuNs') },
    ],
  };
}

function roundTrip(question: string, count: number): Measure {
  return {
    question,
    count,
    rows: [
      { name: `round trip, ${question}, p50`, unit: 'us', value: field('p50') },
      { name: `round trip, ${question}, p99`, unit: 'us', value: field('p99') },
      { name: `round trip, ${question}: CPU`, unit: 'us CPU', value: field('cpuUs') },
    ],
  };
}

const measures: readonly Measure[] = [
  oneWay('small', 'small', 400_000, { ratio: 5 }),
  oneWay('call', 'call', 200_000),
  oneWay('kibibyte', '1 KiB', 100_000),
  oneWay('large', '64 KiB', 6_000),
  roundTrip('warm', 10_000),
  roundTrip('parked', 300),
  { question: 'idle', count: 1, rows: [{ name: 'idle, of 1 s', unit: 'ms CPU', value: field('cpuMs') }] },
];

async function measure({ question, count, rows }: Measure, options: RunOptions): Promise<Row[][]> {
  const ask = (contender: Contender): Promise<Answer | undefined> => contender.ask(question, scaled(count, options));
  // Code that has not been compiled is no measure of latency.
  const warmUp = async (contender: Contender): Promise<Answer | undefined> => {
    await contender.ask('warm', scaled(20_000, options));
    return ask(contender);
  };
  const answers = await alternate<Answer>({
    contenders: new Map(
      names.filter((name) => isWanted(name, options)).map((name) => [name, nodeProgram(`channel/${name}`)]),
    ),
    rounds: options.rounds ?? defaultRounds,
    ...(question !== 'idle' && { warmUp }),
    round: ask,
  });
  return rows.map(({ name, unit, value, aim }) =>
    [...answers].map(([contender, found]) => ({
      operation: name,
      contender,
      unit,
      values: found.map(value),
      ...(contender === 'ours' && aim !== undefined && { aims: [aim] }),
    })),
  );
}

export const channel: Workload = {
  name: 'channel',
  title: 'messages between two threads: wall time, and CPU time of both',
  reference: 'post',
  async run(options) {
    for (const each of measures) for (const rows of await measure(each, options)) options.measured(rows);
  },
};
