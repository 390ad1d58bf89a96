import { guardUncaught, releaseUncaught, runAttributed, type UncaughtGuard } from './attribution.ts';
import type { Clock } from './clock.ts';
import { Deadlines } from './deadline.ts';
import { BadArgError, CallError, ExitedError, ProcessExit } from './errors.ts';
import { type ExitReason, errorExit, isNormalExit } from './exit.ts';
import { Message } from './message.ts';
import { PendingCall } from './pending-call.ts';
import { type Dest, Pid, type Ref } from './pid.ts';
import { EXITED, IDLE, Process, type Runner } from './process.ts';
import { Scheduler } from './scheduler.ts';
import { Signals } from './signals.ts';
import { Tables } from './table.ts';
import * as telemetry from './telemetry.ts';
import { checkTime } from './time.ts';
import { Timers } from './timers.ts';

export interface SpawnOptions {
  readonly link?: boolean;
  readonly monitor?: Ref;
  readonly name?: string | undefined;
  readonly attribute?: boolean | undefined;
  readonly handlerTimeoutMs?: number | undefined;
}

export interface KernelOptions {
  readonly name: string;
  /** Name and incarnation: what the pids of this system carry. */
  readonly id: string;
  readonly clock: Clock;
  readonly guard: UncaughtGuard;
  /** Called with every payload that is sent; the test kit freezes it. */
  readonly onSend?: ((payload: unknown) => void) | undefined;
}

/** The processes of one system on one thread: who there is, what they are called, and what reaches them. */
export class Kernel {
  readonly name: string;
  readonly id: string;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly signals: Signals;
  readonly deadlines: Deadlines;
  readonly timers: Timers;
  readonly tables: Tables;
  private readonly guard: UncaughtGuard;
  private readonly onSend: ((payload: unknown) => void) | undefined;
  private readonly slots: (Process | undefined)[] = [];
  private readonly freeSlots: number[] = [];
  private readonly names = new Map<string, Process>();
  /** Calls answered with `noreply` so far: a reply finds them by its ref. */
  private readonly deferredCalls = new Map<Ref, Process>();
  private serial = 0;
  private refs = 0;

  constructor(options: KernelOptions) {
    this.name = options.name;
    this.id = options.id;
    this.clock = options.clock;
    this.guard = options.guard;
    this.onSend = options.onSend;
    this.scheduler = new Scheduler(this, options.clock);
    this.signals = new Signals(this);
    this.deadlines = new Deadlines(options.clock);
    this.timers = new Timers(this, options.clock);
    this.tables = new Tables(this);
    if (options.guard.onUnattributed !== null) guardUncaught(options.guard);
  }

  get processCount(): number {
    return this.slots.length - this.freeSlots.length;
  }

  nextRef(): Ref {
    return ++this.refs as Ref;
  }

  /** Creates a process; its first step runs in a later turn. Link, monitor and name are in force before that. */
  spawn(parent: Process | null, initialCall: string, runner: Runner, options: SpawnOptions): Process {
    if (options.name !== undefined) this.assertFree(options.name);
    if (options.handlerTimeoutMs !== undefined) checkTime(options.handlerTimeoutMs, 'handlerTimeoutMs');
    const slot = this.freeSlots.pop() ?? this.slots.length;
    const pid = new Pid(this.id, 0, slot, ++this.serial);
    const process = new Process(pid, parent, initialCall, runner);
    this.slots[slot] = process;
    if (options.name !== undefined) this.register(options.name, process);
    if (options.attribute === true) {
      guardUncaught(this.guard);
      process.culprit = { blame: (error) => this.blame(process, error) };
    }
    if (options.handlerTimeoutMs !== undefined) process.handlerTimeoutMs = options.handlerTimeoutMs;
    if (parent !== null && options.link === true) this.signals.link(parent, pid);
    if (parent !== null && options.monitor !== undefined) this.signals.monitor(parent, options.monitor, pid);
    if (telemetry.processStart.hasSubscribers) {
      telemetry.processStart.publish({ system: this.name, pid, parent: process.parent, initialCall });
    }
    this.scheduler.enqueue(process);
    return process;
  }

  find(pid: Pid): Process | undefined {
    const process = this.slots[pid.slot];
    if (process === undefined || process.pid.serial !== pid.serial || pid.system !== this.id) return undefined;
    return process;
  }

