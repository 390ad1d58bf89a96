import { Alias } from '../kernel/alias.ts';
import { importedBehaviour } from '../kernel/behaviour.ts';
import type { ExitReason } from '../kernel/exit.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { Message, type MessageKind } from '../kernel/message.ts';
import type { Pid, Ref } from '../kernel/pid.ts';
import { pidSetAdd } from '../kernel/pid-set.ts';
import type { Lineage, Process, StartResult } from '../kernel/process.ts';
import { RefMap } from '../kernel/ref-map.ts';
import type { ExitSignal } from '../kernel/signals.ts';
import { untilOrphanGone } from '../kernel/start.ts';
import { debugFromStart } from '../server/sys-requests.ts';
import { FarCall, type FarCallers } from './far-call.ts';
import type { FarProcesses, Outbox } from './far-processes.ts';
import { type Frame, kindOf, op } from './frames.ts';
import { LoadingRunner } from './loading-runner.ts';
import type { Pids } from './pids.ts';
import type { SpawnRequest } from './spawn-request.ts';
import type { ThreadMemory } from './thread-memory.ts';

/** What comes from other threads takes effect on the processes of this one, in the order in which it comes. */
export class Arrivals implements FarCallers {
  private readonly kernel: Kernel;
  private readonly pids: Pids;
  private readonly far: FarProcesses;
  private readonly outbox: Outbox;
  private readonly event: (channel: string, event: object) => void;
  /** What came for a process before the process did, by its slot. */
  private readonly early = new Map<number, { readonly thread: number; readonly frame: Frame }[]>();
  private readonly own: ThreadMemory;

  /** `event`: publishes what a process of another thread has published. */
  constructor(
    kernel: Kernel,
    pids: Pids,
    far: FarProcesses,
    outbox: Outbox,
    own: ThreadMemory,
    event: (channel: string, event: object) => void,
  ) {
    this.own = own;
    this.kernel = kernel;
    this.pids = pids;
    this.far = far;
    this.outbox = outbox;
    this.event = event;
  }

  arrived(thread: number, frame: Frame): void {
    if (frame[0] === op.message) {
      // The most frequent one, by a shorter way.
      const process = this.kernel.table.at(frame[1] as number, frame[2] as number);
      if (process !== undefined) {
        this.message(process, frame[3] as number, frame[4] as string, frame[5]);
        return;
      }
    }
    const at = targetAt[frame[0] as number];
    if (at !== undefined && this.isExpected(frame[at] as number, frame[at + 1] as number)) {
      this.keep(thread, frame, frame[at] as number);
    } else this.act(thread, frame);
  }

  /** The process for which another thread has reserved the slot will not come, or is there now. */
  settled(slot: number): void {
    const early = this.early.get(slot);
    this.early.delete(slot);
    for (const { thread, frame } of early ?? []) this.act(thread, frame);
  }

  /** What that thread had sent to those who are still to come takes effect first, then its death. */
  threadDown(thread: number, reason: ExitReason): void {
    for (const early of this.early.values()) {
      if (early.some((each) => each.thread === thread)) early.push({ thread, frame: [op.threadDown, thread, reason] });
    }
  }

  /**
   * Whether the process lives, but its thread has not been told yet what it is: who spawns it has given its pid to
   * others, and they were faster.
   */
  private isExpected(slot: number, serial: number): boolean {
    return slot >= this.own.ownMax && this.kernel.table.at(slot, serial) === undefined && this.own.isLive(slot, serial);
  }

  private keep(thread: number, frame: Frame, slot: number): void {
    const early = this.early.get(slot);
    if (early === undefined) this.early.set(slot, [{ thread, frame }]);
    else early.push({ thread, frame });
  }

  private act(thread: number, [what, a, b, c, d, e, f, g, h]: readonly any[]): void {
    switch (what) {
      case op.message:
        this.message(this.kernel.table.at(a, b), c, d, e);
        return;
      case op.toAlias:
        this.message(this.kernel.addressee(new Alias(this.pidHere(a, b), c)), d, e, f);
        return;
      case op.call:
        this.call(a, b, this.kernel.table.at(a, b), c, d, new FarCall(this, thread, e, f, g));
        return;
      case op.callAlias:
        this.call(
          a,
          b,
          this.kernel.addressee(new Alias(this.pidHere(a, b), c)),
          d,
          e,
          new FarCall(this, thread, f, g, h),
        );
        return;
      case op.reply:
        this.reply(thread, a, b);
        return;
      case op.callFailed:
        this.far.calls.take(a)?.call.fail(b);
        return;
      case op.callAbsent:
        this.far.calls.take(a)?.call.absent();
        return;
      case op.callRefused:
        this.far.calls.take(a)?.call.refuse();
        return;
      case op.callDropped:
        this.callDropped(a);
        return;
      case op.link:
        this.kernel.signals.linkFrom(a, this.pidHere(b, c));
        return;
      case op.unlink:
        this.kernel.signals.unlinkFrom(a, this.pidHere(b, c));
        return;
      case op.linkExit:
        this.kernel.signals.linkExit(this.pidHere(a, b), c as ExitSignal);
        return;
      case op.monitor:
        this.kernel.signals.monitorFrom(a, b, this.pidHere(c, d), e);
        return;
      case op.demonitor:
        this.kernel.signals.demonitorFrom(a, this.pidHere(b, c));
        return;
      case op.down:
        this.far.fire(this.pidHere(a, b), c, d as ExitReason);
        return;
      case op.exit:
        this.kernel.signals.exit(a, this.pidHere(b, c), d);
        return;
      case op.spawn:
        this.spawn(thread, a, b, c);
        return;
      case op.started:
        this.far.starts.settle(a as Ref, b as StartResult);
        return;
      case op.unname:
        this.unname(this.kernel.table.at(a, b), c);
        return;
      case op.awaitOrphan:
        this.awaitOrphan(thread, this.kernel.table.at(a, b), c);
        return;
      case op.orphanGone:
        this.far.orphanGone(a, b);
        return;
      case op.event:
        this.event(a, b);
        return;
      case op.threadDown:
        this.kernel.signals.threadDown(a, b);
        return;
      case op.notSpawned:
        this.kernel.onEmpty?.();
        return;
      default:
        throw new TypeError(`thread ${thread} sent the frame ${String(what)}, which this version does not know`);
    }
  }

