import type { Clock } from '../clock.ts';
import { REFS_PER_THREAD } from '../limits.ts';
import { passesSuspension } from '../server/sys-requests.ts';
import { Tables } from '../table/tables.ts';
import { processExit, processStart } from '../telemetry.ts';
import { abortLater, guardUncaught, releaseUncaught, type UncaughtGuard } from './attribution.ts';
import type { StartedCode } from './behaviour.ts';
import type { ProcessOptions } from './context.ts';
import { type CrashDetail, isFenced, publishCrash } from './crash-report.ts';
import { Deadlines } from './deadline.ts';
import { DeferredCalls } from './deferred-calls.ts';
import { CallError, exitReasonOf } from './errors.ts';
import { type ExitReason, isNormalExit } from './exit.ts';
import { hibernateAfter } from './hibernation.ts';
import { publishExit, publishStart } from './life-events.ts';
import { admit, boundMailbox, type Sender } from './mailbox-bound.ts';
import { Message, type MessageKind } from './message.ts';
import { assertDest, assertNoName, describeDest, Names } from './names.ts';
import { Numbering } from './numbering.ts';
import { type OpenCall, PendingCall } from './pending-call.ts';
import { type Dest, type From, Pid, type Ref } from './pid.ts';
import { closePorts } from './port.ts';
import { EXITED, IDLE, type Lineage, Process, type Runner, SUSPENDED } from './process.ts';
import { ProcessTable } from './process-table.ts';
import type { Remote } from './remote.ts';
import { Scheduler } from './scheduler.ts';
import { Signals } from './signals.ts';
import { checkTime } from './time.ts';
import { Timers } from './timers.ts';

export interface SpawnOptions extends ProcessOptions {
  readonly link?: boolean;
  readonly monitor?: Ref;
  readonly name?: string | undefined;
  /** Another thread spawns it: it has given it this pid, its name, and those it descends from. */
  readonly spawned?: { readonly pid: Pid; readonly lineage: Lineage };
}

/** What lies between the processes of a simulated system. */
export interface Wire {
  /** Carries out the effect later, after all that was posted before between these two. */
  post(from: Pid, to: Pid, effect: () => void): void;
}

export interface KernelOptions {
  readonly name: string;
  /** Name and incarnation: what the pids of this system carry. */
  readonly id: string;
  readonly clock: Clock;
  readonly guard: UncaughtGuard;
  /** Decides when what one process sends another arrives; without it, at once. */
  readonly wire?: Wire | undefined;
  /** Which thread of the system this is. Default 0, the one that started it. */
  readonly thread?: number;
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
  readonly names: Names;
  readonly numbering: Numbering = new Numbering(this);
  private readonly wire: Wire | null;
  private readonly guard: UncaughtGuard;
  readonly onSend: ((payload: unknown) => void) | undefined;
  readonly thread: number;
  /** The other threads of the system; null if there is none. */
  remote: Remote | null = null;
  /** Called when a process has exited, or will not come. */
  onEmpty: (() => void) | null = null;
  readonly table: ProcessTable;
  /** The registered names. */
  private readonly locals = new Map<string, Process>();
  private readonly deferredCalls = new DeferredCalls();
  private refs: number;

  constructor(options: KernelOptions) {
    this.name = options.name;
    this.id = options.id;
    this.thread = options.thread ?? 0;
    this.table = new ProcessTable(this.id, this.thread);
    this.refs = this.thread * REFS_PER_THREAD;
    this.clock = options.clock;
    this.guard = options.guard;
    this.onSend = options.onSend;
    this.wire = options.wire ?? null;
    this.scheduler = new Scheduler(this, options.clock, this.wire !== null);
    this.signals = new Signals(this);
    this.deadlines = new Deadlines(options.clock);
    this.timers = new Timers(this, options.clock);
    this.tables = new Tables(this);
    this.names = new Names(this, this.locals);
    if (options.guard.onUnattributed !== null) guardUncaught(options.guard);
  }

