import type { Alias } from './alias.ts';
import type { Behaviour } from './behaviour.ts';
import type { ProcessFunction, StartOptions } from './context.ts';
import type { ExitReason } from './exit.ts';
import type { MessageKind } from './message.ts';
import type { PendingCall } from './pending-call.ts';
import type { Dest, Pid, Ref } from './pid.ts';
import type { Process, StartResult } from './process.ts';
import type { ExitSignal } from './signals.ts';

/** What ties a process to who starts it. */
export interface Tie {
  readonly link?: boolean;
  readonly monitor?: Ref;
  /** Its supervisor waits for whoever has its name and is on the way out. */
  readonly awaitOrphan?: boolean;
}

/**
 * The other threads of a system, as the kernel of one thread sees them. A pid, a name or an alias that it hands over
 * belongs to a process that does not run here; whether it still runs there is not asked. What is sent from one thread
 * to another arrives in the order in which it was sent, messages and signals alike.
 */
export interface Remote {
  /** The thread on which a process with these options is to run. `BadArgError` if there is no such group. */
  place(options: Pick<StartOptions, 'thread' | 'isolated'>): number;
  isAlive(pid: Pid): boolean;
  /** Whether anything may still come from the thread of the pid: false once all here know that it has died. */
  hears(pid: Pid): boolean;
  /** Greater than all numbers that any thread has taken before. */
  nextNumber(): number;
  /** How many processes the other threads have. */
  readonly processCount: number;

  /** Who has the name, on whatever thread. */
  holder(name: string): Pid | undefined;
  /** Takes a name for a process of this thread; else says who has it. */
  claim(name: string, pid: Pid): Pid | undefined;
  release(name: string, pid: Pid): void;
  /** A process of another thread loses its name. */
  unname(name: string, pid: Pid): void;
  /** Settles when who has the name is gone, if it is on its way out with a dead supervisor; false if it is not. */
  untilOrphanGone(holder: Pid): Promise<boolean>;

  send(sender: Process | null, to: Pid | Alias, kind: MessageKind, tag: string, payload: unknown): void;
  call(call: PendingCall, to: Pid | Alias, payload: unknown): void;
  /** Nobody here waits for the reply any more. */
  dropCall(ref: Ref): void;
  /** For a call whose server is not on this thread; its caller may be. */
  reply(caller: Pid, ref: Ref, value: unknown): void;

  link(from: Pid, to: Pid): void;
  unlink(from: Pid, to: Pid): void;
  linkExit(to: Pid, signal: ExitSignal): void;
  monitor(watcher: Pid, ref: Ref, target: Pid, tag: string, object: Dest): void;
  demonitor(ref: Ref, target: Pid): void;
  /** A process of this thread has exited that one of another thread monitors. */
  down(watcher: Pid, ref: Ref, reason: ExitReason): void;
  /** A monitor that a process of this thread holds of one of another thread fires. */
  fire(watcher: Pid, ref: Ref, reason: ExitReason): void;
  exit(sender: Pid, to: Pid, reason: ExitReason): void;

  /** Spawns on another thread; its pid is good at once. */
  spawn(
    parent: Process,
    thread: number,
    code: Behaviour | ProcessFunction<any>,
    arg: unknown,
    options: StartOptions & Tie,
  ): Pid;
  /** Starts there, and waits for init. */
  start(
    parent: Process,
    thread: number,
    behaviour: Behaviour,
    arg: unknown,
    options: StartOptions & Tie,
  ): Promise<StartResult>;

  /** A process of this thread is to have its first turn; false if who has spawned it has taken that back. */
  begins(pid: Pid): boolean;
  /** Takes back the spawn of a process that has not begun to run; false if it has. */
  withdraw(parent: Process, pid: Pid): boolean;
  /** What was sent to other threads leaves now, not at the end of the turn. */
  flush(): void;
  /** The thread groups of the system. */
  readonly groups: readonly string[];

  /** A process of this thread lives from now on, or does no longer. */
  born(pid: Pid): void;
  died(pid: Pid, reason: ExitReason): void;
  /** Why a process of this thread is not there any more; `'noproc'` if that was long ago. */
  reasonOf(pid: Pid): ExitReason;
  /** The scheduler begins and ends a round, and gives a process its turn. */
  roundBegins(): void;
  roundEnds(): void;
  runs(pid: Pid): void;
}
