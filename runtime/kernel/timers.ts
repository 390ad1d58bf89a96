import type { Clock, TimerHandle } from '../clock.ts';
import { TIMER_QUEUES_MAX } from '../limits.ts';
import { badArgument } from './arguments.ts';
import { BadArgError } from './errors.ts';
import { IdMap } from './id-map.ts';
import type { Kernel } from './kernel.ts';
import { Message } from './message.ts';
import { assertDest, describeDest } from './names.ts';
import { type Dest, Pid, type Ref } from './pid.ts';
import { RefMap } from './ref-map.ts';
import { checkTime } from './time.ts';
import { type Queued, TimerQueue } from './timer-queue.ts';

/** What happens at `at`: a message to `dest`, or an action. */
export class Timer implements Queued {
  previous: this | null = null;
  next: this | null = null;
  /** Where it waits; null: it has a timer of the clock to itself. */
  queue: TimerQueue<Timer> | null = null;
  handle: TimerHandle = undefined;
  readonly ref: Ref;
  at: number;
  /** The process with which the timer dies. */
  readonly target: Pid | null;
  /** Of an interval. */
  readonly periodMs: number | null;
  readonly dest: Dest | null;
  readonly message: Message | null;
  readonly action: (() => void) | null;

  constructor(
    ref: Ref,
    at: number,
    target: Pid | null,
    periodMs: number | null,
    dest: Dest | null,
    message: Message | null,
    action: (() => void) | null,
  ) {
    this.ref = ref;
    this.at = at;
    this.target = target;
    this.periodMs = periodMs;
    this.dest = dest;
    this.message = message;
    this.action = action;
  }
}

/** What happens later (erlang:send_after/3, start_timer/3, cancel_timer/1; timer:send_interval/3, apply_after/4). */
export class Timers {
  private readonly pending = new IdMap<Ref, Timer>();
  /** By delay: what many processes set in the same way. */
  private readonly queues = new Map<number, TimerQueue<Timer>>();
  private readonly kernel: Kernel;
  private readonly clock: Clock;

  constructor(kernel: Kernel, clock: Clock) {
    this.kernel = kernel;
    this.clock = clock;
  }

  get size(): number {
    return this.pending.size;
  }

  /** A message later: to a pid it dies with that process; to a name, the name is looked up when it fires. */
  sendLater(ref: Ref, delayMs: number, dest: Dest, tag: string, payload: unknown): void {
    assertDest(dest);
    this.kernel.share(payload);
    const target = dest instanceof Pid && !this.kernel.names.isElsewhere(dest) ? dest : null;
    const at = this.clock.now() + checkTime(delayMs, 'delayMs');
    this.add(new Timer(ref, at, target, null, dest, new Message('info', tag, payload), null), delayMs);
  }

  /** A message again and again; its receiver is whoever has the name now, until that exits. */
  sendEvery(ref: Ref, periodMs: number, dest: Dest, tag: string, payload: unknown): void {
    assertDest(dest);
    const target = this.kernel.whereis(dest);
    if (target === undefined && !(dest instanceof Pid)) throw new BadArgError(`no process is at ${describeDest(dest)}`);
    this.kernel.share(payload);
    if (target === undefined) return;
    checkTime(periodMs, 'periodMs');
    if (periodMs < 1) throw badArgument('periodMs', 'at least 1', periodMs);
    const tied = this.kernel.names.isElsewhere(target) ? null : target;
    const at = this.clock.now() + periodMs;
    this.add(new Timer(ref, at, tied, periodMs, target, new Message('info', tag, payload), null), periodMs);
  }

  /** Something that is no message; it dies with nobody. */
  startAction(ref: Ref, delayMs: number, action: () => void): void {
    const at = this.clock.now() + checkTime(delayMs, 'delayMs');
    this.add(new Timer(ref, at, null, null, null, null, action), delayMs);
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
    this.forget(timer);
    this.takeDown(timer);
    return this.left(timer);
  }

  /** Those of a process that has exited. */
  cancelAll(timers: RefMap<Timer>): void {
    timers.forEach((timer, ref) => {
      this.pending.delete(ref);
      this.takeDown(timer);
    });
  }

  clear(): void {
    this.pending.forEach(({ handle }) => {
      if (handle !== undefined) this.clock.clearTimer(handle);
    });
    this.pending.clear();
    for (const queue of this.queues.values()) queue.clear();
    this.queues.clear();
  }

  private add(timer: Timer, delayMs: number): void {
    const { target, ref } = timer;
    if (target !== null) {
      const process = this.kernel.find(target);
      if (process === undefined) return;
      process.timers ??= new RefMap();
      process.timers.set(ref, timer);
    }
    this.pending.set(ref, timer);
    const queue = timer.message === null || timer.periodMs !== null ? undefined : this.queueFor(delayMs);
    if (queue === undefined) timer.handle = this.clock.setTimer(() => this.expire(timer), delayMs);
    else {
      timer.queue = queue;
      queue.add(timer, delayMs);
    }
  }

  /** Delays may be computed: there are not queues without end. */
  private queueFor(delayMs: number): TimerQueue<Timer> | undefined {
    const known = this.queues.get(delayMs);
    if (known !== undefined || delayMs < 1) return known;
    if (this.queues.size >= TIMER_QUEUES_MAX) {
      for (const [each, queue] of this.queues) if (queue.isEmpty) this.queues.delete(each);
      if (this.queues.size >= TIMER_QUEUES_MAX) return undefined;
    }
    const queue = new TimerQueue<Timer>(this.clock, (timer) => this.expire(timer));
    this.queues.set(delayMs, queue);
    return queue;
  }

  private expire(timer: Timer): void {
    if (this.pending.get(timer.ref) !== timer) return;
    const { dest, message, periodMs } = timer;
    if (periodMs === null) this.forget(timer);
    else this.again(timer, periodMs);
    if (dest === null || message === null) timer.action?.();
    else if (periodMs !== null && timer.target === null && !this.kernel.isAlive(dest as Pid)) this.cancel(timer.ref);
    else this.kernel.deliverTo(dest, message);
  }

  /** An interval keeps its beat; beats that a busy thread has missed are left out. */
  private again(timer: Timer, periodMs: number): void {
    const now = this.clock.now();
    const missed = Math.max(0, Math.floor((now - timer.at) / periodMs));
    timer.at += (missed + 1) * periodMs;
    timer.handle = this.clock.setTimer(() => this.expire(timer), timer.at - now);
  }

  private left(timer: Timer): number {
    return Math.max(0, Math.round(timer.at - this.clock.now()));
  }

  private forget({ ref, target }: Timer): void {
    this.pending.delete(ref);
    if (target !== null) this.kernel.find(target)?.timers?.delete(ref);
  }

  private takeDown(timer: Timer): void {
    if (timer.queue === null) this.clock.clearTimer(timer.handle);
    else timer.queue.remove(timer);
  }
}
