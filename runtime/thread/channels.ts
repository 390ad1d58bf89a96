import type { Kernel } from '../kernel/kernel.ts';
import type { Process } from '../kernel/process.ts';
import { type ChannelEnd, openChannel } from './channel.ts';
import { ChannelReader } from './channel-reader.ts';
import { ChannelWriter } from './channel-writer.ts';
import type { CrossingRules } from './crossing.ts';
import type { Outbox } from './far-processes.ts';
import type { Frame } from './frames.ts';
import { NotTransferableError } from './not-transferable.ts';
import { portable } from './portable.ts';
import type { SystemMemory } from './system-memory.ts';

export interface ChannelsOptions {
  readonly kernel: Kernel;
  readonly memory: SystemMemory;
  readonly rules: CrossingRules;
  /** Gives another thread the end of a channel that it is to read. */
  readonly connect: (thread: number, end: ChannelEnd) => void;
  readonly arrived: (thread: number, frame: Frame) => void;
  /** A frame could not be encoded after it was sent, or not be rebuilt here. */
  readonly lost: (thread: number, frame: Frame | undefined, error: unknown) => void;
  /** How long a reader looks for more before it sleeps; 0 if there are more threads than cores. */
  readonly spinUs: number | undefined;
}

/**
 * The channels of one thread with all others. One that it writes is opened by the first frame that goes there. A
 * process that sends more than the other thread takes is blocked until there is room.
 */
export class Channels implements Outbox {
  /** Called when something is sent. */
  onSend: (() => void) | null = null;
  private readonly writers = new Map<number, ChannelWriter>();
  private readonly readers = new Map<number, ChannelReader>();
  private readonly blocked = new Map<number, Process[]>();
  private readonly options: ChannelsOptions;

  constructor(options: ChannelsOptions) {
    this.options = options;
  }

  send(thread: number, frame: Frame, sender: Process | null): void {
    if (this.options.memory.isDead(thread)) return; // as to a process that is gone
    if (this.onSend !== null) this.onSend();
    const writer = this.writers.get(thread) ?? this.open(thread);
    if (sender === null) this.signal(thread, writer, frame);
    // The first process speaks for the owner of the system, who cannot be made to wait.
    else if (!writer.send(frame) && sender.parent !== null) this.block(thread, sender);
  }

  /** Reads what that thread writes. */
  accept(thread: number, end: ChannelEnd): void {
    const { rules, arrived, lost, spinUs } = this.options;
    const reader = new ChannelReader(end, rules, (frame) => arrived(thread, frame), {
      onLost: (error) => lost(thread, undefined, error),
      ...(spinUs === undefined ? {} : { spinUs }),
    });
    reader.unref();
    this.readers.set(thread, reader);
  }

  /** Writes to that thread through a channel that it was given when it was started. */
  give(thread: number, end: ChannelEnd): ChannelWriter {
    const writer = new ChannelWriter(end, this.options.rules, {
      onRefused: (frame, error) => this.refused(thread, frame, error),
      onDrain: () => this.unblock(thread),
      // The first thread cannot end before the others do: what waits a moment longer is not lost with it.
      leaves: this.options.kernel.thread === 0 ? 'round' : 'turn',
    });
    this.writers.set(thread, writer);
    return writer;
  }

  /** The thread has died: all that it has written arrives now, and nothing is sent there any more. */
  threadDown(thread: number): void {
    const reader = this.readers.get(thread);
    if (reader !== undefined) {
      while (reader.poll() > 0);
      reader.close();
    }
    this.readers.delete(thread);
    this.writers.get(thread)?.close();
    this.writers.delete(thread);
    this.unblock(thread);
  }

  flush(): void {
    for (const writer of this.writers.values()) writer.flush();
  }

  /** Calls back when all that was sent has left this thread. */
  flushed(then: () => void): void {
    let pending = 0;
    for (const writer of this.writers.values()) {
      writer.flush();
      pending += writer.pendingBytes;
    }
    if (pending === 0) then();
    else setImmediate(() => this.flushed(then));
  }

  close(): void {
    for (const reader of this.readers.values()) reader.close();
    for (const writer of this.writers.values()) writer.close();
    this.readers.clear();
    this.writers.clear();
  }

  private open(thread: number): ChannelWriter {
    const { writer, reader } = openChannel();
    this.options.connect(thread, reader);
    return this.give(thread, writer);
  }

  /** A signal always gets through; what of it cannot cross is described. */
  private signal(thread: number, writer: ChannelWriter, frame: Frame): void {
    try {
      writer.send(frame, true);
    } catch (error) {
      if (!(error instanceof NotTransferableError)) throw error;
      const instead = portable(frame, error);
      if (instead !== undefined) writer.send(instead, true);
      // The message of a timer: nobody waits for it, so there is nobody to throw at.
      else this.options.lost(thread, frame, error);
    }
  }

  private refused(thread: number, frame: Frame, error: unknown): void {
    const writer = this.writers.get(thread);
    const instead = portable(frame, error);
    if (writer !== undefined && instead !== undefined) writer.send(instead, true);
    this.options.lost(thread, frame, error);
  }

  private block(thread: number, process: Process): void {
    process.block();
    const blocked = this.blocked.get(thread);
    if (blocked === undefined) this.blocked.set(thread, [process]);
    else if (!blocked.includes(process)) blocked.push(process);
  }

  private unblock(thread: number): void {
    const blocked = this.blocked.get(thread);
    this.blocked.delete(thread);
    for (const process of blocked ?? []) this.options.kernel.scheduler.unblock(process);
  }
}
