import type { MailboxBound } from './mailbox-bound.ts';
import type { Message } from './message.ts';

const RING_MIN = 8;
/** Up to this size a drained ring is kept: the next burst finds it. */
const RING_KEPT_MAX = 64;

/**
 * A first-in first-out queue with one inline slot: most mailboxes hold at most one message and never allocate.
 * Invariant: a message in `slot` is older than all in `ring`. A process extends it, so that both are one object.
 */
export class Mailbox {
  private slot: Message | undefined = undefined;
  private ring: (Message | undefined)[] | null = null;
  private head = 0;
  private ringLength = 0;
  /** Set if only so many messages may wait. */
  bound: MailboxBound | null = null;

  /** Messages waiting (process_info message_queue_len). */
  get queueLength(): number {
    return this.ringLength + (this.slot === undefined ? 0 : 1);
  }

  /** Puts a message behind all others; false if the mailbox is bounded, and not empty: who knows the bound decides. */
  push(message: Message): boolean {
    if (this.slot === undefined && this.ringLength === 0) {
      this.slot = message;
      return true;
    }
    if (this.bound !== null) return false;
    const ring = this.roomy();
    ring[(this.head + this.ringLength) & (ring.length - 1)] = message;
    this.ringLength++;
    return true;
  }

  /** Puts a message behind all others, whatever the bound. */
  pushOver(message: Message): void {
    const { bound } = this;
    this.bound = null;
    this.push(message);
    this.bound = bound;
  }

  /** Puts a message before all others. */
  pushFront(message: Message): void {
    if (this.slot !== undefined) {
      const ring = this.roomy();
      this.head = (this.head - 1) & (ring.length - 1);
      ring[this.head] = this.slot;
      this.ringLength++;
    }
    this.slot = message;
  }

  shift(): Message | undefined {
    const first = this.slot;
    if (first !== undefined) {
      this.slot = undefined;
      return first;
    }
    const ring = this.ring;
    if (ring === null || this.ringLength === 0) return undefined;
    const message = ring[this.head];
    ring[this.head] = undefined;
    this.head = (this.head + 1) & (ring.length - 1);
    if (--this.ringLength === 0 && ring.length > RING_KEPT_MAX) this.ring = null;
    return message;
  }

  /** Takes the first message that matches; the others stay, in order. */
  take(match: (message: Message) => boolean): Message | undefined {
    const first = this.slot;
    if (first !== undefined && match(first)) {
      this.slot = undefined;
      return first;
    }
    const ring = this.ring;
    if (ring === null) return undefined;
    const mask = ring.length - 1;
    for (let i = 0; i < this.ringLength; i++) {
      const message = ring[(this.head + i) & mask] as Message;
      if (!match(message)) continue;
      this.closeGap(ring, i);
      return message;
    }
    return undefined;
  }

  /** Those before it move, or those behind it, whichever are fewer. */
  private closeGap(ring: (Message | undefined)[], gap: number): void {
    const mask = ring.length - 1;
    const { head } = this;
    const last = --this.ringLength;
    if (gap < last - gap) {
      for (let i = gap; i > 0; i--) ring[(head + i) & mask] = ring[(head + i - 1) & mask];
      ring[head] = undefined;
      this.head = (head + 1) & mask;
    } else {
      for (let i = gap; i < last; i++) ring[(head + i) & mask] = ring[(head + i + 1) & mask];
      ring[(head + last) & mask] = undefined;
    }
  }

  /** Takes the newest message that matches. */
  takeLast(match: (message: Message) => boolean): Message | undefined {
    const ring = this.ring;
    for (let i = this.ringLength - 1; ring !== null && i >= 0; i--) {
      const message = ring[(this.head + i) & (ring.length - 1)] as Message;
      if (match(message)) return this.take((other) => other === message);
    }
    const first = this.slot;
    return first !== undefined && match(first) ? this.shift() : undefined;
  }

  /** Lets go of what is kept for the next burst. */
  compact(): void {
    if (this.ringLength === 0) this.ring = null;
  }

  /** The ring with room for one more. */
  private roomy(): (Message | undefined)[] {
    const ring = this.ring;
    if (ring === null) {
      this.head = 0;
      this.ring = new Array<Message | undefined>(RING_MIN).fill(undefined);
      return this.ring;
    }
    if (this.ringLength < ring.length) return ring;
    const grown = new Array<Message | undefined>(ring.length * 2).fill(undefined);
    for (let i = 0; i < ring.length; i++) grown[i] = ring[(this.head + i) & (ring.length - 1)];
    this.head = 0;
    this.ring = grown;
    return grown;
  }
}
