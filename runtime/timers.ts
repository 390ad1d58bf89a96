import type { Clock, TimerHandle } from './clock.ts';
import type { Kernel } from './kernel.ts';
import type { Message } from './message.ts';
import { type Dest, Pid, type Ref } from './pid.ts';
import { checkTime } from './time.ts';

interface Timer {
  readonly at: number;
  readonly dest: Dest;
  readonly message: Message;
  readonly handle: TimerHandle;
}

/** Messages to be sent later (erlang:send_after/3, start_timer/3, cancel_timer/1). */
export class Timers {
  private readonly pending = new Map<Ref, Timer>();
  private readonly kernel: Kernel;
  private readonly clock: Clock;

  constructor(kernel: Kernel, clock: Clock) {
    this.kernel = kernel;
    this.clock = clock;
  }

  get size(): number {
    return this.pending.size;
  }

  /** A timer to a pid dies with that process; one to a name looks the name up when it fires. */
  start(ref: Ref, delayMs: number, dest: Dest, message: Message): void {
    checkTime(delayMs, 'delayMs');
    if (dest instanceof Pid) {
      const target = this.kernel.find(dest);
      if (target === undefined) return;
      target.timers ??= new Set();
      target.timers.add(ref);
    }
    const handle = this.clock.setTimer(() => this.fire(ref), delayMs);
    this.pending.set(ref, { at: this.clock.now() + delayMs, dest, message, handle });
  }

  /** The milliseconds that were left, or false if it has fired or was cancelled already. */
  cancel(ref: Ref): number | false {
    const timer = this.pending.get(ref);
    if (timer === undefined) return false;
    this.clock.clearTimer(timer.handle);
    this.forget(ref, timer);
    return Math.max(0, Math.round(timer.at - this.clock.now()));
  }

  clear(): void {
    for (const timer of this.pending.values()) this.clock.clearTimer(timer.handle);
    this.pending.clear();
  }

  private fire(ref: Ref): void {
    const timer = this.pending.get(ref);
    if (timer === undefined) return;
    this.forget(ref, timer);
    const target = this.kernel.resolve(timer.dest);
    if (target !== undefined) this.kernel.deliver(target, timer.message);
  }

  private forget(ref: Ref, timer: Timer): void {
    this.pending.delete(ref);
    if (timer.dest instanceof Pid) this.kernel.find(timer.dest)?.timers?.delete(ref);
  }
}