  /** From now on the system has other threads. */
  connect(remote: Remote, slotsMax: number): void {
    this.remote = remote;
    this.table.limit(slotsMax);
    for (const { pid } of this.table.all) remote.born(pid);
  }

  /** Whether what is sent takes its time. */
  get simulated(): boolean {
    return this.wire !== null;
  }

  /** Of all threads. */
  get processCount(): number {
    return this.table.size + (this.remote?.processCount ?? 0);
  }

  nextRef(): Ref {
    return ++this.refs as Ref;
  }

  /** Creates a process; its first step runs in a later turn. Link, monitor and name are in force before that. */
  spawn(parent: Process | null, code: StartedCode, runner: Runner, options: SpawnOptions): Process {
    const { spawned } = options;
    if (options.name !== undefined && spawned === undefined) this.names.assertFree(options.name);
    const pid = spawned === undefined ? this.table.newPid() : spawned.pid;
    const lineage = spawned !== undefined ? spawned.lineage : parent === null ? null : parent.lineage();
    const process = new Process(pid, lineage, code, runner);
    if (options.mailboxMax !== undefined) boundMailbox(process, options.mailboxMax, options.mailboxPolicy);
    this.table.add(process);
    this.remote?.born(pid);
    if (options.name !== undefined) this.names.register(options.name, process, spawned !== undefined);
    if (options.attribute === true) this.attribute(process);
    if (options.handlerTimeoutMs !== undefined) process.handlerTimeoutMs = options.handlerTimeoutMs;
    if (options.hibernateAfterMs !== undefined) hibernateAfter(this, process, options.hibernateAfterMs);
    if (parent !== null && options.link === true) this.signals.link(parent, pid);
    if (parent !== null && options.monitor !== undefined) this.signals.monitor(parent, options.monitor, pid);
    if (processStart.hasSubscribers) publishStart(this, process);
    this.scheduler.enqueue(process);
    return process;
  }

  /** Apart from `spawn`: a closure makes every call of its function allocate. */
  private attribute(process: Process): void {
    guardUncaught(this.guard);
    process.culprit = { blame: (error) => this.blame(process, error) };
  }

  find(pid: Pid): Process | undefined {
    return this.table.find(pid);
  }

  isAlive(pid: Pid): boolean {
    return this.find(pid) !== undefined || (this.names.isElsewhere(pid) && this.remote?.isAlive(pid) === true);
  }

  /** Who is meant now, on whatever thread. */
  whereis(dest: Dest): Pid | undefined {
    return this.resolve(dest)?.pid ?? (this.remote === null ? undefined : this.names.onOtherThread(dest)?.pid);
  }

  /** Who is meant now, if it is on this thread. */
  resolve(dest: Dest): Process | undefined {
    if (typeof dest === 'string') return this.locals.get(dest);
    return dest instanceof Pid ? this.find(dest) : this.names.elsewhere(dest);
  }

  /** For whom a message to `dest` is. */
  addressee(dest: Dest): Process | undefined {
    return typeof dest === 'string' ? this.locals.get(dest) : this.addressed(dest);
  }

  private addressed(dest: Exclude<Dest, string>): Process | undefined {
    return dest instanceof Pid ? this.find(dest) : this.names.addressee(dest);
  }

  /** A value is put where other processes will read it. */
  share(value: unknown): void {
    this.onSend?.(value);
  }

  /**
   * Puts a message into a mailbox, or hands it to the `receive` that waits for it. Without a sender it is a signal,
   * which no bound keeps out. The usual case alone, since it is short enough then to be inlined where messages are
   * sent.
   */
  deliver(process: Process, message: Message, sender?: Sender): void {
    const { status } = process;
    if (status >= EXITED || process.receiver !== null || !process.push(message)) {
      this.deliverOtherwise(process, message, sender);
    } else if (status === IDLE) this.scheduler.enqueue(process);
  }

