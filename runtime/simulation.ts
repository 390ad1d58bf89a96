import type { ExitReason } from './kernel/exit.ts';
import type { Kernel } from './kernel/kernel.ts';
import type { Pid } from './kernel/pid.ts';
import type { Process } from './kernel/process.ts';
import { settle } from './settle.ts';
import { type SimulatedClock, simulatedClock } from './simulated-clock.ts';
import { type SimulationHost, type System, type SystemOptions, startOn } from './system.ts';

/** Who is killed in the middle of a run. */
export interface SimulatedKills {
  /** How likely each step is preceded by a kill, 0 to 1. */
  readonly chance: number;
  /** Kills in one run at the most. Default 1. */
  readonly max?: number;
  /** Which processes may be killed. Default: all but `init` and the root supervisor. */
  readonly candidate?: (process: Victim) => boolean;
}

/** A process that may be killed in a simulated run. */
export interface Victim {
  readonly pid: Pid;
  readonly name: string | null;
  readonly label: string | null;
  readonly initialCall: string;
}

/** Options of `simulate`. */
export interface SimulateOptions {
  /** The seed of the first run; each further run takes the next number. Default: chosen, and named by a failure. */
  readonly seed?: number;
  /** How many runs. Default 100. */
  readonly runs?: number;
  /** Steps of one run at the most: a run that goes on for ever fails. Default 100,000. */
  readonly stepsMax?: number;
  /** Default: nobody is killed. */
  readonly kills?: SimulatedKills;
}

/** One run of a program under simulation. */
export interface SimulatedRun {
  readonly seed: number;
  readonly clock: SimulatedClock;
  /** A number from 0 to 1 that depends on the seed and on how often it was asked for. */
  random(): number;
  /** `startSystem` on this run's clock and schedule. Stopped at the end of the run if the program has not. */
  start(options: Omit<SystemOptions, 'clock'>): Promise<System>;
  /** Waits that long on the run's clock. */
  sleep(ms: number): Promise<void>;
  /** Waits until no process can run, nothing is on its way and no timer waits. */
  quiet(): Promise<void>;
  /** Whom the simulation has killed so far. */
  readonly killed: readonly Victim[];
  /** Set to false before looking at the outcome: from then on nobody is killed. */
  killing: boolean;
}

/** A run failed. `cause` is what the program threw; `seed` replays it: `simulate({ seed, runs: 1 }, program)`. */
export class SimulationError extends Error {
  override readonly name = 'SimulationError';
  readonly code = 'ERR_SIMULATION';
  readonly seed: number;

  constructor(seed: number, step: number, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(`run with seed ${seed} failed at step ${step}: ${why}\nreplay it with { seed: ${seed}, runs: 1 }`, { cause });
    this.seed = seed;
  }
}

const RUNS = 100;
const STEPS_MAX = 100_000;

/**
 * Runs a program many times, each time with another order of events: which runnable process is next, and when each
 * message and signal arrives (in order between any two processes, in any order otherwise), is chosen by the seed; time
 * passes only when nothing else can happen; processes may be killed at any step. The same seed gives the same run, as
 * long as the program waits for nothing but its systems and the run.
 *
 * Rejects with `SimulationError` at the first run whose program throws, waits for what never comes, or takes too many
 * steps.
 */
export async function simulate(
  options: SimulateOptions,
  program: (run: SimulatedRun) => Promise<unknown> | unknown,
): Promise<void> {
  const first = options.seed ?? Math.floor(Math.random() * 2 ** 31);
  for (let i = 0; i < (options.runs ?? RUNS); i++) {
    const run = new Run(first + i, options);
    await run.execute(program);
  }
}

interface Channel {
  readonly effects: (() => void)[];
  next: number;
}

class Run implements SimulatedRun, SimulationHost {
  readonly seed: number;
  readonly clock: SimulatedClock = simulatedClock();
  readonly killed: Victim[] = [];
  killing = true;
  readonly wire = { post: (from: Pid, to: Pid, effect: () => void): void => this.post(from, to, effect) };
  private readonly options: SimulateOptions;
  private readonly kernels: Kernel[] = [];
  private readonly systems: System[] = [];
  private readonly channels = new Map<string, Channel>();
  private readonly busyChannels: Channel[] = [];
  private quietWaiters: (() => void)[] = [];
  private state: number;
  private steps = 0;

  constructor(seed: number, options: SimulateOptions) {
    this.seed = seed;
    this.state = seed;
    this.options = options;
  }

