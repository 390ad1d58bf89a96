/**
 * `soak`: a node under half load for half an hour (`--minutes`), over every transport, while one fault a second comes.
 *
 * 120 clients, 20 each of TCP, WebSocket, HTTP, HTTP+SSE, HTTP/2 and gRPC, have a session and ask on and on, one
 * request after the other: `ping`, a tool that answers at once, one that takes 25 ms; every answer is looked at. What
 * they can have answered without pauses is found out first; they ask half of it. Every second 1 % of them leave, half
 * of those without a word, and others come. The faults are drawn from a seed (`--seed`, printed): a connection, a
 * session, a request, a listener or a whole transport is killed, or a tool throws, rejects, leaves a rejection, never
 * settles, or ends its thread. Server and clients are two processes.
 *
 * A request is lost if no fault that could hit it answers for its end: it was cut off, answered with an error, or
 * neither within 20 s. Nothing may be lost. A kill of a connection, a session or a request answers for one request.
 * Each minute is a value of `resident memory`, `live` (heap and external, after a collection), descriptors, processes
 * and timers; what the last two thirds of them grow by in a minute (least squares) is a value of `growth`. The run
 * fails if a request was lost, or if something grows by more than its bound; growth is judged from nine minutes on.
 */
import { Contender, nodeProgram } from '../contender.ts';
import { percentile } from '../machine.ts';
import { callFaulty, SoakClient, type Surroundings } from '../soak/clients.ts';
import { type Fault, FaultPlan, KINDS, randomFrom } from '../soak/faults.ts';
import { Ledger } from '../soak/ledger.ts';
import { slope } from '../soak/slope.ts';
import type { Addresses } from '../soak/wires.ts';
import { isWanted, type Row, type RunOptions, scaled, type Workload } from '../workload.ts';

const defaultMinutes = 30;
const clientsPerKind = 20;
const churnShare = 0.01;
const loadShare = 0.5;
const fullLoadS = 8;
const settleMs = 3_000;
const judgedFrom = 9;
const shownFaults = 8;
const mebibyte = 2 ** 20;

interface Gauge {
  readonly rss: number;
  readonly live: number;
  readonly descriptors: number;
  readonly processes: number;
  readonly timers: number;
}

/** What each gauge may grow by in a minute. */
const gauges: readonly (readonly [keyof Gauge, string, Row['unit'], number])[] = [
  ['rss', 'resident memory', 'B', mebibyte / 2],
  ['live', 'live', 'B', mebibyte / 8],
  ['descriptors', 'descriptors', 'count', 1],
  ['processes', 'processes', 'count', 1],
  ['timers', 'timers', 'count', 1],
];

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function cause(fault: Fault, node: Contender, around: Surroundings): Promise<void> {
  const over = around.ledger.fault(fault, around.now());
  if ('call' in fault) await callFaulty(fault.call, fault.over, around);
  else await node.ask('of' in fault ? `${fault.kill}:${fault.of}` : fault.kill, fault.choice);
  over(around.now());
}

function nameOf(fault: Fault): string {
  if ('call' in fault) return fault.call;
  return 'of' in fault ? `${fault.kill} of ${fault.of}` : fault.kill;
}

class Soak {
  private readonly node: Contender;
  private readonly options: RunOptions;
  private readonly random: () => number;
  private readonly around: Surroundings;
  private readonly clients: SoakClient[];
  private readonly plan: FaultPlan;
  private readonly faults = new Map<string, number>();
  private readonly recent: string[] = [];
  private begunMs = performance.now();
  readonly samples: Gauge[] = [];
  readonly ledger: Ledger;

  constructor(node: Contender, addresses: Addresses, seed: number, options: RunOptions) {
    this.node = node;
    this.options = options;
    this.ledger = new Ledger((what) => {
      const second = Math.round((performance.now() - this.begunMs) / 1_000);
      options.note(`lost in second ${second}: ${what}; the last faults: ${this.recent.join(', ')}`);
    });
    this.random = randomFrom(seed);
    this.plan = new FaultPlan(randomFrom(seed + 1));
    const random = randomFrom(seed + 2);
    this.around = { addresses, ledger: this.ledger, random, now: () => performance.now(), intervalMs: 0 };
    const each = scaled(clientsPerKind, options);
    this.clients = KINDS.flatMap((kind) => Array.from({ length: each }, () => new SoakClient(kind, this.around)));
  }

