/** The two ends of a one-way channel between two threads, and what passes between them beside the ring. */

import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { CHANNEL_RING_BYTES } from '../limits.ts';
import { type Part, partBytes } from './crossing.ts';
import { createRing } from './ring.ts';

/** What crosses: a number of at least 0 that says what it is, and its fields. A flat array of plain values and pids. */
export type Frame = readonly unknown[];

/** One end, as plain data: it may be posted to another thread, with its port in the transfer list. */
export interface ChannelEnd {
  readonly memory: SharedArrayBuffer;
  readonly port: MessagePort;
}

/** One writer, one reader; the writer may write before the reader is there. */
export function openChannel(ringBytes: number = CHANNEL_RING_BYTES): { writer: ChannelEnd; reader: ChannelEnd } {
  const memory = createRing(ringBytes);
  const { port1, port2 } = new MessageChannel();
  return { writer: { memory, port: port1 }, reader: { memory, port: port2 } };
}

/** To the reader: there is something in the ring. To the writer: there is room in it. */
export const BELL = 0;

/** A batch that crosses beside the ring, where a record of no bytes holds its place. */
export interface Outside {
  readonly sequence: number;
  readonly bytes: Uint8Array;
  readonly parts: readonly Part[];
}

/** What the two threads count for a batch beside the ring. */
export function outsideBytes(bytes: Uint8Array, parts: readonly Part[]): number {
  return parts.reduce((sum, { buffer }) => sum + partBytes(buffer), bytes.length);
}

// Flags of a record: the low bits, above them the sequence of what crosses outside.
/** The records of msgpackr begin anew with this batch. */
export const FRESH = 1;
/** The batch is in a message of the port. */
export const OUTSIDE = 2;
export const SEQUENCE_SHIFT = 2;
/** Sequences count modulo this. */
export const SEQUENCES: number = 2 ** 30;

/** So much waits for another thread that no more is taken: what was sent is not lost, this message was not sent. */
export class ChannelFullError extends Error {
  override readonly name = 'ChannelFullError';
  readonly code = 'ERR_CHANNEL_FULL';
}

export class ChannelClosedError extends Error {
  override readonly name = 'ChannelClosedError';
  readonly code = 'ERR_CHANNEL_CLOSED';
}