  /** Mulberry32: small, fast, and the same everywhere. */
  random(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  async start(options: Omit<SystemOptions, 'clock'>): Promise<System> {
    const system = await startOn({ ...options, clock: this.clock }, this);
    this.systems.push(system);
    return system;
  }

  attach(kernel: Kernel): void {
    this.kernels.push(kernel);
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.clock.setTimer(resolve, ms);
    });
  }

  quiet(): Promise<void> {
    return new Promise((resolve) => {
      this.quietWaiters.push(resolve);
    });
  }

  async execute(program: (run: SimulatedRun) => Promise<unknown> | unknown): Promise<void> {
    let outcome: { readonly error?: unknown } | undefined;
    const settled = (async () => program(this))().then(
      () => {
        outcome = {};
      },
      (error: unknown) => {
        outcome = { error };
      },
    );
    try {
      await this.drive(() => outcome !== undefined);
      await settled;
      if (outcome !== undefined && 'error' in outcome) throw outcome.error;
      const stopped = Promise.all(this.systems.map((system) => system.stop()));
      let over = false;
      void stopped.then(() => {
        over = true;
      });
      await this.drive(() => over);
    } catch (cause) {
      for (const kernel of this.kernels) kernel.stop();
      throw new SimulationError(this.seed, this.steps, cause);
    }
  }

  /** Takes steps until that is so. Between two steps all promises have their turn. */
  private async drive(done: () => boolean): Promise<void> {
    const max = this.options.stepsMax ?? STEPS_MAX;
    for (;;) {
      await settle(1);
      if (done()) return;
      if (++this.steps > max) throw new Error(`the run took more than ${max} steps`);
      this.maybeKill();
      if (this.stepOnce() || this.clock.fireNext() || this.wakeQuiet()) continue;
      // A system that stops ends one turn later.
      await settle(1);
      if (done()) return;
      throw new Error('the program waits for something that never comes');
    }
  }

  private stepOnce(): boolean {
    let choices = this.busyChannels.length;
    for (const kernel of this.kernels) choices += kernel.scheduler.runnable;
    if (choices === 0) return false;
    let choice = Math.floor(this.random() * choices);
    if (choice < this.busyChannels.length) {
      this.transmit(choice);
      return true;
    }
    choice -= this.busyChannels.length;
    for (const { scheduler } of this.kernels) {
      if (choice < scheduler.runnable) {
        scheduler.runAt(choice);
        return true;
      }
      choice -= scheduler.runnable;
    }
    return true;
  }

  private post(from: Pid, to: Pid, effect: () => void): void {
    const key = `${from.system}:${from.serial}>${to.serial}`;
    let channel = this.channels.get(key);
    if (channel === undefined) {
      channel = { effects: [], next: 0 };
      this.channels.set(key, channel);
    }
    if (channel.next === channel.effects.length) this.busyChannels.push(channel);
    channel.effects.push(effect);
  }

  private transmit(index: number): void {
    const channel = this.busyChannels[index] as Channel;
    const effect = channel.effects[channel.next++] as () => void;
    if (channel.next === channel.effects.length) {
      channel.effects.length = 0;
      channel.next = 0;
      const last = this.busyChannels.pop() as Channel;
      if (last !== channel) this.busyChannels[index] = last;
    }
    effect();
  }

  /** Not while a system starts: a start that fails because of a kill is right, and would end the program. */
  private maybeKill(): void {
    const { kills } = this.options;
    if (!this.killing || this.systems.length < this.kernels.length) return;
    if (kills === undefined || this.killed.length >= (kills.max ?? 1) || this.random() >= kills.chance) return;
    const candidates = this.kernels.flatMap((kernel) =>
      kernel.table.all.filter((process) => isCandidate(process, kills)).map((process) => ({ kernel, process })),
    );
    const chosen = candidates[Math.floor(this.random() * candidates.length)];
    if (chosen === undefined) return;
    this.killed.push(victim(chosen.process));
    const reason: ExitReason = 'killed';
    chosen.kernel.finish(chosen.process, reason);
  }

  private wakeQuiet(): boolean {
    const waiters = this.quietWaiters;
    this.quietWaiters = [];
    for (const wake of waiters) wake();
    return waiters.length > 0;
  }
}

function victim({ pid, name, label, initialCall }: Process): Victim {
  return { pid, name, label, initialCall };
}

/** `init` has no parent, and the root supervisor's parent has none. */
function isCandidate(process: Process, { candidate }: SimulatedKills): boolean {
  if (process.parents === null || process.parents.up === null) return false;
  return candidate === undefined || candidate(victim(process));
}
