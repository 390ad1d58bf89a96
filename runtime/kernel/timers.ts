import type { Clock, TimerHandle } from '../clock.ts';
import { badArgument } from './arguments.ts';
import { BadArgError } from './errors.ts';
import { IdMap } from './id-map.ts';
import type { Kernel } from './kernel.ts';
import { Message } from './message.ts';
import { assertDest, describeDest } from './names.ts';
import { type Dest, Pid, type Ref } from './pid.ts';
import { RefMap } from './ref-map.ts';
import { checkTime } from './time.ts';

export interface Timer {
  at: number;
  handle: TimerHandle;
  /** The process with which the timer dies. */
  readonly target: Pid | null;
  /** Of an interval. */
  readonly periodMs: number | null;
  readonly fire: () => void;
}

/** What happens later (erlang:send_after/3, start_timer/3, cancel_timer/1; timer:send_interval/3, apply_after/4). */
export class Timers {
  private readonly pending = new IdMap<Ref, Timer>();
  private readonly kernel: Kernel;
  private readonly clock: Clock;

  constructor(kernel: Kernel, clock: Clock) {
    this.kernel = kernel;
    this.clock = clock;
  }

  get size(): number {
    return this.pending.size;
  }

  /** A message later: see `start`. */
  sendLater(ref: Ref, delayMs: number, dest: Dest, tag: string, payload: unknown): void {
    assertDest(dest);
    this.kernel.share(payload);
    this.start(ref, delayMs, dest, new Message('info', tag, payload));
  }

  /** A message again and again; its receiver is whoever has the name now. */
  sendEvery(ref: Ref, periodMs: number, dest: Dest, tag: string, payload: unknown): void {
    assertDest(dest);
    const target = this.kernel.whereis(dest);
    if (target === undefined && !(dest instanceof Pid)) throw new BadArgError(`no process is at ${describeDest(dest)}`);
    this.kernel.share(payload);
    if (target !== undefined) this.startInterval(ref, periodMs, target, new Message('info', tag, payload));
  }

  /** A timer to a pid dies with that process; one to a name looks the name up when it fires. */
  private start(ref: Ref, delayMs: number, dest: Dest, message: Message): void {
    const target = dest instanceof Pid && !this.kernel.names.isElsewhere(dest) ? dest : null;
    this.add(ref, checkTime(delayMs, 'delayMs'), null, target, () => this.kernel.deliverTo(dest, message));
  }

  /** The same message again and again, until its target exits. */
  private startInterval(ref: Ref, periodMs: number, target: Pid, message: Message): void {
    checkTime(periodMs, 'periodMs');
    if (periodMs < 1) throw badArgument('periodMs', 'at least 1', periodMs);
    const tied = this.kernel.names.isElsewhere(target) ? null : target;
    this.add(ref, periodMs, periodMs, tied, () => {
      if (tied === null && !this.kernel.isAlive(target)) this.cancel(ref);
      else this.kernel.deliverTo(target, message);
    });
  }

  /** Something that is no message; it dies with nobody. */
  startAction(ref: Ref, delayMs: number, action: () => void): void {
    this.add(ref, checkTime(delayMs, 'delayMs'), null, null, action);
  }

  /** The milliseconds that are left, or false if it has fired or was cancelled. */
  read(ref: Ref): number | false {
    const timer = this.pending.get(ref);
    return timer === undefined ? false : this.left(timer);
  }

  /** The milliseconds that were left, or false if it has fired or was cancelled already. */
  cancel(ref: Ref): number | false {
    const timer = this.pending.get(ref);
    if (timer === undefined) return false;
    this.clock.clearTimer(timer.handle);
    this.forget(ref, timer);
    return this.left(timer);
  }

  /** Those of a process that has exited. */
  cancelAll(timers: RefMap<Timer>): void {
    timers.forEach((timer, ref) => {
      this.clock.clearTimer(timer.handle);
      this.pending.delete(ref);
    });
  }

  clear(): void {
    this.pending.forEach(({ handle }) => {
      this.clock.clearTimer(handle);
    });
    this.pending.clear();
  }

  private add(ref: Ref, delayMs: number, periodMs: number | null, target: Pid | null, fire: () => void): void {
    const process = target === null ? undefined : this.kernel.find(target);
    if (target !== null && process === undefined) return;
    const handle = this.clock.setTimer(() => this.expire(ref), delayMs);
    const timer: Timer = { at: this.clock.now() + delayMs, handle, target, periodMs, fire };
    this.pending.set(ref, timer);
    if (process === undefined) return;
    process.timers ??= new RefMap();
    process.timers.set(ref, timer);
  }

  private expire(ref: Ref): void {
    const timer = this.pending.get(ref);
    if (timer === undefined) return;
    if (timer.periodMs === null) this.forget(ref, timer);
    else this.again(ref, timer, timer.periodMs);
    timer.fire();
  }

  /** An interval keeps its beat; beats that a busy thread has missed are left out. */
  private again(ref: Ref, timer: Timer, periodMs: number): void {
    const now = this.clock.now();
    const missed = Math.max(0, Math.floor((now - timer.at) / periodMs));
    timer.at += (missed + 1) * periodMs;
    timer.handle = this.clock.setTimer(() => this.expire(ref), timer.at - now);
  }

  private left(timer: Timer): number {
    return Math.max(0, Math.round(timer.at - this.clock.now()));
  }

  private forget(ref: Ref, timer: Timer): void {
    this.pending.delete(ref);
    if (timer.target !== null) this.kernel.find(timer.target)?.timers?.delete(ref);
  }
}