  private message(process: Process | undefined, kind: number, tag: string, payload: unknown): void {
    if (process === undefined) return;
    this.kernel.deliver(process, new Message(kindOf[kind] as MessageKind, tag, payload), 'on another thread');
  }

  private call(
    slot: number,
    serial: number,
    process: Process | undefined,
    tag: string,
    payload: unknown,
    call: FarCall,
  ): void {
    if (process === undefined) this.failed(call, this.far.reasonOf(this.pidHere(slot, serial)));
    else this.kernel.deliver(process, new Message('call', tag, payload, call), 'on another thread');
  }

  /** The outcome of a call that a process of another thread has made. */
  answer(thread: number, frame: Frame): void {
    this.outbox.send(thread, frame, null);
  }

  /** A process of another thread. */
  pidOf(thread: number, slot: number, serial: number): Pid {
    return this.pids.of(thread, slot, serial);
  }

  private failed(call: FarCall, reason: ExitReason): void {
    if (reason === 'noproc') call.absent();
    else call.fail(reason);
  }

  private reply(thread: number, ref: Ref, value: unknown): void {
    // Or one whose server is here too, answered by a process elsewhere to which that server has passed it on.
    if (!this.far.answerOwn(ref, value, thread)) this.kernel.forgetDeferred(ref)?.reply(value);
  }

  private callDropped(ref: Ref): void {
    const call = this.kernel.forgetDeferred(ref);
    if (call !== undefined) call.done = true;
  }

  private spawn(thread: number, slot: number, serial: number, request: SpawnRequest): void {
    const { behaviour: name, arg, ancestors, options, link, monitor, ack } = request;
    const { debug, ...processOptions } = options;
    if (!this.own.isLive(slot, serial)) {
      // Who spawned it has taken that back.
      if (options.name !== undefined) this.far.release(options.name, this.pidHere(slot, serial));
      this.settled(slot);
      this.kernel.onEmpty?.();
      return;
    }
    const pid = this.pidHere(slot, serial);
    const behaviour = importedBehaviour(name);
    const runner = behaviour?.createRunner(this.kernel, arg) ?? new LoadingRunner(this.kernel, name, arg, debug);
    const spawned = { pid, lineage: lineageOf(ancestors) };
    const process = this.kernel.spawn(null, name, runner, { ...processOptions, spawned });
    runner.attach(process);
    if (debug !== undefined && behaviour !== undefined) debugFromStart(runner, debug);
    const parent = ancestors[0] as Pid;
    if (link) process.links = pidSetAdd(process.links, parent);
    if (monitor !== undefined) {
      process.monitoredBy ??= new RefMap();
      process.monitoredBy.set(monitor, { watcher: parent, tag: 'DOWN', object: pid });
    }
    if (ack !== undefined) process.ack = (result) => this.outbox.send(thread, [op.started, ack, result], null);
    this.settled(slot);
  }

  private unname(process: Process | undefined, name: string): void {
    if (process?.name !== name) return;
    process.name = null;
    this.kernel.names.release(name, process.pid);
  }

  private awaitOrphan(thread: number, process: Process | undefined, ref: Ref): void {
    const answer = (gone: boolean): void => this.outbox.send(thread, [op.orphanGone, ref, gone], null);
    if (process === undefined) answer(true);
    else void untilOrphanGone(this.kernel, process, null).then(answer);
  }

  private pidHere(slot: number, serial: number): Pid {
    return this.pids.of(this.kernel.thread, slot, serial);
  }
}

/** Where in a frame the slot of its target is. */
const targetAt: Readonly<Record<number, number>> = {
  [op.message]: 1,
  [op.toAlias]: 1,
  [op.call]: 1,
  [op.callAlias]: 1,
  [op.link]: 2,
  [op.unlink]: 2,
  [op.monitor]: 3,
  [op.demonitor]: 2,
  [op.exit]: 2,
  [op.unname]: 1,
  [op.awaitOrphan]: 1,
};

function lineageOf(ancestors: readonly Pid[]): Lineage {
  const [pid, ...others] = ancestors;
  return { pid: pid as Pid, up: others.length === 0 ? null : lineageOf(others) };
}
