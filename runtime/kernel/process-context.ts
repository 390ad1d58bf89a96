import type { Clock } from '../clock.ts';
import { CALL_TIMEOUT_MS } from '../limits.ts';
import type { TableOptions, TableType, Tid } from '../table/table-data.ts';
import type { Event } from '../telemetry.ts';
import { Alias, type AliasOptions, closeAlias, openAlias } from './alias.ts';
import { badArgument, checkFunction, checkObject, checkPid, checkText } from './arguments.ts';
import type { Behaviour } from './behaviour.ts';
import type { Context, ProcessFunction, ReceivedMessage, StartOptions } from './context.ts';
import { BadArgError, ExitedError, ProcessExit } from './errors.ts';
import type { ExitReason } from './exit.ts';
import type { Kernel } from './kernel.ts';
import type { Dest, From, Name, Pid, Ref } from './pid.ts';
import type { Port } from './port.ts';
import { EXITED, type Process, type StartMonitorResult, type StartResult } from './process.ts';
import { describeProcess, type ProcessInfo } from './process-info.ts';
import { callAtOnce } from './prompt-call.ts';
import type { MaybePromise } from './protocol.ts';
import { receive } from './receive.ts';
import type { Tie } from './remote.ts';
import type { RequestId } from './request.ts';
import { sendRequest } from './send-request.ts';
import { spawn, spawnAnywhere, start, startAtOnce, startMonitor } from './start.ts';
import type { ViaName } from './via.ts';

/** The one implementation of `Context`. */
export class ProcessContext implements Context {
  readonly #kernel: Kernel;
  readonly #process: Process;
  readonly self: Pid;

  constructor(kernel: Kernel, process: Process) {
    this.#kernel = kernel;
    this.#process = process;
    this.self = process.pid;
  }

  get parent(): Pid | undefined {
    return this.#process.parent ?? undefined;
  }

  get system(): string {
    return this.#kernel.name;
  }

  get clock(): Clock {
    return this.#kernel.clock;
  }

  get signal(): AbortSignal {
    const process = this.#process;
    if (process.abort === null) {
      process.abort = new AbortController();
      if (process.status === EXITED) process.abort.abort();
    }
    return process.abort.signal;
  }

  call(dest: Dest, tag: string, payload?: unknown, options?: { timeoutMs?: number | 'infinity' }): Promise<any> {
    if (options !== undefined) checkObject(options, 'the options of a call');
    return this.#kernel.call(this.#alive(), dest, tag, payload, options?.timeoutMs ?? CALL_TIMEOUT_MS);
  }

  cast(dest: Dest, tag: string, payload?: unknown): void {
    this.#kernel.cast(this.#alive(), dest, tag, payload);
  }

  send(dest: Dest, tag: string, payload?: unknown): void {
    this.#kernel.sendInfo(this.#alive(), dest, tag, payload);
  }

