/// <reference lib="esnext.disposable" preserve="true" />

import { constants } from 'node:os';
import { type Clock, systemClock } from './clock.ts';
import { checkArray, checkFunction, checkObject, checkOneOf, checkPid, checkText } from './kernel/arguments.ts';
import type { UncaughtOrigin } from './kernel/attribution.ts';
import type { Context, Messaging, ReceivedMessage } from './kernel/context.ts';
import { BadArgError, CallError, ExitedError, StartError } from './kernel/errors.ts';
import type { ExitReason } from './kernel/exit.ts';
import { Kernel, type Wire } from './kernel/kernel.ts';
import { describeDest } from './kernel/names.ts';
import type { Pid } from './kernel/pid.ts';
import type { ProcessInfo } from './kernel/process-info.ts';
import { ExitSignal } from './kernel/signals.ts';
import { spawn } from './kernel/start.ts';
import { TIMER_MAX_MS } from './limits.ts';
import { type ChildSpec, completeFlags, type SupervisorFlags } from './supervisor/child-spec.ts';
import { readTree, type TreeNode } from './supervisor/supervision-tree.ts';
import { SupervisorServer } from './supervisor/supervisor-server.ts';
import { SystemStop } from './system-stop.ts';
import type { ThreadHost } from './thread/thread-host.ts';
import type { ThreadsOptions, WorkersOptions } from './thread/thread-plan.ts';

/** Options of `startSystem`; strategy, intensity and period are those of the root supervisor. */
export interface SystemOptions extends SupervisorFlags {
  /** What events and pids call the system. Default `'beamish'`. */
  readonly name?: string;
  /** The children of the root supervisor, in start order. The name `init` is taken: the first process has it. */
  readonly children: readonly ChildSpec[];
  /** Default: the machine's clock. */
  readonly clock?: Clock;
  /** Signals that stop the system in order, once it has started. Default none: a library leaves them to the program. */
  readonly signals?: readonly NodeJS.Signals[];
  /**
   * What to do with an uncaught error that belongs to no process of the system and for which the program has no
   * listener of its own. Default: nothing, so that Node.js ends the program as it would without beamish.
   */
  readonly onUnattributedError?: (error: unknown, origin: UncaughtOrigin) => void;
  /** Called with the payload of every message and every value put into a table; `beamish/testing` freezes it. */
  readonly onSend?: (payload: unknown) => void;
  /**
   * Worker threads that run processes, in groups: `{ cpu: 2, io: { count: 1, placement: 'least_loaded' } }`. `true`:
   * one group `cpu`, with as many as the machine has cores but one. Which processes run there is said by their option
   * `thread`, or `isolated`. Default: none, and all run on the thread that starts the system. `BadArgError` if a group
   * cannot be, `StartError` if a thread does not start. Not together with a `clock` of your own.
   */
  readonly threads?: true | ThreadsOptions;
  /** What holds for all worker threads. */
  readonly workers?: WorkersOptions;
}

