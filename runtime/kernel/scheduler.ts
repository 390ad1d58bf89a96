import type { Clock } from '../clock.ts';
import { CLOCK_CHECK_MESSAGES, LOOP_MS, MESSAGES_PER_LOOP, MESSAGES_PER_TURN } from '../limits.ts';
import { passesSuspension } from '../server/sys-requests.ts';
import { runAttributed, runUnattributed } from './attribution.ts';
import { Deadline } from './deadline.ts';
import { exitReasonOf } from './errors.ts';
import type { Kernel } from './kernel.ts';
import type { Message } from './message.ts';
import { BLOCKED, EXITED, IDLE, NEW, type Process, RUNNABLE, RUNNING, SERVING, SUSPENDED, WAITING } from './process.ts';
import { isPromise } from './protocol.ts';

const settledPromise = Promise.resolve();

const boot = (process: Process): unknown => process.runner.boot();

/** A callback that has not settled in time costs its process. */
class HandlerDeadline extends Deadline {
  private readonly kernel: Kernel;
  private readonly process: Process;

  constructor(kernel: Kernel, process: Process) {
    super();
    this.kernel = kernel;
    this.process = process;
  }

  expire(): void {
    this.kernel.crash(this.process, { handler_timeout: this.process.runner.handling });
  }
}

/**
 * The run queue of one thread. A turn hands a process some of its messages; a drain is turn after turn, until none is
 * runnable or the budget is spent. The budget spans all drains of one round of the event loop, since drains are
 * microtasks and could otherwise follow each other for ever without timers and sockets having their turn. An idle
 * system costs nothing.
 */
export class Scheduler {
  /** Whose code is on the stack, or null: a signal that it brings on itself waits until the callback yields. */
  acting: Process | null = null;
  private queue: (Process | undefined)[] = new Array<Process | undefined>(256).fill(undefined);
  private head = 0;
  private length = 0;
  private armed = false;
  private stopped = false;
  /** Messages handled in this round of the event loop, and when its time is over. */
  private used = 0;
  private nextCheck = CLOCK_CHECK_MESSAGES;
  private roundOpen = false;
  private roundEnd = 0;
  private readonly kernel: Kernel;
  private readonly clock: Clock;
  /** A simulated system runs nothing by itself: the simulation takes its steps. */
  private readonly simulated: boolean;
  private readonly messagesPerTurn: number;

  constructor(kernel: Kernel, clock: Clock, simulated: boolean) {
    this.kernel = kernel;
    this.clock = clock;
    this.simulated = simulated;
    this.messagesPerTurn = simulated ? 1 : MESSAGES_PER_TURN;
  }

  get runnable(): number {
    return this.length;
  }

  /** One turn of the runnable process at that place, for a simulation. */
  runAt(index: number): void {
    const mask = this.queue.length - 1;
    const chosen = this.queue[(this.head + index) & mask] as Process;
    this.queue[(this.head + index) & mask] = this.queue[this.head];
    this.queue[this.head] = undefined;
    this.head = (this.head + 1) & mask;
    this.length--;
    chosen.reductions += this.turn(chosen);
  }

  enqueue(process: Process): void {
    process.status = RUNNABLE;
    if (this.length === this.queue.length) this.grow();
    this.queue[(this.head + this.length++) & (this.queue.length - 1)] = process;
    if (this.armed || this.simulated) return;
    this.armed = true;
    runUnattributed(this.arm);
  }

  stop(): void {
    this.stopped = true;
    this.queue.fill(undefined);
    this.length = 0;
  }

  private readonly arm = (): void => {
    void settledPromise.then(this.drain);
  };

  private readonly drain = (): void => {
    const { remote } = this.kernel;
    if (remote !== null) remote.roundBegins();
    this.runQueue();
    if (remote !== null) remote.roundEnds();
  };

  private runQueue(): void {
    while (this.length > 0 && !this.stopped) {
      if (this.used >= this.nextCheck && this.budgetSpent()) return; // the next round goes on

      const process = this.queue[this.head] as Process;
      this.queue[this.head] = undefined;
      this.head = (this.head + 1) & (this.queue.length - 1);
      this.length--;
      const used = this.turn(process);
      process.reductions += used;
      this.used += used;
    }
    this.armed = false;
  }

  /** Looked at every few messages only, and the end of the round is asked for only then: most rounds are short. */
  private budgetSpent(): boolean {
    this.nextCheck = this.used + CLOCK_CHECK_MESSAGES;
    if (!this.roundOpen) {
      this.roundOpen = true;
      this.roundEnd = this.clock.now() + LOOP_MS;
      setImmediate(this.nextRound);
      return false;
    }
    return this.used >= MESSAGES_PER_LOOP || this.clock.now() >= this.roundEnd;
  }

  private readonly nextRound = (): void => {
    this.roundOpen = false;
    this.used = 0;
    this.nextCheck = CLOCK_CHECK_MESSAGES;
    if (this.armed) this.drain();
  };

  /** Some messages of one process; returns how many. */
  private turn(process: Process): number {
    if (process.status !== RUNNABLE) return 0; // exited while it was queued
    if (this.kernel.remote !== null) this.kernel.remote.runs(process.pid);
    return process.mode === SERVING ? this.serve(process, 0) : this.unusualTurn(process);
  }

