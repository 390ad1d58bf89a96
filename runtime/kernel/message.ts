import type { OpenCall } from './pending-call.ts';

export type MessageKind = 'info' | 'cast' | 'call' | 'continue';

/** One entry of a mailbox. One class for all kinds, so that the loop that reads it stays monomorphic. */
export class Message {
  readonly kind: MessageKind;
  readonly tag: string;
  readonly payload: unknown;
  /** The call that waits for the reply; null unless `kind` is `'call'`. */
  readonly call: OpenCall | null;

  constructor(kind: MessageKind, tag: string, payload: unknown, call: OpenCall | null = null) {
    this.kind = kind;
    this.tag = tag;
    this.payload = payload;
    this.call = call;
  }
}