/** A running system. It keeps the Node.js process alive until it has stopped. */
export interface System extends Messaging {
  /** What `startSystem` was told. */
  readonly name: string;
  /** The root supervisor. */
  readonly root: Pid;
  /** How many processes live. */
  readonly processCount: number;
  /** Starts a process outside the tree; nobody restarts it, and it ends with the system. See `Context`. */
  readonly spawn: Context['spawn'];
  /** Starts a server outside the tree and waits for its init. See `Context`. */
  readonly start: Context['start'];
  /** Settles with the exit reason of the root supervisor: after `stop`, or when it gives up. Never rejects. */
  readonly terminated: Promise<ExitReason>;
  /**
   * Whether `stop` was called or one of the `signals` came; if not, the end of the system is the root supervisor giving
   * up.
   */
  readonly stopRequested: boolean;
  /** The supervision tree as it is now. */
  tree(): Promise<TreeNode>;
  /**
   * Stops the tree in reverse start order and lets go of everything; the Node.js process can then end by itself.
   * Idempotent. Takes at most as long as the `shutdown` times on the longest path.
   */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

interface InitArg {
  readonly start: {
    readonly id: string;
    readonly flags: Required<SupervisorFlags>;
    readonly children: readonly ChildSpec[];
  };
  readonly started: (root: Pid, ctx: Context) => void;
  readonly ended: (reason: ExitReason) => void;
  /** Called when the system has been told to stop. */
  readonly stopping: () => void;
}

let incarnations = 0;

/**
 * Starts a system: a root supervisor over `children` (strategy, intensity and period as for `supervisor`). Systems
 * share nothing: names, pids and tables of one mean nothing in another. Rejects with `StartError` (`reason` says which
 * child failed and why; what had started is stopped), or with `BadArgError` for a wrong option; flags and children are
 * refused as by any supervisor, in a `StartError`.
 */
export function startSystem(options: SystemOptions): Promise<System> {
  return startOn(options, undefined);
}

/** The rest are flags and children, which the root supervisor refuses as any supervisor does. */
function checkOptions(options: SystemOptions): void {
  checkObject(options, 'the options of startSystem');
  const { name, clock, signals, onUnattributedError, onSend } = options;
  if (name !== undefined) checkText(name, 'startSystem: name');
  if (clock !== undefined) {
    checkObject(clock, 'startSystem: clock');
    for (const key of ['now', 'setTimer', 'clearTimer'] as const)
      checkFunction(clock[key], `startSystem: clock.${key}`);
  }
  if (signals !== undefined) {
    checkArray(signals, 'startSystem: signals');
    for (const signal of signals) checkOneOf(signal, 'startSystem: each of signals', Object.keys(constants.signals));
  }
  if (onUnattributedError !== undefined) checkFunction(onUnattributedError, 'startSystem: onUnattributedError');
  if (onSend !== undefined) checkFunction(onSend, 'startSystem: onSend');
}

/** Whoever takes the steps of a simulated system is told of its kernel. */
export interface SimulationHost {
  readonly wire: Wire;
  attach(kernel: Kernel): void;
}

/** `startSystem`, for the simulation of `beamish/testing`. */
export async function startOn(options: SystemOptions, host: SimulationHost | undefined): Promise<System> {
  checkOptions(options);
  const name = options.name ?? 'beamish';
  const kernel = new Kernel({
    name,
    id: `${name}@${process.pid}.${++incarnations}`,
    clock: options.clock ?? systemClock,
    guard: { onUnattributed: options.onUnattributedError ?? null },
    onSend: options.onSend,
    wire: host?.wire,
  });
  host?.attach(kernel);
  // From now on, since threads do not keep the program alive while they start.
  const keepAlive = setInterval(() => {}, TIMER_MAX_MS);
  let threads: ThreadHost | undefined;
  try {
    if (options.threads !== undefined) threads = await startThreads(kernel, options);
  } catch (error) {
    clearInterval(keepAlive);
    kernel.release();
    throw error;
  }
  const stopping = (): void => threads?.prepareToStop();
  let ended: (reason: ExitReason) => void = () => {};
  const terminated = new Promise<ExitReason>((resolve) => {
    ended = resolve;
  });
  const release = (reason: ExitReason): void => {
    clearInterval(keepAlive);
    for (const signal of options.signals ?? []) process.off(signal, onSignal);
    kernel.stop();
    setImmediate(async () => {
      await threads?.stop();
      kernel.release();
      ended(reason);
    });
  };
  const started = new Promise<{ root: Pid; ctx: Context }>((resolve) => {
    const start = { id: 'root', flags: completeFlags(options), children: options.children };
    const arg: InitArg = { start, started: (root, ctx) => resolve({ root, ctx }), ended: release, stopping };
    spawn(kernel, null, init, arg, { name: 'init' });
  });
  const root = await Promise.race([started, terminated.then((reason) => Promise.reject(new StartError(reason)))]);
  const system = new RunningSystem(name, kernel, root.root, root.ctx, terminated, stopping);
  function onSignal(): void {
    void system.stop();
  }
  for (const signal of options.signals ?? []) process.on(signal, onSignal);
  return system;
}

/** Loaded only where it is used. */
async function startThreads(kernel: Kernel, { threads, workers, clock }: SystemOptions): Promise<ThreadHost> {
  if (clock !== undefined) throw new BadArgError('worker threads have the clock of the machine: leave out `clock`');
  const { threadPlan } = await import('./thread/thread-plan.ts');
  const plan = threadPlan(threads as true | ThreadsOptions, workers);
  const { ThreadHost } = await import('./thread/thread-host.ts');
  const host = new ThreadHost(kernel, plan);
  await host.start();
  return host;
}

/** The first process of a system: the parent of the root supervisor, and the caller of what its owner calls. */
async function init({ start, started, ended, stopping }: InitArg, ctx: Context): Promise<void> {
  ctx.trapExit(true);
  // However this process ends, the system ends with it.
  let outcome: { readonly reason: ExitReason } | undefined;
  ctx.openPort({ close: (reason) => ended(outcome === undefined ? reason : outcome.reason) });
  const result = await ctx.startLink(SupervisorServer, start);
  if (result === 'ignore' || 'error' in result) {
    outcome = { reason: result === 'ignore' ? 'normal' : result.error };
    return;
  }
  const root = result.ok;
  started(root, ctx);
  let stop: SystemStop | undefined;
  while (outcome === undefined) {
    const { payload } = (await ctx.receive(() => true, 'infinity')) as ReceivedMessage;
    if (payload instanceof SystemStop) {
      stop ??= payload;
      stopping();
      ctx.exitProcess(root, 'shutdown');
    } else if (payload instanceof ExitSignal && payload.from === root) {
      outcome = { reason: stop === undefined ? payload.reason : stop.reason };
    }
  }
}

class RunningSystem implements System {
  readonly name: string;
  readonly root: Pid;
  readonly terminated: Promise<ExitReason>;
  stopRequested = false;
  readonly #kernel: Kernel;
  readonly #ctx: Context;
  readonly #stopping: () => void;

