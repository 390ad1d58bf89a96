import { Deadline } from './deadline.ts';
import type { Kernel } from './kernel.ts';
import { EXITED, IDLE, type Process } from './process.ts';
import { isTime } from './time.ts';

/**
 * Hibernation (erlang:hibernate/3; gen_server, option hibernate_after). A process has no heap of its own here that
 * could be collected: what it keeps for its next burst of messages is let go of, and made again when it is needed.
 */

/** Looks at an idle process once per period: one timer serves all processes of that period. */
class IdleWatch extends Deadline {
  private readonly seen: number;
  private readonly kernel: Kernel;
  private readonly process: Process;
  private readonly periodMs: number;

  constructor(kernel: Kernel, process: Process, periodMs: number) {
    super();
    this.kernel = kernel;
    this.process = process;
    this.periodMs = periodMs;
    this.seen = process.reductions;
  }

  expire(): void {
    const { kernel, process, periodMs } = this;
    if (process.status === EXITED) return;
    if (process.status === IDLE && process.reductions === this.seen) process.compact();
    // Not now: the queue of that duration is being worked off.
    queueMicrotask(() => {
      if (process.status !== EXITED) hibernateAfter(kernel, process, periodMs);
    });
  }
}

/** An idle time of 0 would be over again and again. */
export function isHibernateAfter(value: unknown): value is number {
  return isTime(value) && value >= 1;
}

/** From now on the process is compacted when it has handled nothing for a while: between one period and two. */
export function hibernateAfter(kernel: Kernel, process: Process, periodMs: number): void {
  kernel.deadlines.add(new IdleWatch(kernel, process, periodMs), periodMs);
}
