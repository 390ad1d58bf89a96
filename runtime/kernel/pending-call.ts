import { shown } from './arguments.ts';
import { Deadline } from './deadline.ts';
import { CallError } from './errors.ts';
import type { ExitReason } from './exit.ts';
import type { Kernel } from './kernel.ts';
import { describeDest } from './names.ts';
import type { Dest, Pid, Ref } from './pid.ts';
import { EXITED, type Process } from './process.ts';

/** A call as its server has it: whoever made it waits here, or on another thread. */
export interface OpenCall {
  readonly ref: Ref;
  readonly caller: { readonly pid: Pid; readonly name: string | null };
  done: boolean;
  reply(value: unknown): void;
  /** The server ended. */
  fail(reason: ExitReason): void;
  /** There is no server. */
  absent(): void;
  /** The mailbox of the server is full. */
  refuse(): void;
}

/**
 * A call that waits for its reply. It sits in the server's mailbox with the request, so that a local reply needs no
 * table; only a reply that comes later (`noreply` now, `replyTo` then) is found by its `ref`.
 */
export class PendingCall extends Deadline implements OpenCall {
  readonly ref: Ref;
  readonly caller: Process;
  readonly dest: Dest;
  readonly tag: string;
  private readonly resolve: (value: unknown) => void;
  private readonly reject: (error: CallError) => void;
  private readonly kernel: Kernel;

  constructor(
    kernel: Kernel,
    ref: Ref,
    caller: Process,
    dest: Dest,
    tag: string,
    resolve: (value: unknown) => void,
    reject: (error: CallError) => void,
  ) {
    super();
    this.kernel = kernel;
    this.ref = ref;
    this.caller = caller;
    this.dest = dest;
    this.tag = tag;
    this.resolve = resolve;
    this.reject = reject;
  }

  /** A reply after the deadline, or a second one, goes nowhere: as with the alias of gen_server:call. */
  reply(value: unknown): void {
    if (this.settles()) this.resolve(value);
  }

  /** There is no such server, or was none any more. */
  absent(): void {
    if (this.settles()) this.rejectWith('ERR_CALL_NOPROC', 'noproc');
  }

  /** The server ended, perhaps with the reason `'noproc'`. */
  fail(reason: ExitReason): void {
    if (this.settles()) this.rejectWith('ERR_CALL_EXIT', reason);
  }

  /** The mailbox of the server is full. */
  refuse(): void {
    if (this.settles()) this.rejectWith('ERR_CALL_OVERLOAD', 'overload');
  }

  expire(): void {
    this.kernel.forgetDeferred(this.ref);
    if (!this.heard()) return;
    this.rejectWith('ERR_CALL_TIMEOUT', 'timeout');
  }

  private rejectWith(code: CallError['code'], reason: ExitReason): void {
    const tag = typeof this.tag === 'string' ? this.tag : shown(this.tag); // the compiler allows texts only
    this.reject(new CallError(code, reason, describeDest(this.dest), tag));
  }

  /** Once only; and the code of a caller that has exited must not go on. */
  private settles(): boolean {
    if (this.done) return false;
    this.done = true;
    return this.heard();
  }

  /** The first process calls for the owner of the system, who lives on when it has exited. */
  private heard(): boolean {
    return this.caller.status !== EXITED || this.caller.parent === null;
  }
}
