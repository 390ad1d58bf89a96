import { closeAliasesOf } from './alias.ts';
import { NoProcError } from './errors.ts';
import type { ExitReason } from './exit.ts';
import type { Kernel } from './kernel.ts';
import { Message } from './message.ts';
import { assertDest } from './names.ts';
import type { Dest, Pid, Ref } from './pid.ts';
import { type PidSet, pidSetAdd, pidSetDelete, pidSetHas, pidSetValues } from './pid-set.ts';
import { EXITED, type MonitorRecord, type Process, RUNNING } from './process.ts';
import { RefMap } from './ref-map.ts';
import type { Remote } from './remote.ts';

/** A process that has exited, and who is to be told. */
interface Departure {
  readonly pid: Pid;
  readonly reason: ExitReason;
  readonly label: string | null;
  readonly links: PidSet;
  readonly monitoredBy: RefMap<MonitorRecord> | null;
}

/**
 * Links, monitors and exit signals (Erlang reference manual, "Processes"). Signals take effect in the order in which
 * they are sent, as messages do: both act at once on the receiver, so the order between any two processes holds. A
 * cascade of exits is worked off in a queue, not on the stack, and runs no user code.
 */
export class Signals {
  private readonly cascade: Departure[] = [];
  private cascading = false;
  private readonly kernel: Kernel;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  /**
   * Twice is once, and a link to oneself is none. A dead peer: an EXIT `noproc` if trapping, else the error `noproc`.
   */
  link(process: Process, pid: Pid): void {
    if (pid === process.pid) return;
    const peer = this.kernel.find(pid);
    if (peer !== undefined) {
      process.links = pidSetAdd(process.links, peer.pid);
      peer.links = pidSetAdd(peer.links, process.pid);
      return;
    }
    if (this.elsewhere(pid)?.isAlive(pid) === true) {
      process.links = pidSetAdd(process.links, pid);
      this.elsewhere(pid)?.link(process.pid, pid);
      return;
    }
    if (!process.trapExit) throw new NoProcError(`${process.pid} cannot link to ${pid}: no such process`);
    this.kernel.deliver(process, exitMessage(pid, 'noproc'));
  }

  unlink(process: Process, pid: Pid): void {
    const peer = this.kernel.find(pid);
    if (peer === undefined) {
      if (!pidSetHas(process.links, pid)) return;
      process.links = pidSetDelete(process.links, pid);
      this.elsewhere(pid)?.unlink(process.pid, pid);
      return;
    }
    process.links = pidSetDelete(process.links, peer.pid);
    peer.links = pidSetDelete(peer.links, process.pid);
  }

  /** A dead or unknown target brings DOWN `noproc` at once; a monitor of oneself never fires. */
  monitor(watcher: Process, ref: Ref, dest: Dest, tag = 'DOWN'): void {
    const target = this.kernel.resolve(dest);
    if (target === watcher) return;
    if (target === undefined) {
      assertDest(dest);
      this.monitorFar(watcher, ref, dest, tag);
      return;
    }
    watcher.monitors ??= new RefMap();
    watcher.monitors.set(ref, target.pid);
    target.monitoredBy ??= new RefMap();
    target.monitoredBy.set(ref, { watcher: watcher.pid, tag, object: dest });
  }

  private monitorFar(watcher: Process, ref: Ref, dest: Dest, tag: string): void {
    const pid = this.kernel.whereis(dest);
    const remote = pid === undefined ? null : this.elsewhere(pid);
    if (pid === undefined || remote === null || !remote.hears(pid)) {
      this.kernel.deliver(watcher, downMessage(tag, ref, dest, 'noproc'));
      return;
    }
    // Also of a dead process the news comes from its thread: so it comes after the exit signal that is on its way here.
    watcher.monitors ??= new RefMap();
    watcher.monitors.set(ref, pid);
    remote.monitor(watcher.pid, ref, pid, tag, dest);
  }

  /** The other threads, if the process of the pid is on one of them. */
  private elsewhere(pid: Pid): Remote | null {
    return this.kernel.names.isElsewhere(pid) ? this.kernel.remote : null;
  }

