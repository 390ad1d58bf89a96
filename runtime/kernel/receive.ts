import type { ReceivedMessage } from './context.ts';
import { BadArgError } from './errors.ts';
import type { Kernel } from './kernel.ts';
import type { Message } from './message.ts';
import type { Process } from './process.ts';
import { checkTime } from './time.ts';

/** Selective receive: the first matching message, now or when it comes. */
export function receive(
  kernel: Kernel,
  process: Process,
  match: (message: ReceivedMessage) => boolean,
  timeoutMs: number | 'infinity',
): Promise<ReceivedMessage | 'timeout'> {
  return new Promise((resolve, reject) => {
    if (process.receiver !== null) {
      reject(new BadArgError(`${process.pid} waits in another receive already`));
      return;
    }
    // A `continue` is the server's own next step, not a message.
    const matches = (message: Message): boolean => message.kind !== 'continue' && match(shown(message));
    const waiting = process.take(matches);
    if (waiting !== undefined) return resolve(taken(kernel, process, waiting));
    if (timeoutMs !== 'infinity') checkTime(timeoutMs, 'timeoutMs');
    if (timeoutMs === 0) return resolve('timeout');

    let timer: unknown;
    const clear = (): void => {
      process.receiver = null;
      if (timer !== undefined) kernel.clock.clearTimer(timer);
    };
    const settle = (outcome: () => void): void => {
      clear();
      outcome();
    };
    process.receiver = {
      match: (message) => {
        try {
          return matches(message);
        } catch (error) {
          settle(() => reject(error)); // the sender must not pay for the receiver's mistake
          return false;
        }
      },
      settle: (message) => settle(() => resolve(taken(kernel, process, message))),
      cancel: clear,
    };
    if (timeoutMs === 'infinity') return;
    const receiver = process.receiver;
    timer = kernel.clock.setTimer(() => {
      if (process.receiver === receiver) settle(() => resolve('timeout'));
    }, timeoutMs);
  });
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