  resolve(dest: Dest): Process | undefined {
    return typeof dest === 'string' ? this.names.get(dest) : this.find(dest);
  }

  register(name: string, process: Process): void {
    this.assertFree(name);
    if (process.name !== null) throw new BadArgError(`${process.pid} has the name '${process.name}' already`);
    process.name = name;
    this.names.set(name, process);
  }

  private assertFree(name: string): void {
    if (typeof name !== 'string' || name === '') throw new BadArgError('a name is a text that is not empty');
    const holder = this.names.get(name);
    if (holder !== undefined) throw new BadArgError(`the name '${name}' is taken by ${holder.pid}`);
  }

  registerPid(name: string, pid: Pid): void {
    const process = this.find(pid);
    if (process === undefined) throw new BadArgError(`cannot register '${name}': ${pid} is not alive`);
    this.register(name, process);
  }

  unregister(name: string): void {
    const holder = this.names.get(name);
    if (holder === undefined) throw new BadArgError(`no process has the name '${name}'`);
    holder.name = null;
    this.names.delete(name);
  }

  /** Puts a message into a mailbox, or hands it to the `receive` that waits for it. */
  deliver(process: Process, message: Message): void {
    if (process.status === EXITED) {
      message.call?.fail('noproc');
      return;
    }
    const { receiver } = process;
    if (receiver?.match(message) === true) {
      process.receiver = null;
      receiver.settle(message);
      return;
    }
    process.push(message);
    if (process.status === IDLE) this.scheduler.enqueue(process);
  }

  sendInfo(dest: Dest, tag: string, payload: unknown): void {
    const process = this.resolve(dest);
    if (process === undefined) {
      if (typeof dest === 'string') throw new BadArgError(`no process has the name '${dest}'`);
      return;
    }
    this.onSend?.(payload);
    this.deliver(process, new Message('info', tag, payload));
  }

  cast(dest: Dest, tag: string, payload: unknown): void {
    const process = this.resolve(dest);
    if (process === undefined) return;
    this.onSend?.(payload);
    this.deliver(process, new Message('cast', tag, payload));
  }

