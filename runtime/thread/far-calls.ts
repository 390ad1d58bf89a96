import type { ExitReason } from '../kernel/exit.ts';
import { IdMap } from '../kernel/id-map.ts';
import type { PendingCall } from '../kernel/pending-call.ts';
import type { Ref } from '../kernel/pid.ts';

/** The calls of this thread that wait for a reply of another one. */
export class FarCalls {
  private readonly waiting = new IdMap<Ref, { readonly call: PendingCall; readonly thread: number }>();

  add(call: PendingCall, thread: number): void {
    this.waiting.set(call.ref, { call, thread });
  }

  /** Takes the call out; undefined if it was answered, or given up. */
  take(ref: Ref): { readonly call: PendingCall; readonly thread: number } | undefined {
    const found = this.waiting.get(ref);
    if (found !== undefined) this.waiting.delete(ref);
    return found;
  }

  threadDown(thread: number, reason: ExitReason): void {
    for (const [ref, { call, thread: at }] of this.waiting.entries()) {
      if (at !== thread) continue;
      this.waiting.delete(ref);
      if (reason === 'noproc') call.absent();
      else call.fail(reason);
    }
  }
}
