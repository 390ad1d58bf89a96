import type { Clock, TimerHandle } from '../clock.ts';
import { checkTime } from '../kernel/time.ts';
import type { StatemAction } from './statem-action.ts';
import { StatemEvent } from './statem-events.ts';
import type { TimeoutType } from './statem-protocol.ts';

/** A time-out that was started and has not been delivered. */
export class Timeout {
  readonly type: TimeoutType;
  tag: string;
  payload: unknown;
  /** Null if its time is 0: it waits in the queue for that. */
  timer: { readonly handle: TimerHandle } | null = null;

  constructor(type: TimeoutType, tag: string, payload: unknown) {
    this.type = type;
    this.tag = tag;
    this.payload = payload;
  }
}

/** The time-outs of one machine: which run, and which of those with time 0 come next (gen_statem, "Time-Outs"). */
export class StatemTimeouts {
  private readonly running = new Map<string, Timeout>();
  /** Those with time 0, in the order in which they were started. */
  private zeros: Timeout[] = [];
  private readonly clock: Clock;
  private readonly fired: (timeout: Timeout) => void;

  /** `fired` is told when the time of one is over; what it delivers is `take` of it. */
  constructor(clock: Clock, fired: (timeout: Timeout) => void) {
    this.clock = clock;
    this.fired = fired;
  }

  /** Whether one is to be delivered before the next message. */
  get due(): boolean {
    return this.zeros.length > 0;
  }

  get all(): readonly Timeout[] {
    return [...this.running.values()];
  }

  cancel(type: 'stateTimeout' | 'eventTimeout'): void {
    if (this.running.size > 0) this.drop(type);
  }

  cancelAll(): void {
    for (const key of [...this.running.keys()]) this.drop(key);
  }

  /** Carries out the actions of one transition: of those for the same time-out only the last one counts. */
  apply(actions: readonly StatemAction[]): void {
    if (actions.length < 2) {
      for (const action of actions) this.carryOut(keyOf(action.type as TimeoutType, action.tag as string), action);
      return;
    }
    const last = new Map<string, StatemAction>();
    for (const action of actions) {
      const key = keyOf(action.type as TimeoutType, action.tag as string);
      last.delete(key); // so that it takes its place among the others
      last.set(key, action);
    }
    for (const [key, action] of last) this.carryOut(key, action);
  }

  /** The event of the next one with time 0. */
  takeDue(): StatemEvent | undefined {
    const timeout = this.zeros[0];
    return timeout === undefined ? undefined : this.take(timeout);
  }

  /** The event of one whose time is over; undefined if it was cancelled or started anew meanwhile. */
  take(timeout: Timeout): StatemEvent | undefined {
    const { type, tag, payload } = timeout;
    const key = keyOf(type, tag);
    if (this.running.get(key) !== timeout) return undefined;
    this.drop(key);
    return new StatemEvent(type, tag, payload, null);
  }

  private carryOut(key: string, { type, tag, payload, time, abs }: StatemAction): void {
    const running = this.running.get(key);
    if (time === 'update' && running !== undefined) {
      running.tag = tag as string;
      running.payload = payload;
      return;
    }
    this.drop(key);
    if (time === 'infinity') return;
    const timeout = new Timeout(type as TimeoutType, tag as string, payload);
    if (time === 'update' || time === 0) {
      this.zeros.push(timeout);
    } else {
      const delayMs = abs ? checkTime(Math.max(0, time - this.clock.now()), timeout.type) : time;
      timeout.timer = { handle: this.clock.setTimer(() => this.fired(timeout), delayMs) };
    }
    this.running.set(key, timeout);
  }

  private drop(key: string): void {
    const timeout = this.running.get(key);
    if (timeout === undefined) return;
    this.running.delete(key);
    if (timeout.timer !== null) this.clock.clearTimer(timeout.timer.handle);
    else this.zeros = this.zeros.filter((zero) => zero !== timeout);
  }
}

/** A machine has one state time-out and one event time-out whatever their tags, but a generic one for each name. */
function keyOf(type: TimeoutType, tag: string): string {
  return type === 'genericTimeout' ? `genericTimeout ${tag}` : type;
}
