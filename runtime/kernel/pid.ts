import type { Alias } from './alias.ts';
import type { Protocol } from './protocol.ts';
import type { ViaName } from './via.ts';

/** How far the serials are apart that two threads give out. */
export const SERIALS_PER_THREAD: number = 2 ** 36;

declare const refBrand: unique symbol;
declare const replyBrand: unique symbol;

/**
 * Identifies one incarnation of one process: plain data, never reused while its system lives (Erlang reference manual,
 * "Data Types": Pid). Within a thread the same process always has the same `Pid` object.
 */
export class Pid<P extends Protocol = any> {
  /** Exists for the compiler only. */
  declare readonly protocol?: P;
  /** The system and its incarnation, such as `beamish@4711.k3x9`. */
  readonly system: string;
  /** The scheduler thread; 0 is the thread that started the system. */
  readonly thread: number;
  /** Where the thread keeps the process; reused, so never compare it alone. */
  readonly slot: number;
  /** Counts the processes of the thread, of each thread that spawns there; with `thread` it is unique in the system. */
  readonly serial: number;

  constructor(system: string, thread: number, slot: number, serial: number) {
    this.system = system;
    this.thread = thread;
    this.slot = slot;
    this.serial = serial;
  }

  /** Spawned by another thread, that thread is named too: `<1.0.7>` is the seventh that thread 0 has spawned on 1. */
  toString(): string {
    const { thread, serial } = this;
    if (serial < SERIALS_PER_THREAD) return `<${thread}.${serial}>`;
    return `<${thread}.${Math.floor(serial / SERIALS_PER_THREAD) - 1}.${serial % SERIALS_PER_THREAD}>`;
  }

  toJSON(): string {
    return this.toString();
  }
}

/** Identifies a monitor, a timer or a call; unique in its system, compared with `===`. */
export type Ref = number & { readonly [refBrand]?: true };

/** A registered name that carries the protocol of the process behind it. A name belongs to one system. */
export type Name<P extends Protocol = any> = string & { readonly protocol?: P };

/** Types a text as the name of a process that speaks `P`. */
export function name<P extends Protocol = any>(text: string): Name<P> {
  return text as Name<P>;
}

/**
 * Where a message goes: one incarnation, whoever holds the name at that moment, here or in a registry of one's own, or
 * whoever made the alias.
 */
export type Dest<P extends Protocol = any> = Pid<P> | Name<P> | ViaName<P> | Alias<P>;

/** Who waits for a reply: plain data, so any process of the system may answer with `replyTo`. */
export interface From<Reply = unknown> {
  /** Who waits. */
  readonly pid: Pid;
  /** Which of its calls. */
  readonly ref: Ref;
  readonly [replyBrand]?: (reply: Reply) => void;
}
