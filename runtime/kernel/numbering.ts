import type { Event } from '../telemetry.ts';
import type { Kernel } from './kernel.ts';
import type { Pid } from './pid.ts';

/** Numbers that grow, over all threads of a system: what several of them tell can be put in order. */
export class Numbering {
  private next = 0;
  private readonly kernel: Kernel;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  /** Greater than all that were given out before, on whatever thread. */
  uniqueInteger(): number {
    const { remote } = this.kernel;
    return remote === null ? this.next++ : remote.nextNumber();
  }

  /** What an event says about where it comes from; to be asked when it is published. */
  origin(pid: Pid): Event {
    const { name: system, remote } = this.kernel;
    return remote === null ? { system, pid } : { system, pid, order: remote.nextNumber() };
  }
}
