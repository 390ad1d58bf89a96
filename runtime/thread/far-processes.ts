import { Alias } from '../kernel/alias.ts';
import type { Behaviour, Code } from '../kernel/behaviour.ts';
import type { StartOptions } from '../kernel/context.ts';
import { BadArgError, SystemLimitError } from '../kernel/errors.ts';
import type { ExitReason } from '../kernel/exit.ts';
import { IdMap } from '../kernel/id-map.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { MessageKind } from '../kernel/message.ts';
import type { PendingCall } from '../kernel/pending-call.ts';
import { type Dest, type Pid, type Ref, SERIALS_PER_THREAD } from '../kernel/pid.ts';
import { pidSetAdd, pidSetDelete } from '../kernel/pid-set.ts';
import type { Process, StartResult } from '../kernel/process.ts';
import { RefMap } from '../kernel/ref-map.ts';
import type { Remote, Tie } from '../kernel/remote.ts';
import type { ExitSignal } from '../kernel/signals.ts';
import { Departed } from './departed.ts';
import type { Directory } from './directory.ts';
import { FarCalls } from './far-calls.ts';
import { FarStarts } from './far-starts.ts';
import { type Frame, kindNumbers, op } from './frames.ts';
import type { Pids } from './pids.ts';
import { type SpawnRequest, spawnRequest } from './spawn-request.ts';
import type { SystemMemory } from './system-memory.ts';
import type { ThreadMemory } from './thread-memory.ts';

/** How frames get to other threads. */
export interface Outbox {
  /**
   * To that thread, after all that was sent there before. `sender` is who waits while the thread cannot keep up;
   * without one it is a signal, which is never refused. Throws if a message cannot cross, or what waits has reached
   * its bound.
   */
  send(thread: number, frame: Frame, sender: Process | null): void;
  /** What was sent leaves now. */
  flush(): void;
}

/** Starts a thread for one process. */
export type IsolatedThreads = () => number;

export interface FarProcessesOptions {
  readonly kernel: Kernel;
  readonly memory: SystemMemory;
  /** Of this thread. */
  readonly own: ThreadMemory;
  readonly directory: Directory;
  readonly pids: Pids;
  readonly outbox: Outbox;
  readonly isolated: IsolatedThreads;
}

/** The processes of other threads: what this thread asks of them becomes frames. Who answers is in `arrivals.ts`. */
export class FarProcesses implements Remote {
  readonly calls: FarCalls = new FarCalls();
  readonly starts: FarStarts;
  /** Monitors held here of processes elsewhere: what DOWN is to say. */
  private readonly monitors = new IdMap<Ref, { readonly tag: string; readonly object: Dest }>();
  private readonly orphans = new Map<Ref, { readonly thread: number; readonly gone: (was: boolean) => void }>();
  private readonly kernel: Kernel;
  private readonly memory: SystemMemory;
  private readonly own: ThreadMemory;
  private readonly directory: Directory;
  private readonly pids: Pids;
  private readonly outbox: Outbox;
  private readonly isolated: IsolatedThreads;
  private spawned = 0;
  private readonly departed = new Departed();
  /** Told of the first round after a rest. */
  stirs: () => void = () => {};
  /** Told of a slot here whose process will not come. */
  unreserved: (slot: number) => void = () => {};

  constructor({ kernel, memory, own, directory, pids, outbox, isolated }: FarProcessesOptions) {
    this.kernel = kernel;
    this.memory = memory;
    this.own = own;
    this.directory = directory;
    this.pids = pids;
    this.outbox = outbox;
    this.isolated = isolated;
    this.starts = new FarStarts(kernel);
  }

  place({ thread, isolated }: Pick<StartOptions, 'thread' | 'isolated'>): number {
    if (thread === undefined) return isolated === true ? this.isolated() : this.kernel.thread;
    if (isolated === true) throw new BadArgError('a process is either isolated or has a thread, not both');
    return thread === 'main' ? 0 : this.directory.place(thread);
  }

  isAlive({ thread, slot, serial }: Pid): boolean {
    if (this.memory.isDead(thread)) return false;
    // A thread that this one has not heard of yet is a new one.
    return this.directory.memoryOf(thread)?.isLive(slot, serial) ?? true;
  }

  hears({ thread }: Pid): boolean {
    // One that died before this thread was started is known to nobody here.
    return this.directory.memoryOf(thread) !== undefined || !this.memory.isDead(thread);
  }

  nextNumber(): number {
    return this.memory.nextNumber();
  }

  get processCount(): number {
    let count = 0;
    for (const thread of this.directory.threads) {
      if (thread !== this.kernel.thread) count += this.directory.memoryOf(thread)?.processCount ?? 0;
    }
    return count;
  }

  holder(name: string): Pid | undefined {
    const place = this.memory.names.holder(name);
    return place && this.pids.of(place.thread, place.slot, place.serial);
  }

  claim(name: string, pid: Pid): Pid | undefined {
    const place = this.memory.names.claim(name, pid);
    return place && this.pids.of(place.thread, place.slot, place.serial);
  }

