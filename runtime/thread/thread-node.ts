import { channel } from 'node:diagnostics_channel';
import type { ExitReason } from '../kernel/exit.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Pid } from '../kernel/pid.ts';
import { type Process, WAITING } from '../kernel/process.ts';
import { channels as eventNames, messageLost } from '../telemetry.ts';
import { Arrivals } from './arrivals.ts';
import type { ChannelEnd } from './channel.ts';
import { Channels } from './channels.ts';
import { crossingRules } from './crossing-rules.ts';
import type { Directory, ThreadDescription } from './directory.ts';
import { FarProcesses, type IsolatedThreads } from './far-processes.ts';
import { type Frame, op } from './frames.ts';
import { Pids } from './pids.ts';
import { notTransferable } from './portable.ts';
import type { SystemMemory } from './system-memory.ts';
import { ThreadMemory } from './thread-memory.ts';

export interface ThreadNodeOptions {
  readonly kernel: Kernel;
  readonly memory: SystemMemory;
  readonly directory: Directory;
  readonly own: ThreadDescription;
  readonly spinUs: number | undefined;
  readonly connect: (thread: number, end: ChannelEnd) => void;
  readonly isolated: IsolatedThreads;
  /** It rested, and has something to do for a process. */
  readonly stirs?: () => void;
}

const eventChannels: ReadonlySet<string> = new Set(Object.values(eventNames));

/** One thread of a system of several: its kernel, tied to the others. */
export class ThreadNode {
  readonly kernel: Kernel;
  readonly channels: Channels;
  readonly directory: Directory;
  private readonly far: FarProcesses;
  private readonly arrivals: Arrivals;
  private readonly pids: Pids;
  private readonly ownMemory: ThreadMemory;
  private readonly down = new Set<number>();

  constructor({ kernel, memory, directory, own, spinUs, connect, isolated, stirs }: ThreadNodeOptions) {
    const pids = new Pids(kernel);
    this.pids = pids;
    const ownMemory = new ThreadMemory(own.memory);
    this.ownMemory = ownMemory;
    directory.add(own);
    this.kernel = kernel;
    this.directory = directory;
    this.channels = new Channels({
      kernel,
      memory,
      rules: crossingRules(kernel, pids),
      connect,
      spinUs,
      arrived: (thread, frame) => arrivals.arrived(thread, frame),
      lost: (thread, frame, error) => this.lost(thread, frame, error),
    });
    const outbox = this.channels;
    this.far = new FarProcesses({ kernel, memory, own: ownMemory, directory, pids, outbox, isolated });
    const arrivals = new Arrivals(kernel, pids, this.far, outbox, ownMemory, publish);
    this.arrivals = arrivals;
    if (stirs !== undefined) this.far.stirs = stirs;
    this.far.unreserved = (slot) => arrivals.settled(slot);
    kernel.connect(this.far, ownMemory.ownMax);
  }

  /** Reads what that thread writes; at once all of it, if the thread has died meanwhile. */
  attach(from: number, end: ChannelEnd): void {
    this.channels.accept(from, end);
    if (this.down.has(from)) this.channels.threadDown(from);
  }

  /** Who was in its turn when the thread stopped to move. */
  runningOn(thread: number): Pid | undefined {
    const running = this.directory.memoryOf(thread)?.running;
    return running && this.pids.of(thread, running.slot, running.serial);
  }

  /** A thread has died: what it had sent arrives, and then everybody here learns that its processes are gone. Once. */
  threadDown(thread: number, reason: ExitReason): void {
    if (this.down.has(thread)) return;
    this.down.add(thread);
    this.channels.threadDown(thread);
    this.directory.remove(thread);
    this.arrivals.threadDown(thread, reason);
    this.far.threadDown(thread, reason);
  }

  /** Whoever looks at it may do so rarely, if no process has code that may go on without a round of the scheduler. */
  rest(): void {
    const goesOn = ({ status, culprit }: Process): boolean => status === WAITING || culprit !== null;
    if (!this.kernel.table.all.some(goesOn)) this.ownMemory.rest();
  }

  private lost(thread: number, frame: Frame | undefined, error: unknown): void {
    const [what, ...fields] = frame ?? [];
    const ref = what === op.call ? fields[4] : what === op.callAlias ? fields[5] : undefined;
    if (ref !== undefined) this.far.calls.take(ref as number)?.call.fail(notTransferable(error));
    if (!messageLost.hasSubscribers) return;
    const order = this.kernel.numbering.uniqueInteger();
    messageLost.publish({ system: this.kernel.name, from: this.kernel.thread, to: thread, error, order });
  }
}

/** What a process of another thread has published. */
function publish(name: string, event: object): void {
  if (eventChannels.has(name)) channel(name).publish(event);
}