  private deliverOtherwise(process: Process, message: Message, sender: Sender | undefined): void {
    const { receiver, status } = process;
    if (status === EXITED) {
      message.call?.absent();
      return;
    }
    if (receiver?.match(message) === true) {
      process.receiver = null;
      receiver.settle(message);
      return;
    }
    if (!process.push(message) && !admit(this, process, message, sender)) return;
    if (status === IDLE || (status === SUSPENDED && passesSuspension(process, message))) {
      this.scheduler.enqueue(process);
    }
  }

  private transmit(from: Process, to: Process, message: Message): void {
    if (this.wire === null) this.deliver(to, message, from);
    else this.post(this.wire, from, to, message);
  }

  /** Apart from `transmit`: a closure makes every call of its function allocate. */
  private post(wire: Wire, from: Process, to: Process, message: Message): void {
    wire.post(from.pid, to.pid, () => this.deliver(to, message, from));
  }

  /** A signal takes effect, at once or when the wire says so. */
  signal(from: Pid, to: Pid, effect: () => void): void {
    if (this.wire === null) effect();
    else this.wire.post(from, to, effect);
  }

  sendInfo(sender: Process, dest: Dest, tag: string, payload: unknown): void {
    const process = this.addressee(dest);
    if (process === undefined) {
      if (this.sendFar(sender, dest, 'info', tag, payload)) return;
      assertNoName(dest);
      return;
    }
    this.onSend?.(payload);
    this.transmit(sender, process, new Message('info', tag, payload));
  }

  cast(sender: Process, dest: Dest, tag: string, payload: unknown): void {
    const process = this.addressee(dest);
    if (process === undefined) {
      if (!this.sendFar(sender, dest, 'cast', tag, payload)) assertDest(dest);
      return;
    }
    this.onSend?.(payload);
    this.transmit(sender, process, new Message('cast', tag, payload));
  }

  /** To a process of another thread; false if it is not known to be on one. A timer is no sender. */
  private sendFar(sender: Process | null, dest: Dest, kind: MessageKind, tag: string, payload: unknown): boolean {
    if (this.remote === null) return false;
    const far = this.names.onOtherThread(dest);
    if (far === undefined) return false;
    this.onSend?.(payload);
    this.remote.send(sender, far.to, kind, tag, payload);
    return true;
  }

