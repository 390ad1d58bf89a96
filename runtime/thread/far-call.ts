import type { ExitReason } from '../kernel/exit.ts';
import type { OpenCall } from '../kernel/pending-call.ts';
import type { Pid, Ref } from '../kernel/pid.ts';
import { op } from './frames.ts';

/** A call that a process of another thread has made: its outcome goes back there. */
export class FarCall implements OpenCall {
  done = false;
  readonly ref: Ref;
  readonly caller: { readonly pid: Pid; readonly name: null };
  private readonly answer: (frame: readonly unknown[]) => void;

  constructor(ref: Ref, caller: Pid, answer: (frame: readonly unknown[]) => void) {
    this.ref = ref;
    this.caller = { pid: caller, name: null };
    this.answer = answer;
  }

  reply(value: unknown): void {
    if (this.settles()) this.answer([op.reply, this.ref, value]);
  }

  fail(reason: ExitReason): void {
    if (this.settles()) this.answer([op.callFailed, this.ref, reason]);
  }

  absent(): void {
    if (this.settles()) this.answer([op.callAbsent, this.ref]);
  }

  refuse(): void {
    if (this.settles()) this.answer([op.callRefused, this.ref]);
  }

  private settles(): boolean {
    if (this.done) return false;
    this.done = true;
    return true;
  }
}
