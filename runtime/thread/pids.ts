import type { Kernel } from '../kernel/kernel.ts';
import { Pid } from '../kernel/pid.ts';

/**
 * Within a thread a process always has the same `Pid` object, so that pids can be compared and kept in maps. A pid that
 * comes from another thread, or comes back from one, is turned into that object here.
 */
export class Pids {
  private readonly kernel: Kernel;
  /**
   * By thread, then by serial, also of threads that have died: others still name their processes. Weak: nobody can
   * compare what nobody holds.
   */
  private readonly known = new Map<number, Map<number, WeakRef<Pid>>>();
  private readonly collected = new FinalizationRegistry<{ readonly thread: number; readonly serial: number }>((held) =>
    this.forget(held.thread, held.serial),
  );

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  of(thread: number, slot: number, serial: number): Pid {
    const own = thread === this.kernel.thread ? this.kernel.table.at(slot, serial) : undefined;
    if (own !== undefined) return own.pid;
    const known = this.known.get(thread)?.get(serial)?.deref();
    return known ?? this.keep(new Pid(this.kernel.id, thread, slot, serial));
  }

  /** A pid of a process of this thread leaves it: what comes back, also after its death, is the same object. */
  leaves(pid: Pid): void {
    if (this.known.get(pid.thread)?.get(pid.serial)?.deref() === undefined) this.keep(pid);
  }

  private keep(pid: Pid): Pid {
    let ofThread = this.known.get(pid.thread);
    if (ofThread === undefined) {
      ofThread = new Map();
      this.known.set(pid.thread, ofThread);
    }
    ofThread.set(pid.serial, new WeakRef(pid));
    this.collected.register(pid, { thread: pid.thread, serial: pid.serial });
    return pid;
  }

  private forget(thread: number, serial: number): void {
    const ofThread = this.known.get(thread);
    if (ofThread === undefined || ofThread.get(serial)?.deref() !== undefined) return;
    ofThread.delete(serial);
    if (ofThread.size === 0) this.known.delete(thread);
  }
}
