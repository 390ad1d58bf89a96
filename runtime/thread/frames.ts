import type { MessageKind } from '../kernel/message.ts';

/**
 * What threads say to each other: `[op, …]`, in the order in which it was said, messages and signals alike. A process
 * of the receiving thread is named by slot and serial.
 */
export const op = {
  /** slot, serial, kind, tag, payload */
  message: 1,
  /** slot, serial, ref of the alias, kind, tag, payload */
  toAlias: 2,
  /** slot, serial, tag, payload, ref, slot and serial of the caller */
  call: 3,
  /** slot, serial, ref of the alias, tag, payload, ref, slot and serial of the caller */
  callAlias: 4,
  /** ref, value */
  reply: 5,
  /** ref, reason */
  callFailed: 6,
  /** ref */
  callAbsent: 7,
  /** ref: the mailbox of the server is full */
  callRefused: 8,
  /** ref: nobody waits for the reply any more */
  callDropped: 9,
  /** from, slot, serial */
  link: 10,
  /** from, slot, serial */
  unlink: 11,
  /** slot, serial, signal */
  linkExit: 12,
  /** watcher, ref, slot, serial, whether it lived then */
  monitor: 13,
  /** ref, slot, serial */
  demonitor: 14,
  /** slot, serial, ref, reason */
  down: 15,
  /** sender, slot, serial, reason */
  exit: 16,
  /** slot, serial, `SpawnRequest` */
  spawn: 17,
  /** ref, result of the start */
  started: 18,
  /** slot, serial, name */
  unname: 19,
  /** slot, serial, ref: who asks wants to know when the process is gone, if it is an orphan */
  awaitOrphan: 20,
  /** ref, whether it was one and is gone */
  orphanGone: 21,
  /** name of the channel, event */
  event: 22,
  /** The thread was started for a process that will not come. */
  notSpawned: 23,
  /** thread, reason: it has died. Never sent: it waits behind what that thread had sent. */
  threadDown: 24,
} as const;

export type Frame = readonly unknown[];

/** Kinds of messages as they cross: a number is encoded and decoded in less time than a word. */
export const kindNumbers: Readonly<Record<MessageKind, number>> = { info: 1, cast: 2, call: 3, continue: 4 };
export const kindOf: readonly MessageKind[] = ['info', 'info', 'cast', 'call', 'continue'];