  release(name: string, pid: Pid): void {
    this.memory.names.release(name, pid);
  }

  unname(name: string, pid: Pid): void {
    this.memory.names.release(name, pid);
    this.signal(pid, [op.unname, pid.slot, pid.serial, name]);
  }

  untilOrphanGone(holder: Pid): Promise<boolean> {
    const ref = this.kernel.nextRef();
    return new Promise((gone) => {
      this.orphans.set(ref, { thread: holder.thread, gone });
      this.signal(holder, [op.awaitOrphan, holder.slot, holder.serial, ref]);
    });
  }

  orphanGone(ref: Ref, was: boolean): void {
    this.orphans.get(ref)?.gone(was);
    this.orphans.delete(ref);
  }

  send(sender: Process | null, to: Pid | Alias, kind: MessageKind, tag: string, payload: unknown): void {
    const frame: Frame =
      to instanceof Alias
        ? [op.toAlias, to.pid.slot, to.pid.serial, to.ref, kindNumbers[kind], tag, payload]
        : [op.message, to.slot, to.serial, kindNumbers[kind], tag, payload];
    this.outbox.send(threadOf(to), frame, sender);
  }

  call(call: PendingCall, to: Pid | Alias, payload: unknown): void {
    const { ref, tag, caller } = call;
    if (!this.isAlive(to instanceof Alias ? to.pid : to)) {
      call.absent();
      return;
    }
    const { slot, serial } = caller.pid;
    this.pids.leaves(caller.pid);
    const frame: Frame =
      to instanceof Alias
        ? [op.callAlias, to.pid.slot, to.pid.serial, to.ref, tag, payload, ref, slot, serial]
        : [op.call, to.slot, to.serial, tag, payload, ref, slot, serial];
    this.outbox.send(threadOf(to), frame, caller);
    this.calls.add(call, threadOf(to));
  }

  dropCall(ref: Ref): void {
    const dropped = this.calls.take(ref);
    if (dropped !== undefined) this.outbox.send(dropped.thread, [op.callDropped, ref], null);
  }

  reply(caller: Pid, ref: Ref, value: unknown): void {
    if (caller.thread === this.kernel.thread) this.answerOwn(ref, value, undefined);
    else this.signal(caller, [op.reply, ref, value]);
  }

  /** A call of a process here is answered, by `answered`: the thread of its server, or one that it has asked to. */
  answerOwn(ref: Ref, value: unknown, answered: number | undefined): boolean {
    const found = this.calls.take(ref);
    if (found === undefined) return false;
    found.call.reply(value);
    if (found.thread !== answered) this.outbox.send(found.thread, [op.callDropped, ref], null);
    return true;
  }

  link(from: Pid, to: Pid): void {
    this.signal(to, [op.link, from, to.slot, to.serial]);
  }

  unlink(from: Pid, to: Pid): void {
    this.signal(to, [op.unlink, from, to.slot, to.serial]);
  }

  linkExit(to: Pid, signal: ExitSignal): void {
    this.signal(to, [op.linkExit, to.slot, to.serial, signal]);
  }

  monitor(watcher: Pid, ref: Ref, target: Pid, tag: string, object: Dest): void {
    this.monitors.set(ref, { tag, object });
    this.signal(target, [op.monitor, watcher, ref, target.slot, target.serial, this.isAlive(target)]);
  }

  demonitor(ref: Ref, target: Pid): void {
    this.monitors.delete(ref);
    this.signal(target, [op.demonitor, ref, target.slot, target.serial]);
  }

  down(watcher: Pid, ref: Ref, reason: ExitReason): void {
    this.signal(watcher, [op.down, watcher.slot, watcher.serial, ref, reason]);
  }

  fire(watcher: Pid, ref: Ref, reason: ExitReason): void {
    const monitor = this.monitors.get(ref);
    this.monitors.delete(ref);
    if (monitor !== undefined) this.kernel.signals.down(ref, { watcher, ...monitor }, reason);
  }

  exit(sender: Pid, to: Pid, reason: ExitReason): void {
    this.signal(to, [op.exit, sender, to.slot, to.serial, reason]);
  }

  spawn(parent: Process, thread: number, code: Code, arg: unknown, options: StartOptions & Tie): Pid {
    return this.orNotAtAll(thread, () => {
      const request = spawnRequest(parent, code, arg, options);
      const place = this.occupy(thread, options.name as string | undefined);
      if ('holder' in place) throw new BadArgError(`the name '${String(options.name)}' is taken by ${place.holder}`);
      this.launch(parent, place.pid, request, options);
      return place.pid;
    });
  }

  start(
    parent: Process,
    thread: number,
    behaviour: Behaviour,
    arg: unknown,
    options: StartOptions & Tie,
  ): Promise<StartResult> {
    return this.orNotAtAll(thread, () => {
      const ack = this.kernel.nextRef();
      const request = { ...spawnRequest(parent, behaviour, arg, options), ack };
      const place = this.occupy(thread, options.name as string | undefined);
      if ('holder' in place) {
        this.notSpawned(thread);
        return Promise.resolve({ error: { already_started: place.holder } });
      }
      const started = this.starts.add(ack, parent, place.pid, options.timeoutMs);
      this.launch(parent, place.pid, request, options);
      return started;
    });
  }

