/**
 * `recovery`: a server under supervision on a worker thread does what ends that thread: it throws in a timer, calls
 * `process.exit`, allocates without end (heap of 48 and 8 MiB), loops without end (`stallMs` 200). A new process for
 * each value; wall time from the moment in which it does so.
 *
 * - `… detected`: until the event `beamish:thread-exit`. What it takes to fill the heap, or to be taken for stalled, is
 *   part of it.
 * - `… serving again`: until the server that its supervisor has started on another thread has answered a call from the
 *   first thread.
 *
 * Contenders, ours as it is published: `ours`, where a spare thread is ready to take the place of the one that ends, as
 * is the default; `ours-cold`, where a thread has to be started first; and what nobody can do without, `bare` and
 * `bare-cold`: workers of Node.js with the same limits that do the same and nothing else. Of those a fault is detected
 * with the event `exit`, a loop when `terminate` is called after `stallMs`, and a worker serves when it has answered.
 */
import { published, publishedProgram } from '../published.ts';
import { alternate } from '../rounds.ts';
import { type Aim, isWanted, type Row, type RunOptions, type Workload } from '../workload.ts';

const defaultRounds = 5;
const stallMs = 200;
/** A run at a smaller scale allows more: where there is much to do, a thread that starts may seem to stall. */
const stallMaxMs = 2_000;
const names = ['ours', 'ours-cold', 'bare', 'bare-cold'];

interface Answer {
  readonly detectedMs: number;
  readonly servedMs: number;
}

interface Fault {
  readonly question: string;
  readonly name: string;
  readonly detected?: Aim;
  readonly served: Readonly<Record<string, Aim>>;
}

const crash = { ours: { atMost: 10 }, 'ours-cold': { atMost: 150 } };
const exhausted = { atMost: 500 };

const faults: readonly Fault[] = [
  { question: 'throw', name: 'throw in a timer', served: crash },
  { question: 'exit', name: 'process.exit', served: crash },
  { question: 'oom', name: 'out of memory', served: { ours: exhausted, 'ours-cold': exhausted } },
  { question: 'loop', name: 'endless loop', detected: { atMost: stallMs + 50 }, served: {} },
];

async function measure(folder: string, fault: Fault, options: RunOptions): Promise<Row[][]> {
  const { question, name, detected, served } = fault;
  const answers = await alternate<Answer>({
    contenders: new Map(
      names
        .filter((each) => isWanted(each, options))
        .map((each) => [each, publishedProgram(folder, `recovery/${each}`)]),
    ),
    rounds: options.rounds ?? defaultRounds,
    round: (contender) => contender.ask<Answer>(question, Math.min(stallMaxMs, stallMs / options.scale)),
    fresh: true,
  });
  const row = (operation: string, value: (answer: Answer) => number, aimOf: (name: string) => Aim | undefined): Row[] =>
    [...answers].map(([contender, found]) => {
      const aim = contender.startsWith('ours') ? aimOf(contender) : undefined;
      return { operation, contender, unit: 'ms', values: found.map(value), ...(aim !== undefined && { aims: [aim] }) };
    });
  return [
    row(
      `${name}: detected`,
      ({ detectedMs }) => detectedMs,
      () => detected,
    ),
    row(
      `${name}: serving again`,
      ({ servedMs }) => servedMs,
      (contender) => served[contender],
    ),
  ];
}

export const recovery: Workload = {
  name: 'recovery',
  reference: 'bare-cold',
  title: 'from a fault that ends a worker thread until its server answers again: wall time',
  async run(options) {
    const folder = await published();
    for (const fault of faults) for (const rows of await measure(folder, fault, options)) options.measured(rows);
  },
};