  private serve(process: Process, before: number): number {
    let used = before;
    while (used < this.messagesPerTurn) {
      const message = process.shift();
      if (message === undefined) {
        process.status = IDLE;
        return used;
      }
      used++;
      if (!this.finished(process, this.handle(process, message))) return used;
      if (process.mode !== SERVING) break;
    }
    this.release(process);
    return used;
  }

  /** The first turn of a process, or one while it is suspended. */
  private unusualTurn(process: Process): number {
    if (process.mode === NEW) {
      process.mode = SERVING;
      if (this.kernel.remote?.begins(process.pid) === false) {
        this.kernel.finish(process, 'killed');
        return 0;
      }
      return this.finished(process, this.step(process, boot, process)) ? this.serve(process, 1) : 1;
    }
    if (process.mode === BLOCKED) {
      process.status = SUSPENDED;
      return 0;
    }
    const passes = (message: Message): boolean => passesSuspension(process, message);
    let used = 0;
    while (process.suspended) {
      const message = process.take(passes);
      if (message === undefined) {
        process.status = SUSPENDED;
        return used;
      }
      used++;
      if (!this.finished(process, this.handle(process, message))) return used;
    }
    this.release(process);
    return used;
  }

  /** An idle process handles a message within the step of another, which would only wait for it. */
  interpose(process: Process, message: Message): void {
    const outer = this.stepsIn(process);
    process.reductions++;
    if (this.finished(process, this.handle(process, message))) this.release(process);
    this.stepsOut(outer);
  }

  /** The first step of a process, within the step of who waits for it; then it is runnable, as it was. */
  bootNow(process: Process): void {
    process.mode = SERVING;
    if (this.kernel.remote?.begins(process.pid) === false) {
      this.kernel.finish(process, 'killed');
      return;
    }
    const outer = this.stepsIn(process);
    process.reductions++;
    // It stands in the queue since it was spawned.
    if (this.finished(process, this.step(process, boot, process))) process.status = RUNNABLE;
    this.stepsOut(outer);
  }

  private stepsIn({ pid }: Process): Process | null {
    this.kernel.remote?.runs(pid);
    this.used++;
    return this.acting;
  }

  private stepsOut(outer: Process | null): void {
    this.acting = outer;
    if (outer !== null) this.kernel.remote?.runs(outer.pid);
  }

  private handle(process: Process, message: Message): unknown {
    if (process.culprit !== null) return this.step(process, (m: Message) => process.runner.handle(m), message);
    process.status = RUNNING;
    this.acting = process;
    try {
      return process.runner.handle(message);
    } catch (error) {
      return this.failed(process, error);
    } finally {
      this.acting = null;
    }
  }

  /** Runs one step of a process; what it throws becomes its `failed` step. */
  private step<A>(process: Process, run: (arg: A) => unknown, arg: A): unknown {
    process.status = RUNNING;
    this.acting = process;
    try {
      return process.culprit === null ? run(arg) : runAttributed(process.culprit, run, arg);
    } catch (error) {
      return this.failed(process, error);
    } finally {
      this.acting = null;
    }
  }

  private failed(process: Process, error: unknown): unknown {
    if (process.status === EXITED || process.pendingExit !== null) return undefined;
    this.acting = process;
    try {
      return process.runner.failed(error);
    } catch (second) {
      this.kernel.crash(process, exitReasonOf(second));
      return undefined;
    } finally {
      this.acting = null;
    }
  }

  /** After a step: true if the process may take its next message now. */
  private finished(process: Process, result: unknown): boolean {
    if (process.status !== RUNNING) {
      if (process.status === SUSPENDED) this.enqueue(process); // it may have system requests already
      return false;
    }
    if (process.pendingExit !== null) {
      this.kernel.finish(process, process.pendingExit.reason);
      return false;
    }
    if (!isPromise(result)) return true;
    this.park(process, result);
    return false;
  }

  private park(process: Process, promise: PromiseLike<unknown>): void {
    process.status = WAITING;
    process.onSettled ??= (value) => this.settle(process, (v) => process.runner.settled(v), value);
    process.onFailed ??= (error) => this.settle(process, (e) => process.runner.failed(e), error);
    if (process.handlerTimeoutMs > 0 && process.handlerDeadline === null) {
      process.handlerDeadline = new HandlerDeadline(this.kernel, process);
      this.kernel.deadlines.add(process.handlerDeadline, process.handlerTimeoutMs);
    }
    // Only a promise of the language settles once and never throws from `then`.
    const settling = promise instanceof Promise ? promise : Promise.resolve(promise);
    settling.then(process.onSettled, process.onFailed);
  }

  private settle(process: Process, run: (outcome: unknown) => unknown, outcome: unknown): void {
    if (process.status !== WAITING) return; // it exited while the promise was pending: a late result
    // What follows, such as `terminate`, has a time of its own.
    if (process.handlerDeadline !== null) {
      process.handlerDeadline.done = true;
      process.handlerDeadline = null;
    }
    if (this.finished(process, this.step(process, run, outcome))) this.release(process);
  }

  /** A process that was blocked has room again. */
  unblock(process: Process): void {
    process.unblock();
    if (process.status === SUSPENDED) this.release(process);
  }

  private release(process: Process): void {
    if (process.queueLength > 0) this.enqueue(process);
    else process.status = IDLE;
  }

  private grow(): void {
    const { queue } = this;
    const grown = new Array<Process | undefined>(queue.length * 2).fill(undefined);
    for (let i = 0; i < queue.length; i++) grown[i] = queue[(this.head + i) & (queue.length - 1)];
    this.queue = grown;
    this.head = 0;
  }
}
