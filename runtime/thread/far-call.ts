import type { ExitReason } from '../kernel/exit.ts';
import type { OpenCall } from '../kernel/pending-call.ts';
import type { Pid, Ref } from '../kernel/pid.ts';
import { type Frame, op } from './frames.ts';

/** What a call needs of the other threads. */
export interface FarCallers {
  answer(thread: number, frame: Frame): void;
  pidOf(thread: number, slot: number, serial: number): Pid;
}

/** A call that a process of another thread has made: its outcome goes back there. */
export class FarCall implements OpenCall {
  done = false;
  readonly ref: Ref;
  private readonly callers: FarCallers;
  private readonly thread: number;
  private readonly slot: number;
  private readonly serial: number;

  constructor(callers: FarCallers, thread: number, ref: Ref, slot: number, serial: number) {
    this.callers = callers;
    this.thread = thread;
    this.ref = ref;
    this.slot = slot;
    this.serial = serial;
  }

  /** Seldom asked for, so it is not made before. */
  get caller(): { readonly pid: Pid; readonly name: null } {
    return { pid: this.callers.pidOf(this.thread, this.slot, this.serial), name: null };
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

  private answer(frame: Frame): void {
    this.callers.answer(this.thread, frame);
  }

  private settles(): boolean {
    if (this.done) return false;
    this.done = true;
    return true;
  }
}
