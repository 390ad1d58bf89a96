import { BadArgError } from '../kernel/errors.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { From } from '../kernel/pid.ts';
import type { Process } from '../kernel/process.ts';
import { ProcessContext } from '../kernel/process-context.ts';

/** What the context asks the loop of its machine. */
interface CurrentCall {
  /** Who waits for the reply to the event being handled. */
  readonly caller: From | null;
  /** Answers the call being handled, if it is that one; says whether it was. */
  answersCurrent(from: From, value: unknown): boolean;
}

/** The context of a machine: `from` exists while a call is handled. */
export class StatemContext extends ProcessContext {
  readonly #current: CurrentCall;

  constructor(kernel: Kernel, process: Process, current: CurrentCall) {
    super(kernel, process);
    this.#current = current;
  }

  get from(): From {
    const from = this.#current.caller;
    if (from === null) throw new BadArgError('ctx.from exists only while an event of type call is handled');
    return from;
  }

  override replyTo(from: From<any>, value: unknown): void {
    if (typeof from?.ref !== 'number' || !this.#current.answersCurrent(from, value)) super.replyTo(from, value);
  }
}
