import { CallError } from './errors.ts';
import type { ExitReason } from './exit.ts';
import type { Kernel } from './kernel.ts';
import { Message } from './message.ts';
import { describeDest } from './names.ts';
import type { OpenCall } from './pending-call.ts';
import type { Dest, Ref } from './pid.ts';
import { EXITED, IDLE, type Process, RUNNING, SERVING } from './process.ts';
import type { MaybePromise } from './protocol.ts';

type Outcome = { readonly value: unknown } | { readonly error: CallError };

/** A call that its server may answer before the caller goes on; if it does not, a promise is made for it then. */
class PromptCall implements OpenCall {
  readonly ref: Ref;
  readonly caller: Process;
  done = false;
  private readonly dest: Dest;
  private readonly tag: string;
  private outcome: Outcome | null = null;
  private settle: ((outcome: Outcome) => void) | null = null;

  constructor(ref: Ref, caller: Process, dest: Dest, tag: string) {
    this.ref = ref;
    this.caller = caller;
    this.dest = dest;
    this.tag = tag;
  }

  reply(value: unknown): void {
    this.ends({ value });
  }

  fail(reason: ExitReason): void {
    this.ends({ error: this.error('ERR_CALL_EXIT', reason) });
  }

  absent(): void {
    this.ends({ error: this.error('ERR_CALL_NOPROC', 'noproc') });
  }

  refuse(): void {
    this.ends({ error: this.error('ERR_CALL_OVERLOAD', 'overload') });
  }

  /** The reply if it is there. */
  result(): MaybePromise<unknown> {
    const { outcome } = this;
    if (outcome !== null && 'value' in outcome) return outcome.value;
    return new Promise((resolve, reject) => {
      this.settle = (settled) => ('value' in settled ? resolve(settled.value) : reject(settled.error));
      if (outcome !== null) this.settle(outcome);
    });
  }

  private ends(outcome: Outcome): void {
    if (this.done) return;
    this.done = true;
    if (this.caller.status === EXITED) return; // the code of a dead caller does not go on
    this.outcome = outcome;
    this.settle?.(outcome);
  }

  private error(code: CallError['code'], reason: ExitReason): CallError {
    return new CallError(code, reason, describeDest(this.dest), this.tag);
  }
}

/**
 * A call without a time limit. If its server is on this thread and has nothing to do, it has its turn here and now, as
 * if it were next: what it replies in it is returned itself. Else a promise, as of any call.
 */
export function callAtOnce(
  kernel: Kernel,
  caller: Process,
  dest: Dest,
  tag: string,
  payload: unknown,
): MaybePromise<unknown> {
  const server = kernel.addressee(dest);
  if (server === undefined || !isIdle(server) || !mayInterpose(kernel, caller)) {
    return kernel.call(caller, dest, tag, payload, 'infinity');
  }
  kernel.share(payload);
  const call = new PromptCall(kernel.nextRef(), caller, dest, tag);
  kernel.scheduler.interpose(server, new Message('call', tag, payload, call));
  return call.result();
}

function isIdle({ status, mode, receiver, queueLength }: Process): boolean {
  return status === IDLE && mode === SERVING && receiver === null && queueLength === 0;
}

/** From a step of its own that nobody else would be blamed for, and where nothing takes its time between processes. */
function mayInterpose(kernel: Kernel, caller: Process): boolean {
  return caller.status === RUNNING && caller.culprit === null && !kernel.simulated;
}