  call(caller: Process, dest: Dest, tag: string, payload: unknown, timeoutMs: number | 'infinity'): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const server = this.resolve(dest);
      const to = String(dest);
      if (server === undefined) return reject(new CallError('ERR_CALL_NOPROC', 'noproc', to, tag));
      if (server === caller) return reject(new CallError('ERR_CALL_SELF', 'calling_self', to, tag));
      const call = new PendingCall(this, this.nextRef(), caller, to, tag, resolve, reject);
      if (timeoutMs !== 'infinity') this.deadlines.add(call, checkTime(timeoutMs, 'timeoutMs'));
      this.onSend?.(payload);
      this.deliver(server, new Message('call', tag, payload, call));
    });
  }

  /** The server will reply later, or another process will: the reply finds the call by its ref. */
  deferCall(server: Process, call: PendingCall): void {
    if (call.done) return;
    server.deferredCalls ??= new Map();
    server.deferredCalls.set(call.ref, call);
    this.deferredCalls.set(call.ref, server);
  }

  reply(ref: Ref, value: unknown): void {
    const call = this.forgetDeferred(ref);
    if (call !== undefined) this.answer(call, value);
  }

  answer(call: PendingCall, value: unknown): void {
    this.onSend?.(value);
    call.reply(value);
  }

  /** A deferred call is settled, one way or the other. */
  forgetDeferred(ref: Ref): PendingCall | undefined {
    const server = this.deferredCalls.get(ref);
    if (server === undefined) return undefined;
    this.deferredCalls.delete(ref);
    const call = server.deferredCalls?.get(ref);
    server.deferredCalls?.delete(ref);
    return call;
  }

  /** A message that a timer will deliver. */
  sendLater(ref: Ref, delayMs: number, dest: Dest, tag: string, payload: unknown): void {
    this.onSend?.(payload);
    this.timers.start(ref, delayMs, dest, new Message('info', tag, payload));
  }

  /** What an error of user code means as an exit reason. */
  reasonOf(error: unknown): ExitReason {
    try {
      if (error instanceof ProcessExit) return error.reason;
      if (error instanceof CallError) return error.exitReason;
    } catch {
      // a proxy of user code, which is neither
    }
    return errorExit(error);
  }

  /** Ends a process whose own code failed: reports it first (proc_lib). */
  crash(process: Process, reason: ExitReason, detail?: Pick<telemetry.CrashReport, 'lastMessage' | 'state'>): void {
    if (process.status === EXITED) return;
    if (!isNormalExit(reason)) this.reportCrash(process, reason, detail);
    this.finish(process, reason);
  }

  /** Ends a process: from here on it exists for nobody. */
  finish(process: Process, reason: ExitReason): void {
    if (process.status === EXITED) return;
    // A signal that came while its code was on the stack came first.
    const first = process.pendingExit === null ? reason : process.pendingExit.reason;
    this.signals.exited(process, first, () => this.forget(process, first));
  }

  /** A name, timers, tables, ports and open calls of a dead process are gone before anybody learns of its death. */
  private forget(process: Process, reason: ExitReason): void {
    process.status = EXITED;
    this.slots[process.pid.slot] = undefined;
    this.freeSlots.push(process.pid.slot);
    if (process.name !== null) this.names.delete(process.name);
    if (process.timers !== null) for (const ref of [...process.timers]) this.timers.cancel(ref);
    this.tables.ownerExited(process);
    if (telemetry.processExit.hasSubscribers) {
      const { pid, label, initialCall } = process;
      telemetry.processExit.publish({ system: this.name, pid, reason, label, initialCall });
    }
    if (process.handlerDeadline !== null) process.handlerDeadline.done = true;
    process.receiver?.cancel();
    process.runner.exited();
    this.closePorts(process, reason);
    this.failCalls(process, reason);
    const { ack, abort } = process;
    process.ack = null;
    ack?.({ error: reason });
    // Listeners are user code: they run after the kernel has finished with this exit.
    if (abort !== null) this.asProcess(process, () => queueMicrotask(() => abort.abort(reason)));
  }

  private closePorts(process: Process, reason: ExitReason): void {
    if (process.ports === null) return;
    for (const port of process.ports) {
      try {
        this.asProcess(process, () => port.close(reason));
      } catch (error) {
        this.reportCrash(process, errorExit(error), {});
      }
    }
    process.ports = null;
  }

  /** What the step schedules, and its errors, are blamed on the process as its own steps are. */
  private asProcess(process: Process, step: () => void): void {
    if (process.culprit === null) step();
    else runAttributed(process.culprit, step, undefined);
  }

  private failCalls(process: Process, reason: ExitReason): void {
    process.currentCall?.fail(reason);
    process.currentCall = null;
    if (process.deferredCalls !== null) {
      for (const [ref, call] of process.deferredCalls) {
        this.deferredCalls.delete(ref);
        call.fail(reason);
      }
      process.deferredCalls = null;
    }
    for (let message = process.shift(); message !== undefined; message = process.shift()) message.call?.fail(reason);
  }

  /** An uncaught error of code that an attributed process left behind. */
  private blame(process: Process, error: unknown): void {
    if (process.status !== EXITED) this.crash(process, this.reasonOf(error));
    else if (!isFenced(error)) this.reportCrash(process, this.reasonOf(error), {}, true);
  }

  private reportCrash(
    process: Process,
    reason: ExitReason,
    detail: Pick<telemetry.CrashReport, 'lastMessage' | 'state'> = {},
    late = false,
  ): void {
    if (!telemetry.crashReport.hasSubscribers) return;
    const { pid, name, label, initialCall, ancestors } = process;
    const report = { system: this.name, pid, name, label, initialCall, ancestors, reason, ...detail };
    telemetry.crashReport.publish(late ? { ...report, late } : report);
  }

  /** The system has stopped: no timer, deadline or hook of it may keep anything alive. */
  stop(): void {
    // The first process goes last: what it waits for must fail while it can still hear of it.
    for (const process of [...this.slots].reverse()) if (process !== undefined) this.finish(process, 'killed');
    this.scheduler.stop();
    this.deadlines.clear();
    this.timers.clear();
  }

  /**
   * Takes no blame for anybody any more. Not in the turn of the stop: what a process leaves behind may still throw in
   * it.
   */
  release(): void {
    releaseUncaught(this.guard);
  }
}

/** The code of a dead process met its fence: nothing to report. */
function isFenced(error: unknown): boolean {
  try {
    return error instanceof ExitedError;
  } catch {
    return false; // a proxy of user code
  }
}
