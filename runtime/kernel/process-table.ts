import { SystemLimitError } from './errors.ts';
import { IdMap } from './id-map.ts';
import { Pid } from './pid.ts';
import type { Process } from './process.ts';

/** The processes of one thread, by their slots. A slot is reused when its process has exited, a serial never. */
export class ProcessTable {
  private readonly slots: (Process | undefined)[] = [];
  private readonly freeSlots: number[] = [];
  /** The processes in slots that other threads have reserved: far above those that are given out here. */
  private readonly reserved = new IdMap<number, Process>();
  private serial = 0;
  private ownMax = Number.POSITIVE_INFINITY;
  private readonly system: string;
  private readonly thread: number;

  constructor(system: string, thread: number) {
    this.system = system;
    this.thread = thread;
  }

  /** From now on slots from `ownMax` on are reserved by other threads. */
  limit(ownMax: number): void {
    this.ownMax = ownMax;
  }

  get size(): number {
    return this.slots.length - this.freeSlots.length + this.reserved.size;
  }

  /** All that live, in no order that means something. */
  get all(): Process[] {
    const reserved = this.reserved.entries().map(([, process]) => process);
    return [...this.slots.filter((process) => process !== undefined), ...reserved];
  }

  newPid(): Pid {
    const slot = this.freeSlots.pop() ?? this.slots.length;
    if (slot >= this.ownMax) throw new SystemLimitError(`this thread has ${this.ownMax} processes, and takes no more`);
    return new Pid(this.system, this.thread, slot, ++this.serial);
  }

  add(process: Process): void {
    const { slot } = process.pid;
    if (slot < this.ownMax) this.slots[slot] = process;
    else this.reserved.set(slot, process);
  }

  remove(process: Process): void {
    const { slot } = process.pid;
    if (slot < this.ownMax) {
      this.slots[slot] = undefined;
      this.freeSlots.push(slot);
      // A reserved slot is another's already if the spawn was taken back.
    } else if (this.reserved.get(slot) === process) this.reserved.delete(slot);
  }

  find(pid: Pid): Process | undefined {
    const process = this.slots[pid.slot] ?? this.reserved.get(pid.slot);
    if (process === undefined || process.pid === pid) return process;
    const { serial, thread, system } = process.pid;
    return serial === pid.serial && thread === pid.thread && system === pid.system ? process : undefined;
  }

  /** By what stands in a pid of this thread. */
  at(slot: number, serial: number): Process | undefined {
    const process = slot < this.ownMax ? this.slots[slot] : this.reserved.get(slot);
    return process?.pid.serial === serial ? process : undefined;
  }

  /** Whether a slot that another thread has reserved has its process. */
  hasReserved(slot: number): boolean {
    return this.reserved.has(slot);
  }
}
