import { Deadline } from '../kernel/deadline.ts';
import type { ExitReason } from '../kernel/exit.ts';
import { IdMap } from '../kernel/id-map.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Pid, Ref } from '../kernel/pid.ts';
import { EXITED, type Process, type StartResult } from '../kernel/process.ts';

interface FarStart {
  readonly thread: number;
  readonly tell: (result: StartResult) => void;
}

/** The starts of this thread whose init runs on another one. */
export class FarStarts {
  private readonly kernel: Kernel;
  private readonly waiting = new IdMap<Ref, FarStart>();

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  /** Settles when init has come to an end, one way or the other; never if the starter exits first. */
  add(ref: Ref, parent: Process, pid: Pid, timeoutMs: number | undefined): Promise<StartResult> {
    return new Promise((resolve) => {
      const deadline = timeoutMs === undefined ? null : new FarInitDeadline(() => this.expire(ref, parent, pid));
      if (deadline !== null && timeoutMs !== undefined) this.kernel.deadlines.add(deadline, timeoutMs);
      const tell = (result: StartResult): void => {
        if (deadline !== null) deadline.done = true;
        if (parent.status !== EXITED) resolve(result);
      };
      this.waiting.set(ref, { thread: pid.thread, tell });
    });
  }

  settle(ref: Ref, result: StartResult): void {
    const start = this.waiting.get(ref);
    this.waiting.delete(ref);
    start?.tell(result);
  }

  /** It did not get on its way. */
  forget(ref: Ref): void {
    this.waiting.delete(ref);
  }

  threadDown(thread: number, reason: ExitReason): void {
    for (const [ref, start] of this.waiting.entries()) if (start.thread === thread) this.settle(ref, { error: reason });
  }

  /** As with an init on this thread: the child is killed, and its starter hears of it by the result alone. */
  private expire(ref: Ref, parent: Process, pid: Pid): void {
    this.kernel.signals.unlink(parent, pid);
    this.kernel.signals.exit(parent.pid, pid, 'kill');
    this.settle(ref, { error: 'timeout' });
  }
}

class FarInitDeadline extends Deadline {
  private readonly expired: () => void;

  constructor(expired: () => void) {
    super();
    this.expired = expired;
  }

  expire(): void {
    this.expired();
  }
}
