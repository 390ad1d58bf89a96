import type { Clock } from '../clock.ts';
import { passesSuspension } from '../server/sys-requests.ts';
import { Tables } from '../table/tables.ts';
import { processExit, processStart } from '../telemetry.ts';
import { abortLater, guardUncaught, releaseUncaught, type UncaughtGuard } from './attribution.ts';
import type { Code } from './behaviour.ts';
import type { ProcessOptions } from './context.ts';
import { type CrashDetail, isFenced, publishCrash } from './crash-report.ts';
import { Deadlines } from './deadline.ts';
import { BadArgError, CallError, exitReasonOf } from './errors.ts';
import { type ExitReason, isNormalExit } from './exit.ts';
import { hibernateAfter } from './hibernation.ts';
import { publishExit, publishStart } from './life-events.ts';
import { admit, boundMailbox } from './mailbox-bound.ts';
import { Message } from './message.ts';
import { assertDest, assertNoName, describeDest, Names } from './names.ts';
import { PendingCall } from './pending-call.ts';
import { type Dest, Pid, type Ref } from './pid.ts';
import { closePorts } from './port.ts';
import { EXITED, IDLE, Process, type Runner, SUSPENDED } from './process.ts';
import { type Outcome, RESPONSE, RequestId, Response } from './request.ts';
import { Scheduler } from './scheduler.ts';
import { Signals } from './signals.ts';
import { checkTime } from './time.ts';
import { Timers } from './timers.ts';

