import type { TimerHandle } from '../clock.ts';
import { checkFunction } from './arguments.ts';
import type { ReceivedMessage } from './context.ts';
import { BadArgError } from './errors.ts';
import type { Kernel } from './kernel.ts';
import type { Message } from './message.ts';
import type { Process, Receiver } from './process.ts';
import { checkTimeout } from './time.ts';

type Match = (message: ReceivedMessage) => boolean;
type Settled = ReceivedMessage | 'timeout';

/** Selective receive: the first matching message, now or when it comes. */
export function receive(
  kernel: Kernel,
  process: Process,
  match: Match,
  timeoutMs: number | 'infinity',
): Promise<ReceivedMessage | 'timeout'> {
  return new Promise((resolve, reject) => {
    if (process.receiver !== null) {
      reject(new BadArgError(`${process.pid} waits in another receive already`));
      return;
    }
    checkFunction(match, 'match');
    checkTimeout(timeoutMs, 'timeoutMs');
    const waiting = process.take((message) => matches(match, message));
    if (waiting !== undefined) return resolve(taken(kernel, process, waiting));
    if (timeoutMs === 0) return resolve('timeout');
    const receiver = new WaitingReceiver(kernel, process, match, resolve);
    process.receiver = receiver;
    if (timeoutMs !== 'infinity') receiver.waitFor(timeoutMs);
  });
}

/** A class, not closures: it is a good part of what an idle process occupies. */
class WaitingReceiver implements Receiver {
  private readonly kernel: Kernel;
  private readonly process: Process;
  private readonly matcher: Match;
  private readonly resolve: (outcome: Settled | Promise<never>) => void;
  private timer: TimerHandle = undefined;

  constructor(kernel: Kernel, process: Process, matcher: Match, resolve: (outcome: Settled | Promise<never>) => void) {
    this.kernel = kernel;
    this.process = process;
    this.matcher = matcher;
    this.resolve = resolve;
  }

  waitFor(timeoutMs: number): void {
    this.timer = this.kernel.clock.setTimer(() => {
      if (this.process.receiver !== this) return;
      this.cancel();
      this.resolve('timeout');
    }, timeoutMs);
  }

  match(message: Message): boolean {
    try {
      return matches(this.matcher, message);
    } catch (error) {
      this.cancel();
      // The sender must not pay for the receiver's mistake; nor every receiver for a function that rejects.
      this.resolve(Promise.reject(error));
      return false;
    }
  }

  settle(message: Message): void {
    this.cancel();
    this.resolve(taken(this.kernel, this.process, message));
  }

  cancel(): void {
    this.process.receiver = null;
    if (this.timer !== undefined) this.kernel.clock.clearTimer(this.timer);
  }
}

/** A `continue` is the server's own next step, not a message. */
function matches(match: Match, message: Message): boolean {
  return message.kind !== 'continue' && match(shown(message));
}

function shown(message: Message): ReceivedMessage {
  const { kind, tag, payload, call } = message;
  const base = { kind: kind as ReceivedMessage['kind'], tag, payload };
  return call === null ? base : { ...base, from: { pid: call.caller.pid, ref: call.ref } };
}

function taken(kernel: Kernel, process: Process, message: Message): ReceivedMessage {
  if (message.call !== null) kernel.deferCall(process, message.call);
  return shown(message);
}
