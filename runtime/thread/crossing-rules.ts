import { Alias } from '../kernel/alias.ts';
import { type Behaviour, type BehaviourName, importedBehaviour, isBehaviour } from '../kernel/behaviour.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { Pid } from '../kernel/pid.ts';
import { DownSignal, ExitSignal } from '../kernel/signals.ts';
import { CallbackFailed, SystemRequest } from '../server/sys-requests.ts';
import { SystemStop } from '../system-stop.ts';
import type { CrossingRules } from './crossing.ts';
import { type Frame, op } from './frames.ts';
import { LoadingRunner } from './loading-runner.ts';
import type { Pids } from './pids.ts';

/** How the runtime's own classes, and behaviours, cross to another thread. */
export function crossingRules(kernel: Kernel, pids: Pids): CrossingRules {
  const encodePid = (pid: Pid): unknown => {
    if (pid.system !== kernel.id) return [pid.thread, pid.slot, pid.serial, pid.system];
    if (pid.thread === kernel.thread) pids.leaves(pid);
    return [pid.thread, pid.slot, pid.serial];
  };
  const decodePid = ([thread, slot, serial, system]: [number, number, number, string?]): Pid =>
    system === undefined ? pids.of(thread, slot, serial) : new Pid(system, thread, slot, serial);
  return {
    classes: [
      { class: Pid, tag: 0, flat: true, encode: encodePid, decode: decodePid },
      {
        class: Alias,
        tag: 1,
        encode: ({ pid, ref }: Alias) => [pid, ref],
        decode: ([pid, ref]) => new Alias(pid, ref),
      },
      {
        class: ExitSignal,
        tag: 2,
        encode: ({ from, reason, label, thread }: ExitSignal) => [from, reason, label, thread],
        decode: ([from, reason, label, thread]) => new ExitSignal(from, reason, label, thread),
      },
      {
        class: DownSignal,
        tag: 3,
        encode: ({ ref, object, reason }: DownSignal) => [ref, object, reason],
        decode: ([ref, object, reason]) => new DownSignal(ref, object, reason),
      },
      {
        class: SystemRequest,
        tag: 4,
        encode: ({ command }: SystemRequest) => command,
        decode: (command) => new SystemRequest(command),
      },
      {
        class: CallbackFailed,
        tag: 5,
        encode: ({ reason }: CallbackFailed) => reason,
        decode: (reason) => new CallbackFailed(reason),
      },
      {
        class: SystemStop,
        tag: 6,
        encode: ({ reason }: SystemStop) => reason,
        decode: (reason) => new SystemStop(reason),
      },
    ],
    encodeSpecial: (value) => (isBehaviour(value) ? { module: value.module, exportName: value.exportName } : undefined),
    decodeSpecial: (name: BehaviourName) => importedBehaviour(name) ?? standIn(name),
    fieldName: (frame, index) => fieldNames[(frame as Frame)[0] as number]?.[index - 1] ?? `frame[${index}]`,
  };
}

/** A behaviour that this thread has not imported: whoever starts it imports it first. */
function standIn({ module, exportName }: BehaviourName): Behaviour {
  return Object.freeze({
    module,
    exportName,
    createRunner: (kernel: Kernel, start: unknown) => new LoadingRunner(kernel, { module, exportName }, start),
  });
}

/** What the sender calls the fields of its message. */
const fieldNames: Readonly<Record<number, readonly string[]>> = {
  [op.message]: ['slot', 'serial', 'kind', 'tag', 'payload'],
  [op.toAlias]: ['slot', 'serial', 'alias', 'kind', 'tag', 'payload'],
  [op.call]: ['slot', 'serial', 'tag', 'payload', 'ref', 'caller'],
  [op.callAlias]: ['slot', 'serial', 'alias', 'tag', 'payload', 'ref', 'caller'],
  [op.reply]: ['ref', 'the reply'],
  [op.spawn]: ['slot', 'serial', 'the start'],
};
