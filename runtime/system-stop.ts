import type { Messaging } from './kernel/context.ts';
import type { ExitReason } from './kernel/exit.ts';
import type { Dest } from './kernel/pid.ts';

/** Asks the first process of a system to stop it; a class, so that no message of user code is taken for it. */
export class SystemStop {
  readonly reason: ExitReason;

  constructor(reason: ExitReason) {
    this.reason = reason;
  }
}

/** Stops the system in order, as its owner can (init:stop/0); `system.terminated` settles with the reason. */
export function stopSystem(sender: Pick<Messaging, 'send'>, reason: ExitReason): void {
  const init: Dest = 'init';
  sender.send(init, 'stop', new SystemStop(reason));
}
