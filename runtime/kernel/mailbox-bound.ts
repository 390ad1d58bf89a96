import { SystemRequest } from '../server/sys-requests.ts';
import { mailboxWarning } from '../telemetry.ts';
import type { Kernel } from './kernel.ts';
import type { Message } from './message.ts';
import type { Process } from './process.ts';
import { Response } from './request.ts';
import { DownSignal, ExitSignal } from './signals.ts';

/** What gives way when a message comes to a full mailbox; see `ProcessOptions.mailboxPolicy`. */
export type MailboxPolicy = 'reject' | 'drop_newest' | 'drop_oldest';

/** The bound of one mailbox. */
export interface MailboxBound {
  readonly max: number;
  readonly policy: MailboxPolicy;
  /** Messages turned away or dropped so far. */
  dropped: number;
}

const policies = new Set<unknown>(['reject', 'drop_newest', 'drop_oldest']);

export function isMailboxPolicy(value: unknown): value is MailboxPolicy {
  return policies.has(value);
}

/** Who sent a message, as far as a bound asks: the process itself, another one here, or one of another thread. */
export type Sender = Process | 'on another thread';

/** Puts a bound on the mailbox of a new process. */
export function boundMailbox(process: Process, max: number, policy: MailboxPolicy = 'reject'): void {
  process.bound = { max, policy, dropped: 0 };
}

/**
 * A message came to a full mailbox: something gives way, or it does not get in, and then says false. What no other
 * process sent (signals and timers: no `sender`), what the process sends to itself, and system requests always get in.
 */
export function admit(kernel: Kernel, process: Process, message: Message, sender: Sender | undefined): boolean {
  const bound = process.bound as MailboxBound;
  if (
    process.queueLength < bound.max ||
    sender === undefined ||
    sender === process ||
    message.payload instanceof SystemRequest
  ) {
    process.pushOver(message);
    return true;
  }
  const victim = chooseVictim(process, message, bound.policy);
  bound.dropped++;
  warn(kernel, process, bound);
  if (victim !== message) process.pushOver(message);
  else message.call?.refuse();
  return victim !== message;
}

/** Takes a waiting message out of the mailbox, or names the new one. A call that waits is never dropped. */
function chooseVictim(process: Process, message: Message, policy: MailboxPolicy): Message {
  if (policy === 'drop_oldest') return process.take(isDroppable) ?? message;
  if (policy === 'drop_newest' && message.kind === 'call') return process.takeLast(isDroppable) ?? message;
  return message;
}

function isDroppable({ kind, tag, payload }: Message): boolean {
  if (kind === 'cast') return true;
  if (kind !== 'info' || tag === 'timeout' || tag === 'ETS-TRANSFER') return false;
  return !(payload instanceof ExitSignal || payload instanceof DownSignal || payload instanceof Response);
}

/** At the first, second, fourth, eighth … message: an overload must not become a flood of events. */
function warn(kernel: Kernel, process: Process, { max, policy, dropped }: MailboxBound): void {
  if (!mailboxWarning.hasSubscribers || (dropped & (dropped - 1)) !== 0) return;
  const { pid, name, label, initialCall } = process;
  mailboxWarning.publish({ ...kernel.numbering.origin(pid), name, label, initialCall, max, policy, dropped });
}