  async run(minutes: number): Promise<void> {
    const { clients, options } = this;
    const running = clients.map((client) => client.run());
    const broken = Promise.all(running).then(() => undefined);
    const fullS = Math.min(fullLoadS, minutes * 12);
    await Promise.race([broken, pause(settleMs * Math.min(1, minutes))]);
    const before = this.ledger.answered;
    await Promise.race([broken, pause(fullS * 1_000)]);
    const full = (this.ledger.answered - before) / fullS;
    this.around.intervalMs = (clients.length * 1_000) / (full * loadShare);
    options.note(`${clients.length} clients had ${Math.round(full)} answers a second; half of that from now on`);
    await Promise.race([broken, this.minutes(minutes)]);
    for (const client of clients) client.end();
    await broken;
    options.note(`faults: ${[...this.faults].map(([name, count]) => `${name} ${count}`).join(', ')}`);
  }

  private async minutes(minutes: number): Promise<void> {
    const seconds = Math.max(1, Math.round(minutes * 60));
    let { answered } = this.ledger;
    this.begunMs = performance.now();
    // What a fault leads to may take longer than a second: the next one comes all the same.
    const caused = new Set<Promise<void>>();
    for (let second = 1; second <= seconds; second++) {
      const fault = this.plan.next();
      this.faults.set(nameOf(fault), (this.faults.get(nameOf(fault)) ?? 0) + 1);
      if (this.recent.push(nameOf(fault)) > shownFaults) this.recent.shift();
      const done = cause(fault, this.node, this.around).finally(() => caused.delete(done));
      caused.add(done);
      this.churn();
      await pause(this.begunMs + second * 1_000 - performance.now());
      if (second % 60 !== 0 && second !== seconds) continue;
      answered = await this.report(second / 60, answered);
    }
    await Promise.all(caused);
  }

  private churn(): void {
    for (const client of this.clients) {
      if (this.random() < churnShare) client.churn(this.random() < 0.5);
    }
  }

  /** Returns how many were answered so far. */
  private async report(minute: number, before: number): Promise<number> {
    const gauge = (await this.node.ask<Gauge>('gauge')) as Gauge;
    this.samples.push(gauge);
    const { answered, failed, lost, latenciesMs } = this.ledger;
    const [p50, p99] = [percentile(latenciesMs, 50), percentile(latenciesMs, 99)];
    latenciesMs.length = 0;
    const own = process.memoryUsage.rss();
    const { rss, live, descriptors, processes, timers } = gauge;
    const mib = (bytes: number): string => (bytes / mebibyte).toFixed(1);
    this.options.note(
      `minute ${minute.toFixed(1)}: ${answered - before} answers, p50 ${p50.toFixed(1)} ms, ` +
        `p99 ${p99.toFixed(0)} ms, ${failed} failed by faults and ${lost} lost so far; RSS ${mib(rss)} MiB, ` +
        `live ${mib(live)} MiB, ${descriptors} descriptors, ${processes} processes, ${timers} timers; ` +
        `the clients ${mib(own)} MiB`,
    );
    return answered;
  }
}

/** Rows, and what is wrong. */
function judged({ samples, ledger }: Soak): { readonly rows: Row[]; readonly wrong: string[] } {
  const contender = 'ours';
  const rows: Row[] = [];
  const wrong: string[] = [];
  for (const [gauge, what, unit, atMost] of gauges) {
    const values = samples.map((sample) => sample[gauge]);
    rows.push({ operation: what, contender, unit, values });
    if (samples.length < judgedFrom) continue;
    const growth = slope(values.slice(Math.floor(values.length / 3)));
    rows.push({ operation: `growth a minute: ${what}`, contender, unit, values: [growth], aims: [{ atMost }] });
    if (growth > atMost) wrong.push(`${what} grows by ${growth.toFixed(1)} a minute, by more than ${atMost}`);
  }
  const { lost, failed, answered } = ledger;
  rows.push({ operation: 'answers', contender, unit: 'count', values: [answered] });
  rows.push({ operation: 'failed by a fault', contender, unit: 'count', values: [failed] });
  rows.push({ operation: 'lost', contender, unit: 'count', values: [lost], aims: [{ atMost: 0 }] });
  if (answered === 0) wrong.push('nothing was answered');
  if (lost > 0) wrong.push(`${lost} requests were lost, see above`);
  return { rows, wrong };
}

export const soak: Workload = {
  name: 'soak',
  title: 'half load over every transport, churn, and a fault a second',
  async run(options) {
    if (!isWanted('ours', options)) return;
    const { minutes = defaultMinutes, seed = Math.floor(performance.now() * 1_000) % 2 ** 31 } = options;
    options.note(`--seed ${seed}`);
    const node = Contender.start('soak', nodeProgram('soak/node'));
    try {
      const run = new Soak(node, (await node.ask<Addresses>('address')) as Addresses, seed, options);
      await run.run(minutes);
      const { rows, wrong } = judged(run);
      for (const row of rows) options.measured([row]);
      if (wrong.length > 0) throw new Error(wrong.join('\n'));
    } finally {
      await node.stop();
    }
  },
};