  born({ slot, serial }: Pid): void {
    this.own.born(slot, serial);
  }

  died({ slot, serial }: Pid, reason: ExitReason): void {
    this.own.died(slot, serial);
    this.departed.add(serial, reason);
  }

  reasonOf({ serial }: Pid): ExitReason {
    return this.departed.reasonOf(serial);
  }

  begins({ slot, serial }: Pid): boolean {
    return this.own.begins(slot, serial);
  }

  withdraw(parent: Process, pid: Pid): boolean {
    if (this.directory.memoryOf(pid.thread)?.withdraw(pid.slot, pid.serial) !== true) return false;
    parent.links = pidSetDelete(parent.links, pid);
    parent.monitors?.forEach((target, ref) => {
      if (target === pid) this.kernel.signals.demonitor(parent, ref, true);
    });
    return true;
  }

  flush(): void {
    this.outbox.flush();
  }

  get groups(): readonly string[] {
    return this.directory.groupNames;
  }

  roundBegins(): void {
    if (this.own.roundBegins()) this.stirs();
  }

  roundEnds(): void {
    this.own.roundEnds();
  }

  runs({ slot, serial }: Pid): void {
    this.own.runs(slot, serial);
  }

  /** A thread has died; all that it had sent has arrived. */
  threadDown(thread: number, reason: ExitReason): void {
    this.dropReservations(thread);
    this.calls.threadDown(thread, reason);
    this.starts.threadDown(thread, reason);
    for (const [ref, { thread: at }] of this.orphans) if (at === thread) this.orphanGone(ref, true);
    this.kernel.signals.threadDown(thread, reason);
  }

  /** Link and monitor stand before the process has run, and before its thread knows of it. */
  private launch(parent: Process, pid: Pid, request: SpawnRequest, { link, monitor, name }: StartOptions & Tie): void {
    if (link === true) parent.links = pidSetAdd(parent.links, pid);
    if (monitor !== undefined) {
      parent.monitors ??= new RefMap();
      parent.monitors.set(monitor, pid);
      this.monitors.set(monitor, { tag: 'DOWN', object: pid });
    }
    try {
      this.outbox.send(pid.thread, [op.spawn, pid.slot, pid.serial, request], parent);
    } catch (error) {
      if (link === true) this.kernel.signals.unlink(parent, pid);
      if (monitor !== undefined) this.kernel.signals.demonitor(parent, monitor, true);
      if (typeof name === 'string') this.release(name, pid);
      this.unreserve(pid);
      if (request.ack !== undefined) this.starts.forget(request.ack);
      throw error;
    }
  }

  /** It meant to spawn here, and died before it could say what. */
  private dropReservations(spawner: number): void {
    for (const slot of this.own.reservedBy(spawner)) {
      if (this.kernel.table.hasReserved(slot)) continue;
      this.own.unreserve(slot, spawner);
      this.memory.names.releaseAll(this.kernel.thread, slot);
      this.unreserved(slot);
    }
    this.kernel.onEmpty?.();
  }

  /** What comes to nothing leaves nothing behind, a thread that was started for it neither. */
  private orNotAtAll<Result>(thread: number, spawns: () => Result): Result {
    try {
      return spawns();
    } catch (error) {
      this.notSpawned(thread);
      throw error;
    }
  }

  private notSpawned(thread: number): void {
    if (!this.directory.isInGroup(thread)) this.outbox.send(thread, [op.notSpawned], null);
  }

  /** A place for a process there, and its name; or who has that. */
  private occupy(thread: number, name: string | undefined): { readonly pid: Pid } | { readonly holder: Pid } {
    const pid = this.reserve(thread);
    if (name === undefined) return { pid };
    let holder: Pid | undefined;
    try {
      holder = this.claim(name, pid);
    } catch (error) {
      this.unreserve(pid);
      throw error;
    }
    if (holder !== undefined) {
      this.unreserve(pid);
      return { holder };
    }
    // The names of a dead thread have been freed, or will be: this one perhaps came too late for that.
    if (this.memory.isDead(thread)) this.release(name, pid);
    return { pid };
  }

  private reserve(thread: number): Pid {
    // Serials of two threads must not meet, nor those that a thread gives out itself.
    const serial = (this.kernel.thread + 1) * SERIALS_PER_THREAD + ++this.spawned;
    const slot = this.directory.memoryOf(thread)?.reserve(serial);
    if (slot === undefined) throw new SystemLimitError(`thread ${thread} has no room for another process`);
    return this.pids.of(thread, slot, serial);
  }

  private unreserve({ thread, slot }: Pid): void {
    this.directory.memoryOf(thread)?.unreserve(slot, this.kernel.thread);
  }

  private signal(to: Pid, frame: Frame): void {
    this.outbox.send(to.thread, frame, null);
  }
}

function threadOf(to: Pid | Alias): number {
  return to instanceof Alias ? to.pid.thread : to.thread;
}