  sendRequest(dest: Dest, tag: string, payload?: unknown): RequestId<any> {
    return sendRequest(this.#kernel, this.#alive(), dest, tag, payload);
  }

  replyTo(from: From<any>, value: unknown): void {
    if (typeof from?.ref !== 'number') throw badArgument('from', 'who waits for the reply, { pid, ref }', from);
    this.#kernel.reply(this.#alive().pid, from, value);
  }

  sendAfter(delayMs: number, tag: string, payload?: unknown, dest: Dest = this.self): Ref {
    this.#alive();
    const ref = this.#kernel.nextRef();
    this.#kernel.timers.sendLater(ref, delayMs, dest, tag, payload);
    return ref;
  }

  startTimer(delayMs: number, message?: unknown, dest: Dest = this.self): Ref {
    this.#alive();
    const ref = this.#kernel.nextRef();
    this.#kernel.timers.sendLater(ref, delayMs, dest, 'timeout', { ref, message });
    return ref;
  }

  cancelTimer(ref: Ref): number | false {
    this.#alive();
    return this.#kernel.timers.cancel(ref);
  }

  readTimer(ref: Ref): number | false {
    return this.#kernel.timers.read(ref);
  }

  sendInterval(periodMs: number, tag: string, payload?: unknown, dest: Dest = this.self): Ref {
    this.#alive();
    const ref = this.#kernel.nextRef();
    this.#kernel.timers.sendEvery(ref, periodMs, dest, tag, payload);
    return ref;
  }

  applyAfter(delayMs: number, run: ProcessFunction<any>, arg: unknown): Ref {
    const process = this.#alive();
    checkFunction(run, 'run');
    const ref = this.#kernel.nextRef();
    this.#kernel.timers.startAction(ref, delayMs, () => spawn(this.#kernel, process, run, arg, {}));
    return ref;
  }

  link(pid: Pid): void {
    checkPid(pid, 'pid');
    this.#kernel.signals.link(this.#alive(), pid);
  }

  unlink(pid: Pid): void {
    checkPid(pid, 'pid');
    this.#kernel.signals.unlink(this.#alive(), pid);
  }

  trapExit(on: boolean): boolean {
    const process = this.#alive();
    if (typeof on !== 'boolean') throw badArgument('on', 'true or false', on);
    const before = process.trapExit;
    process.trapExit = on;
    return before;
  }

  monitor(dest: Dest, options: { readonly tag?: string } = {}): Ref {
    checkObject(options, 'options');
    if (options.tag !== undefined) checkText(options.tag, 'tag');
    const ref = this.#kernel.nextRef();
    this.#kernel.signals.monitor(this.#alive(), ref, dest, options.tag);
    return ref;
  }

  alias(options: AliasOptions = {}): Alias {
    checkObject(options, 'options');
    return openAlias(this.#alive(), this.#kernel.nextRef(), options);
  }

  unalias(alias: Alias): boolean {
    if (!(alias instanceof Alias)) throw badArgument('alias', 'what ctx.alias returned', alias);
    return closeAlias(this.#alive(), alias);
  }

  demonitor(ref: Ref, options: { readonly flush?: boolean } = {}): boolean {
    checkObject(options, 'options');
    return this.#kernel.signals.demonitor(this.#alive(), ref, options.flush === true);
  }

  exit(reason: ExitReason): never {
    this.#alive();
    throw new ProcessExit(reason);
  }

  exitProcess(pid: Pid, reason: ExitReason): void {
    checkPid(pid, 'pid');
    const process = this.#alive();
    const { scheduler } = this.#kernel;
    const before = scheduler.acting;
    scheduler.acting = process;
    this.#kernel.signals.exit(this.self, pid, reason);
    scheduler.acting = before;
    // A signal to oneself takes effect before exit/2 returns: the code after it must not run.
    if (pid === this.self && process.pendingExit !== null) throw new ProcessExit(process.pendingExit.reason);
  }

  spawn(behaviour: Behaviour | ProcessFunction<any>, arg: unknown, options: StartOptions = {}): Pid {
    return spawnAnywhere(this.#kernel, this.#alive(), behaviour, arg, options);
  }

  spawnLink(behaviour: Behaviour | ProcessFunction<any>, arg: unknown, options: StartOptions = {}): Pid {
    return spawnAnywhere(this.#kernel, this.#alive(), behaviour, arg, { ...options, link: true });
  }

  spawnMonitor(
    behaviour: Behaviour | ProcessFunction<any>,
    arg: unknown,
    options: StartOptions = {},
  ): { readonly pid: Pid; readonly ref: Ref } {
    const ref = this.#kernel.nextRef();
    const pid = spawnAnywhere(this.#kernel, this.#alive(), behaviour, arg, { ...options, monitor: ref });
    return { pid, ref };
  }

  withdraw(pid: Pid): boolean {
    checkPid(pid, 'pid');
    return this.#kernel.remote?.withdraw(this.#alive(), pid) ?? false;
  }

  flush(): void {
    this.#kernel.remote?.flush();
  }

  get threadGroups(): readonly string[] {
    return this.#kernel.remote?.groups ?? [];
  }

  start(behaviour: Behaviour, arg: unknown, options: StartOptions = {}): Promise<StartResult> {
    return start(this.#kernel, this.#alive(), behaviour, arg, options);
  }

  startLink(behaviour: Behaviour, arg: unknown, options: StartOptions = {}): Promise<StartResult> {
    return start(this.#kernel, this.#alive(), behaviour, arg, { ...options, link: true });
  }

  startMonitor(behaviour: Behaviour, arg: unknown, options: StartOptions = {}): Promise<StartMonitorResult> {
    return startMonitor(this.#kernel, this.#alive(), behaviour, arg, options);
  }

  /** For supervisors, which restart what may still be going down. */
  startChild(behaviour: Behaviour, arg: unknown, options: StartOptions): Promise<StartResult> {
    return start(this.#kernel, this.#alive(), behaviour, arg, { ...options, link: true, awaitOrphan: true });
  }

  /** For the child of a supervisor with many alike, whose code and options have been looked at. */
  startLikeOthers(behaviour: Behaviour, arg: unknown, options: StartOptions & Tie): MaybePromise<StartResult> {
    return startAtOnce(this.#kernel, this.#alive(), behaviour, arg, options);
  }

  /** See `callAtOnce`. */
  callAtOnce(dest: Dest, tag: string, payload: unknown): MaybePromise<unknown> {
    return callAtOnce(this.#kernel, this.#alive(), dest, tag, payload);
  }

  register(name: Name, pid: Pid = this.self): void {
    this.#alive();
    checkPid(pid, 'pid');
    this.#kernel.names.registerPid(name, pid);
  }

  unregister(name: Name): void {
    this.#alive();
    this.#kernel.names.unregister(name);
  }

  whereis(name: Name | ViaName): Pid | undefined {
    return this.#kernel.whereis(name);
  }

  isAlive(pid: Pid): boolean {
    checkPid(pid, 'pid');
    return this.#kernel.isAlive(pid);
  }

  processInfo(pid: Pid): ProcessInfo | undefined {
    checkPid(pid, 'pid');
    const process = this.#kernel.find(pid);
    if (process !== undefined) return describeProcess(process);
    if (!this.#kernel.isAlive(pid)) return undefined;
    throw new BadArgError(`${pid} is on another thread: ask for its processInfo there, or call sys.getStatus`);
  }

  setLabel(label: string): void {
    if (typeof label !== 'string') throw badArgument('label', 'a text', label);
    this.#alive().label = label;
  }

  receive(
    match: (message: ReceivedMessage) => boolean,
    timeoutMs: number | 'infinity',
  ): Promise<ReceivedMessage | 'timeout'> {
    return receive(this.#kernel, this.#alive(), match, timeoutMs);
  }

  openPort(port: Port): () => void {
    const process = this.#alive();
    if (typeof port?.close !== 'function') throw badArgument('port', 'an object with a function close', port);
    process.ports ??= new Set();
    process.ports.add(port);
    return () => process.ports?.delete(port);
  }

  uniqueInteger(): number {
    this.#alive();
    return this.#kernel.numbering.uniqueInteger();
  }

  /** What an event of this process says about where it comes from. */
  origin(): Event {
    return this.#kernel.numbering.origin(this.self);
  }

  newTable(name: string, options: TableOptions = {}): any {
    return this.#kernel.tables.create(this.#alive(), name, options);
  }

  table(table: string | Tid, type?: TableType): any {
    return this.#kernel.tables.open(this.self, table, type);
  }

  /** The code of a dead process may still run after an `await`: nothing it does reaches the living. */
  #alive(): Process {
    if (this.#process.status === EXITED) throw new ExitedError(`${this.self} has exited: its context is closed`);
    return this.#process;
  }
}

/** What an event that is published with this context says about where it comes from. */
export function originOf(ctx: Context): Event {
  return ctx instanceof ProcessContext ? ctx.origin() : { system: ctx.system, pid: ctx.self };
}

/** What a supervisor has beyond other processes. */
export type SupervisorContext = Context & Pick<ProcessContext, 'startChild' | 'startLikeOthers'>;