  /** With `flush`, a DOWN that is already in the mailbox goes too. Says whether the monitor had not fired yet. */
  demonitor(watcher: Process, ref: Ref, flush: boolean): boolean {
    closeAliasesOf(watcher, ref);
    const target = watcher.monitors?.get(ref);
    if (target !== undefined) {
      watcher.monitors?.delete(ref);
      this.dropMonitor(ref, target);
      return true;
    }
    if (flush) watcher.take(({ payload }) => payload instanceof DownSignal && payload.ref === ref);
    return false;
  }

  private dropMonitor(ref: Ref, target: Pid): void {
    const process = this.kernel.find(target);
    if (process !== undefined) process.monitoredBy?.delete(ref);
    else this.elsewhere(target)?.demonitor(ref, target);
  }

  /** A process of another thread links to, or monitors, one of this thread. */
  linkFrom(from: Pid, to: Pid): void {
    const process = this.kernel.find(to);
    if (process === undefined) {
      const remote = this.elsewhere(from);
      remote?.linkExit(from, new ExitSignal(to, remote.reasonOf(to), null));
    } else process.links = pidSetAdd(process.links, from);
  }

  unlinkFrom(from: Pid, to: Pid): void {
    const process = this.kernel.find(to);
    if (process !== undefined) process.links = pidSetDelete(process.links, from);
  }

  /** `wasAlive`: it lived when the monitor was set, and may have exited meanwhile. */
  monitorFrom(watcher: Pid, ref: Ref, target: Pid, wasAlive: boolean): void {
    const process = this.kernel.find(target);
    if (process === undefined) {
      const remote = this.elsewhere(watcher);
      remote?.down(watcher, ref, wasAlive ? remote.reasonOf(target) : 'noproc');
      return;
    }
    process.monitoredBy ??= new RefMap();
    process.monitoredBy.set(ref, { watcher, tag: 'DOWN', object: target });
  }

  demonitorFrom(ref: Ref, target: Pid): void {
    this.kernel.find(target)?.monitoredBy?.delete(ref);
  }

  /** All processes of a thread are gone: whoever was linked to one or monitored one learns of it, once. */
  threadDown(thread: number, reason: ExitReason): void {
    const isThere = (pid: Pid): boolean => pid.thread === thread;
    for (const process of this.kernel.table.all) {
      for (const [ref, { watcher }] of [...(process.monitoredBy ?? [])]) {
        if (isThere(watcher)) process.monitoredBy?.delete(ref);
      }
      for (const peer of [...pidSetValues(process.links)].filter(isThere)) {
        this.linkExit(process.pid, new ExitSignal(peer, reason, null, thread));
      }
      for (const [ref, target] of [...(process.monitors ?? [])]) {
        if (isThere(target)) this.kernel.remote?.fire(process.pid, ref, reason);
      }
    }
  }

  /** exit/2: a request to exit. `kill` cannot be trapped; `normal` ends nobody but the sender itself. */
  exit(sender: Pid, pid: Pid, reason: ExitReason): void {
    if (sender === pid || !this.kernel.simulated) this.receiveExit(sender, pid, reason);
    else this.postExit(sender, pid, reason);
  }

  /** Apart from `exit`: a closure makes every call of its function allocate. */
  private postExit(sender: Pid, pid: Pid, reason: ExitReason): void {
    this.kernel.signal(sender, pid, () => this.receiveExit(sender, pid, reason));
  }

  private receiveExit(sender: Pid, pid: Pid, reason: ExitReason): void {
    const target = this.kernel.find(pid);
    if (target === undefined) {
      this.elsewhere(pid)?.exit(sender, pid, reason);
      return;
    }
    if (reason === 'kill') this.end(target, 'killed');
    else if (target.trapExit) this.kernel.deliver(target, exitMessage(sender, reason));
    else if (reason !== 'normal' || sender === pid) this.end(target, reason);
  }

  /** Tells links and monitors of an exit. */
  exited(process: Process, reason: ExitReason): void {
    const { links, monitoredBy, monitors, pid, label } = process;
    process.links = null;
    process.monitoredBy = null;
    process.monitors = null;
    if (monitors !== null) {
      for (const [ref, target] of monitors) this.dropMonitor(ref, target);
    }
    if (links === null && monitoredBy === null) return;
    this.cascade.push({ pid, reason, label, links, monitoredBy });
    this.workOff();
  }

  private workOff(): void {
    if (this.cascading) return;
    this.cascading = true;
    // A step may add more; the array is emptied once at the end, since `shift` would cost a move of all that follow.
    for (let i = 0; i < this.cascade.length; i++) this.tell(this.cascade[i] as Departure);
    this.cascade.length = 0;
    this.cascading = false;
  }