  constructor(
    name: string,
    kernel: Kernel,
    root: Pid,
    ctx: Context,
    terminated: Promise<ExitReason>,
    stopping: () => void,
  ) {
    this.name = name;
    this.root = root;
    this.terminated = terminated;
    this.#kernel = kernel;
    this.#ctx = ctx;
    this.#stopping = stopping;
  }

  get processCount(): number {
    return this.#kernel.processCount;
  }

  call: Messaging['call'] = (dest: any, tag: any, ...args: any): Promise<any> => {
    if (!this.#running()) return Promise.reject(new CallError('ERR_CALL_NOPROC', 'noproc', describeDest(dest), tag));
    return (this.#ctx.call as (...all: unknown[]) => Promise<unknown>)(dest, tag, ...args);
  };

  cast: Messaging['cast'] = (dest: any, tag: any, ...args: any): void => {
    if (this.#running()) (this.#ctx.cast as (...all: unknown[]) => void)(dest, tag, ...args);
  };

  send: Messaging['send'] = (dest: any, tag: any, ...args: any): void => {
    if (!this.#running()) throw new ExitedError(`the system '${this.name}' has stopped`);
    (this.#ctx.send as (...all: unknown[]) => void)(dest, tag, ...args);
  };

  spawn: Context['spawn'] = (code: any, arg: any, options?: any): Pid => this.#ctx.spawn(code, arg, options);

  start: Context['start'] = (behaviour, arg, options) => this.#ctx.start(behaviour, arg, options);

  whereis: Messaging['whereis'] = (name) => this.#ctx.whereis(name);

  isAlive(pid: Pid): boolean {
    return this.#ctx.isAlive(pid);
  }

  processInfo(pid: Pid): ProcessInfo | undefined {
    return this.#ctx.processInfo(pid);
  }

  exitProcess(pid: Pid, reason: ExitReason): void {
    checkPid(pid, 'pid');
    if (this.#running()) this.#kernel.signals.exit(this.#ctx.self, pid, reason);
  }

  uniqueInteger(): number {
    return this.#kernel.numbering.uniqueInteger();
  }

  table: Messaging['table'] = (table: any, type?: any): any => this.#ctx.table(table, type);

  tree(): Promise<TreeNode> {
    return readTree(this, this.root);
  }

  async stop(): Promise<void> {
    this.stopRequested = true;
    this.#stopping();
    if (this.#running()) this.#ctx.exitProcess(this.root, 'shutdown');
    await this.terminated;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #running(): boolean {
    return this.#ctx.isAlive(this.#ctx.self);
  }
}