  call(caller: Process, dest: Dest, tag: string, payload: unknown, timeoutMs: number | 'infinity'): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const server = this.addressee(dest);
      if (server === caller) return reject(new CallError('ERR_CALL_SELF', 'calling_self', describeDest(dest), tag));
      if (server === undefined) assertDest(dest);
      const call = new PendingCall(this, this.nextRef(), caller, dest, tag, resolve, reject);
      if (server === undefined && this.remote === null) return call.absent();
      if (timeoutMs !== 'infinity') this.deadlines.add(call, checkTime(timeoutMs, 'timeoutMs'));
      if (server === undefined) return this.sendCall(call, server, payload);
      this.onSend?.(payload);
      this.transmit(caller, server, new Message('call', tag, payload, call));
    });
  }

  /** A call goes on its way to `server`, or to whoever is at its destination on another thread. */
  sendCall(call: PendingCall, server: Process | undefined, payload: unknown): void {
    this.onSend?.(payload);
    if (server !== undefined) {
      this.transmit(call.caller, server, new Message('call', call.tag, payload, call));
      return;
    }
    const far = this.remote === null ? undefined : this.names.onOtherThread(call.dest);
    if (far === undefined) call.absent();
    else this.remote?.call(call, far.to, payload);
  }

  deferCall(server: Process, call: OpenCall): void {
    this.deferredCalls.add(server, call);
  }

  reply(sender: Pid, { pid, ref }: From, value: unknown): void {
    const call = this.deferredCalls.take(ref);
    if (call !== undefined) this.answer(sender, call, value);
    else if (pid.system === this.id) this.remote?.reply(pid, ref, value);
  }

  answer(sender: Pid, call: OpenCall, value: unknown): void {
    this.onSend?.(value);
    if (this.wire === null) call.reply(value);
    else this.postReply(this.wire, sender, call, value);
  }

  private postReply(wire: Wire, sender: Pid, call: OpenCall, value: unknown): void {
    wire.post(sender, call.caller.pid, () => call.reply(value));
  }

  /** A deferred call is settled, one way or the other. */
  forgetDeferred(ref: Ref): OpenCall | undefined {
    const call = this.deferredCalls.take(ref);
    if (call === undefined) this.remote?.dropCall(ref);
    return call;
  }

  /** A message of a timer, which nobody sends. */
  deliverTo(dest: Dest, message: Message): void {
    const process = this.addressee(dest);
    if (process !== undefined) this.deliver(process, message);
    else this.sendFar(null, dest, message.kind, message.tag, message.payload);
  }

  /** Ends a process whose own code failed: reports it first (proc_lib). */
  crash(process: Process, reason: ExitReason, detail?: CrashDetail): void {
    if (process.status === EXITED) return;
    if (!isNormalExit(reason)) this.reportCrash(process, reason, detail);
    this.finish(process, reason);
  }

  /** Ends a process: from here on it exists for nobody. */
  finish(process: Process, reason: ExitReason): void {
    if (process.status === EXITED) return;
    // A signal that came while its code was on the stack came first.
    const first = process.pendingExit === null ? reason : process.pendingExit.reason;
    this.forget(process, first);
    this.signals.exited(process, first);
  }

  /** A name, timers, tables, ports and open calls of a dead process are gone before anybody learns of its death. */
  private forget(process: Process, reason: ExitReason): void {
    process.status = EXITED;
    if (process.name !== null) this.names.release(process.name, process.pid);
    this.table.remove(process);
    this.remote?.died(process.pid, reason);
    if (process.timers !== null) this.timers.cancelAll(process.timers);
    this.tables.ownerExited(process);
    if (processExit.hasSubscribers) publishExit(this, process, reason);
    if (process.handlerDeadline !== null) process.handlerDeadline.done = true;
    process.receiver?.cancel();
    process.runner.exited();
    closePorts(this, process, reason);
    this.failCalls(process, reason);
    const { ack, abort } = process;
    process.ack = null;
    ack?.({ error: reason });
    if (abort !== null) abortLater(process, abort, reason);
    this.onEmpty?.();
  }

  private failCalls(process: Process, reason: ExitReason): void {
    const { pid } = process;
    if (process.currentCall !== null) this.failCall(pid, process.currentCall, reason);
    process.currentCall = null;
    for (const call of this.deferredCalls.takeAll(process)) this.failCall(pid, call, reason);
    for (let message = process.shift(); message !== undefined; message = process.shift()) {
      if (message.call !== null) this.failCall(pid, message.call, reason);
    }
  }

  /** After replies that are still on the wire. */
  private failCall(server: Pid, call: OpenCall, reason: ExitReason): void {
    if (this.wire === null) call.fail(reason);
    else this.wire.post(server, call.caller.pid, () => call.fail(reason));
  }

  /** An uncaught error of code that an attributed process left behind. */
  private blame(process: Process, error: unknown): void {
    if (process.status !== EXITED) this.crash(process, exitReasonOf(error));
    else if (!isFenced(error)) this.reportCrash(process, exitReasonOf(error), {}, true);
  }

  private reportCrash(process: Process, reason: ExitReason, detail: CrashDetail = {}, late = false): void {
    publishCrash(this, process, reason, detail, late);
  }

  /** The system has stopped: no timer, deadline or hook of it may keep anything alive. */
  stop(): void {
    // The first process goes last: what it waits for must fail while it can still hear of it.
    for (const process of this.table.all.reverse()) this.finish(process, 'killed');
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