export interface SpawnOptions extends ProcessOptions {
  readonly link?: boolean;
  readonly monitor?: Ref;
  readonly name?: string | undefined;
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
  private readonly wire: Wire | null;
  private readonly guard: UncaughtGuard;
  readonly onSend: ((payload: unknown) => void) | undefined;
  private readonly slots: (Process | undefined)[] = [];
  /** The registered names. */
  private readonly locals = new Map<string, Process>();
  private readonly freeSlots: number[] = [];
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
    this.wire = options.wire ?? null;
    this.scheduler = new Scheduler(this, options.clock, this.wire !== null);
    this.signals = new Signals(this);
    this.deadlines = new Deadlines(options.clock);
    this.timers = new Timers(this, options.clock);
    this.tables = new Tables(this);
    this.names = new Names(this, this.locals);
    if (options.guard.onUnattributed !== null) guardUncaught(options.guard);
  }

  /** Whether what is sent takes its time. */
  get simulated(): boolean {
    return this.wire !== null;
  }

  /** All that live, in no order that means something. */
  get processes(): readonly Process[] {
    return this.slots.filter((process) => process !== undefined);
  }

  get processCount(): number {
    return this.slots.length - this.freeSlots.length;
  }

  nextRef(): Ref {
    return ++this.refs as Ref;
  }

  /** Creates a process; its first step runs in a later turn. Link, monitor and name are in force before that. */
  spawn(parent: Process | null, code: Code, runner: Runner, options: SpawnOptions): Process {
    if (options.name !== undefined) this.names.assertFree(options.name);
    const slot = this.freeSlots.pop() ?? this.slots.length;
    const pid = new Pid(this.id, 0, slot, ++this.serial);
    const process = new Process(pid, parent, code, runner);
    if (options.mailboxMax !== undefined) boundMailbox(process, options.mailboxMax, options.mailboxPolicy);
    this.slots[slot] = process;
    if (options.name !== undefined) this.names.register(options.name, process);
    if (options.attribute === true) this.attribute(process);
    if (options.handlerTimeoutMs !== undefined) process.handlerTimeoutMs = options.handlerTimeoutMs;
    if (options.hibernateAfterMs !== undefined) hibernateAfter(this, process, options.hibernateAfterMs);
    if (parent !== null && options.link === true) this.signals.link(parent, pid);
    if (parent !== null && options.monitor !== undefined) this.signals.monitor(parent, options.monitor, pid);
    if (processStart.hasSubscribers) publishStart(this.name, process);
    this.scheduler.enqueue(process);
    return process;
  }

  /** Apart from `spawn`: a closure makes every call of its function allocate. */
  private attribute(process: Process): void {
    guardUncaught(this.guard);
    process.culprit = { blame: (error) => this.blame(process, error) };
  }

  find(pid: Pid): Process | undefined {
    const process = this.slots[pid.slot];
    if (process === undefined || process.pid.serial !== pid.serial || pid.system !== this.id) return undefined;
    return process;
  }

  /** Who is meant now. */
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
  deliver(process: Process, message: Message, sender?: Process): void {
    const { status } = process;
    if (status >= EXITED || process.receiver !== null || !process.push(message)) {
      this.deliverOtherwise(process, message, sender);
    } else if (status === IDLE) this.scheduler.enqueue(process);
  }

  private deliverOtherwise(process: Process, message: Message, sender: Process | undefined): void {
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
    if (!process.push(message) && !admit(this.name, process, message, sender)) return;
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
      assertNoName(dest);
      return;
    }
    this.onSend?.(payload);
    this.transmit(sender, process, new Message('info', tag, payload));
  }

  cast(sender: Process, dest: Dest, tag: string, payload: unknown): void {
    const process = this.addressee(dest);
    if (process === undefined) {
      assertDest(dest);
      return;
    }
    this.onSend?.(payload);
    this.transmit(sender, process, new Message('cast', tag, payload));
  }

  call(caller: Process, dest: Dest, tag: string, payload: unknown, timeoutMs: number | 'infinity'): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const server = this.addressee(dest);
      if (server === caller) {
        return reject(new CallError('ERR_CALL_SELF', 'calling_self', describeDest(dest), tag));
      }
      if (server === undefined) assertDest(dest);
      const call = new PendingCall(this, this.nextRef(), caller, dest, tag, resolve, reject);
      if (server === undefined) return call.absent();
      if (timeoutMs !== 'infinity') this.deadlines.add(call, checkTime(timeoutMs, 'timeoutMs'));
      this.onSend?.(payload);
      this.transmit(caller, server, new Message('call', tag, payload, call));
    });
  }

  /** A call whose outcome comes back as a message. */
  sendRequest(caller: Process, dest: Dest, tag: string, payload: unknown): RequestId {
    const answered = (outcome: Outcome): void =>
      this.deliver(caller, new Message('info', RESPONSE, new Response(id, outcome)));
    const replied = (reply: unknown): void => answered({ reply });
    const failed = ({ reason }: CallError): void => answered({ error: { reason, dest } });
    const call = new PendingCall(this, this.nextRef(), caller, dest, tag, replied, failed);
    const id = new RequestId(call.ref, () => this.abandon(call));
    const server = this.addressee(dest);
    if (server === undefined) assertDest(dest);
    this.onSend?.(payload);
    if (server === undefined) call.absent();
    else this.transmit(caller, server, new Message('call', tag, payload, call));
    return id;
  }

  private abandon(call: PendingCall): void {
    call.done = true;
    this.forgetDeferred(call.ref);
  }

  /** The server will reply later, or another process will: the reply finds the call by its ref. */
  deferCall(server: Process, call: PendingCall): void {
    if (call.done) return;
    server.deferredCalls ??= new Map();
    server.deferredCalls.set(call.ref, call);
    this.deferredCalls.set(call.ref, server);
  }

  reply(sender: Pid, ref: Ref, value: unknown): void {
    const call = this.forgetDeferred(ref);
    if (call !== undefined) this.answer(sender, call, value);
  }

  answer(sender: Pid, call: PendingCall, value: unknown): void {
    this.onSend?.(value);
    if (this.wire === null) call.reply(value);
    else this.postReply(this.wire, sender, call, value);
  }

  private postReply(wire: Wire, sender: Pid, call: PendingCall, value: unknown): void {
    wire.post(sender, call.caller.pid, () => call.reply(value));
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
    assertDest(dest);
    this.onSend?.(payload);
    this.timers.start(ref, delayMs, dest, new Message('info', tag, payload));
  }

  /** A message that a timer delivers again and again; its receiver is whoever has the name now. */
  sendEvery(ref: Ref, periodMs: number, dest: Dest, tag: string, payload: unknown): void {
    assertDest(dest);
    const target = this.resolve(dest);
    if (target === undefined && !(dest instanceof Pid)) throw new BadArgError(`no process is at ${describeDest(dest)}`);
    this.onSend?.(payload);
    if (target !== undefined) this.timers.startInterval(ref, periodMs, target, new Message('info', tag, payload));
  }

  /** What an error of user code means as an exit reason. */
  reasonOf(error: unknown): ExitReason {
    return exitReasonOf(error);
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
    this.slots[process.pid.slot] = undefined;
    this.freeSlots.push(process.pid.slot);
    if (process.name !== null) this.locals.delete(process.name);
    if (process.timers !== null) for (const ref of [...process.timers]) this.timers.cancel(ref);
    this.tables.ownerExited(process);
    if (processExit.hasSubscribers) publishExit(this.name, process, reason);
    if (process.handlerDeadline !== null) process.handlerDeadline.done = true;
    process.receiver?.cancel();
    process.runner.exited();
    closePorts(this.name, process, reason);
    this.failCalls(process, reason);
    const { ack, abort } = process;
    process.ack = null;
    ack?.({ error: reason });
    if (abort !== null) abortLater(process, abort, reason);
  }

  private failCalls(process: Process, reason: ExitReason): void {
    const { pid } = process;
    if (process.currentCall !== null) this.failCall(pid, process.currentCall, reason);
    process.currentCall = null;
    if (process.deferredCalls !== null) {
      for (const [ref, call] of process.deferredCalls) {
        this.deferredCalls.delete(ref);
        this.failCall(pid, call, reason);
      }
      process.deferredCalls = null;
    }
    for (let message = process.shift(); message !== undefined; message = process.shift()) {
      if (message.call !== null) this.failCall(pid, message.call, reason);
    }
  }

  /** After replies that are still on the wire. */
  private failCall(server: Pid, call: PendingCall, reason: ExitReason): void {
    if (this.wire === null) call.fail(reason);
    else this.wire.post(server, call.caller.pid, () => call.fail(reason));
  }

  /** An uncaught error of code that an attributed process left behind. */
  private blame(process: Process, error: unknown): void {
    if (process.status !== EXITED) this.crash(process, this.reasonOf(error));
    else if (!isFenced(error)) this.reportCrash(process, this.reasonOf(error), {}, true);
  }

  private reportCrash(process: Process, reason: ExitReason, detail: CrashDetail = {}, late = false): void {
    publishCrash(this.name, process, reason, detail, late);
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
