import { checkFunction } from '../kernel/arguments.ts';
import type { Behaviour, BehaviourRunner } from '../kernel/behaviour.ts';
import type { Context, ReceivedMessage } from '../kernel/context.ts';
import { BadArgError, exitReasonOf } from '../kernel/errors.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { Message } from '../kernel/message.ts';
import type { Pid, Ref } from '../kernel/pid.ts';
import type { Process } from '../kernel/process.ts';
import { ProcessContext } from '../kernel/process-context.ts';
import { isPromise, type MaybePromise } from '../kernel/protocol.ts';
import { receive } from '../kernel/receive.ts';
import { DownSignal } from '../kernel/signals.ts';

/** The code of a task: its result goes to the process that owns the task. */
export type TaskFunction<Arg, Result> = (arg: Arg, ctx: Context) => MaybePromise<Result>;

/** The tag of the message that brings the result of a task. */
export const TASK = 'task';

/** The payload of that message; a class, so that a message with that tag from user code is not taken for a result. */
export class TaskReply {
  readonly ref: Ref;
  readonly result: unknown;

  constructor(ref: Ref, result: unknown) {
    this.ref = ref;
    this.result = result;
  }
}

/** Who waits for the result. */
export interface TaskOwner {
  readonly pid: Pid;
  /** Its monitor of the task. Null: it learns the pid later, and says `TaskGo` when it monitors the task. */
  ref: Ref | null;
}

/** Tells a task that its owner monitors it now. */
export class TaskGo {
  readonly ref: Ref;

  constructor(ref: Ref) {
    this.ref = ref;
  }
}

/** What a task runs. A class, so that the test kit leaves it alone: it is no message. */
export class TaskStart {
  readonly run: TaskFunction<any, unknown>;
  readonly arg: unknown;
  readonly owner: TaskOwner | null;

  constructor(run: TaskFunction<any, unknown>, arg: unknown, owner: TaskOwner | null) {
    checkFunction(run, 'what a task runs');
    this.run = run;
    this.arg = arg;
    this.owner = owner;
  }
}

/** Runs one function as a process, sends its result to the owner of the task, and exits. */
class TaskRunner implements BehaviourRunner {
  readonly handling = 'run';
  private readonly kernel: Kernel;
  private readonly start: TaskStart;
  private running = false;
  private ref: Ref | null = null;
  private watch: Ref | null = null;
  private process!: Process;

  constructor(kernel: Kernel, start: TaskStart) {
    this.kernel = kernel;
    this.start = start;
  }

  attach(process: Process): void {
    this.process = process;
    if (this.start instanceof TaskStart) process.label = functionName(this.start.run);
  }

  boot(): unknown {
    const { process, start } = this;
    if (!(start instanceof TaskStart)) throw new BadArgError('a task is started with the functions of taskSupervisor');
    const { ack } = process;
    process.ack = null;
    ack?.({ ok: process.pid });
    if (start.owner !== null && start.owner.ref === null) return this.untilGo(start.owner.pid);
    return this.run(start.owner?.ref ?? null);
  }

  /** Never called: the promise of the function keeps the mailbox closed until the process ends. */
  handle(): void {}

  exited(): void {}

  settled(value: unknown): unknown {
    if (this.running) return this.done(value);
    const { payload } = value as ReceivedMessage;
    if (payload instanceof TaskGo) return this.run(payload.ref);
    this.kernel.finish(this.process, { shutdown: (payload as DownSignal).reason }); // nobody waits for the result
    return undefined;
  }

  failed(error: unknown): undefined {
    this.kernel.crash(this.process, exitReasonOf(error));
  }

  /** As in Elixir: a task that a supervisor started does nothing before its owner monitors it, or is gone. */
  private untilGo(owner: Pid): Promise<unknown> {
    const { kernel, process } = this;
    const watch = kernel.nextRef();
    kernel.signals.monitor(process, watch, owner);
    const isDown = (payload: unknown): boolean => payload instanceof DownSignal && payload.ref === watch;
    const go = receive(kernel, process, ({ payload }) => payload instanceof TaskGo || isDown(payload), 'infinity');
    this.watch = watch;
    return go;
  }

  private run(ref: Ref | null): unknown {
    const { kernel, process, start } = this;
    this.running = true;
    this.ref = ref;
    if (this.watch !== null) kernel.signals.demonitor(process, this.watch, true);
    const result = start.run(start.arg, new ProcessContext(kernel, process));
    return isPromise(result) ? result : this.done(result);
  }

  private done(result: unknown): undefined {
    const { owner } = this.start;
    // A task that has ended itself has no result, as the code after exit/2 does not run.
    if (owner !== null && this.ref !== null && this.process.pendingExit === null)
      this.deliver(owner.pid, this.ref, result);
    this.kernel.finish(this.process, 'normal');
  }

  /** Comes only if the owner still monitors the task: who gave up gets no result. */
  private deliver(pid: Pid, ref: Ref, result: unknown): void {
    const { kernel } = this;
    kernel.onSend?.(result);
    const message = new Message('info', TASK, new TaskReply(ref, result));
    kernel.signal(this.process.pid, pid, () => {
      const owner = kernel.find(pid);
      if (owner?.monitors?.has(ref) === true) kernel.deliver(owner, message);
    });
  }
}

export function functionName(run: TaskFunction<any, unknown>): string {
  return run.name === '' ? 'function' : run.name;
}

/** The behaviour of every task. Its function is a closure, so a task runs on the thread that starts it. */
export const TaskProcess: Behaviour<any, TaskStart> = Object.freeze({
  module: import.meta.url,
  exportName: 'TaskProcess',
  createRunner: (kernel, start) => new TaskRunner(kernel, start),
} satisfies Behaviour<any, TaskStart>);