  private tell({ pid, reason, label, links, monitoredBy }: Departure): void {
    const { simulated } = this.kernel;
    if (links !== null) {
      for (const peer of pidSetValues(links)) {
        const signal = new ExitSignal(pid, reason, label);
        if (simulated) this.postLinkExit(peer, signal);
        else this.linkExit(peer, signal);
      }
    }
    if (monitoredBy !== null) this.tellWatchers(monitoredBy, pid, reason);
  }

  private tellWatchers(monitoredBy: RefMap<MonitorRecord>, pid: Pid, reason: ExitReason): void {
    monitoredBy.forEach((record, ref) => {
      if (this.kernel.simulated) this.postDown(pid, ref, record, reason);
      else this.down(ref, record, reason);
    });
  }

  private postLinkExit(peer: Pid, signal: ExitSignal): void {
    this.kernel.signal(signal.from, peer, () => this.linkExit(peer, signal));
  }

  private postDown(from: Pid, ref: Ref, record: MonitorRecord, reason: ExitReason): void {
    this.kernel.signal(from, record.watcher, () => this.down(ref, record, reason));
  }

  /** A linked process has exited, on this thread or another. */
  linkExit(peerPid: Pid, signal: ExitSignal): void {
    const peer = this.kernel.find(peerPid);
    if (peer === undefined) {
      this.elsewhere(peerPid)?.linkExit(peerPid, signal);
      return;
    }
    if (!pidSetHas(peer.links, signal.from)) return;
    peer.links = pidSetDelete(peer.links, signal.from);
    if (peer.trapExit) {
      if (peer.parent === signal.from) peer.orphaned = true;
      this.kernel.deliver(peer, new Message('info', 'EXIT', signal));
    } else if (signal.reason !== 'normal') this.end(peer, signal.reason);
  }

  /** A monitored process has exited, on this thread or another. */
  down(ref: Ref, { watcher: pid, tag, object }: MonitorRecord, reason: ExitReason): void {
    const watcher = this.kernel.find(pid);
    if (watcher === undefined) {
      this.elsewhere(pid)?.down(pid, ref, reason);
      return;
    }
    if (watcher.monitors?.delete(ref) !== true) return;
    closeAliasesOf(watcher, ref);
    this.kernel.deliver(watcher, downMessage(tag, ref, object, reason));
  }

  /**
   * Ends a process by a signal. If its own code brought the signal on and is on the stack, the exit waits until that
   * code
   * yields: it would otherwise find itself dead in the middle of a statement.
   */
  private end(process: Process, reason: ExitReason): void {
    if (this.kernel.scheduler.acting !== process && process.status !== RUNNING) {
      this.kernel.finish(process, reason);
      return;
    }
    if (process.pendingExit !== null) return;
    process.pendingExit = { reason };
    queueMicrotask(() => {
      if (process.status !== EXITED) this.kernel.finish(process, reason);
    });
  }
}

/**
 * The payload of an EXIT message; a class, so that a message with that tag from user code is not taken for a signal.
 */
export class ExitSignal {
  readonly from: Pid;
  readonly reason: ExitReason;
  /** The label of the process that exited, for the report of its supervisor: by then nobody else knows it. */
  readonly label: string | null;
  /** The thread that it died with, as did all others there; null if it exited by itself. */
  readonly thread: number | null;

  constructor(from: Pid, reason: ExitReason, label: string | null, thread: number | null = null) {
    this.from = from;
    this.reason = reason;
    this.label = label;
    this.thread = thread;
  }
}

function exitMessage(from: Pid, reason: ExitReason): Message {
  return new Message('info', 'EXIT', new ExitSignal(from, reason, null));
}

/** The payload of a DOWN message; a class for the same reason. */
export class DownSignal {
  readonly ref: Ref;
  readonly type = 'process';
  readonly object: Dest;
  readonly reason: ExitReason;

  constructor(ref: Ref, object: Dest, reason: ExitReason) {
    this.ref = ref;
    this.object = object;
    this.reason = reason;
  }
}

function downMessage(tag: string, ref: Ref, object: Dest, reason: ExitReason): Message {
  return new Message('info', tag, new DownSignal(ref, object, reason));
}
