import type { OpenCall } from '../kernel/pending-call.ts';
import type { From } from '../kernel/pid.ts';
import { type EventType, TIMEOUT_TYPES, type TimeoutType } from './statem-protocol.ts';

/** One event of a state machine, whether it was sent, inserted, or is a time-out. */
export class StatemEvent {
  readonly type: EventType;
  readonly tag: string;
  readonly payload: unknown;
  /** Who waits for the reply to a call. */
  readonly from: From | null;

  constructor(type: EventType, tag: string, payload: unknown, from: From | null) {
    this.type = type;
    this.tag = tag;
    this.payload = payload;
    this.from = from;
  }

  get isTimeout(): boolean {
    return TIMEOUT_TYPES.includes(this.type as TimeoutType);
  }
}

export function fromOf(call: OpenCall): From {
  return { pid: call.caller.pid, ref: call.ref };
}

/** The events a machine has to handle before it takes its next message, and those it postponed. */
export class StatemEvents {
  /** The next one last: all that is inserted goes before the rest. */
  private readonly waiting: StatemEvent[] = [];
  /** The oldest first. */
  private postponed: StatemEvent[] = [];

  get size(): number {
    return this.waiting.length;
  }

  /** What is postponed, the oldest first. */
  get retained(): readonly StatemEvent[] {
    return this.postponed;
  }

  next(): StatemEvent | undefined {
    return this.waiting.pop();
  }

  /** Puts events before all that wait, in their order. */
  insert(events: readonly StatemEvent[]): void {
    for (let i = events.length - 1; i >= 0; i--) this.waiting.push(events[i] as StatemEvent);
  }

  postpone(event: StatemEvent): void {
    this.postponed.push(event);
  }

  /** The state has changed: what was postponed comes next, in its old order. */
  retry(): void {
    if (this.postponed.length === 0) return;
    this.insert(this.postponed);
    this.postponed = [];
  }
}
