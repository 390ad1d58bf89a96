import type { Behaviour } from './behaviour.ts';
import type { Clock } from './clock.ts';
import type { ExitReason } from './exit.ts';
import type { Dest, From, Name, Pid, Ref } from './pid.ts';
import type { Port } from './port.ts';
import type { StartResult } from './process.ts';
import type { CallPayload, CallReply, CallTag, Payload, PayloadArgs, Protocol, Tag } from './protocol.ts';
import type { Table, TableOptions } from './table.ts';

export interface CallOptions {
  /** How long to wait for the reply; default 5,000. `'infinity'` waits for ever. */
  readonly timeoutMs?: number | 'infinity';
}

export interface StartOptions {
  /** Registered before init runs; if it is taken the start returns `{ error: { already_started: pid } }`. */
  readonly name?: string;
  /**
   * How long init may take; then the process is killed and the start returns `{ error: 'timeout' }`. Default: no limit.
   */
  readonly timeoutMs?: number;
  /**
   * How long a handler's promise may take to settle; then the process exits `{ handler_timeout: tag }`. Default: no
   * limit.
   */
  readonly handlerTimeoutMs?: number;
  /**
   * Blames errors that timers and floating promises of the process throw on the process, which then exits. Default
   * false.
   */
  readonly attribute?: boolean;
}

/** A message as `receive` shows it: calls carry `from`, to be answered with `replyTo`. */
export interface ReceivedMessage {
  readonly kind: 'info' | 'cast' | 'call';
  readonly tag: string;
  readonly payload: unknown;
  readonly from?: From;
}

/** A plain function as a process: when it returns the process exits `'normal'`. Lives on the thread that spawns it. */
export type ProcessFunction<Arg> = (arg: Arg, ctx: Context) => unknown;

/** What a message to a process, from anywhere in its system, needs: shared by processes and by the system's owner. */
export interface Messaging {
  /**
   * Sends a request and waits for the reply (gen_server:call/3). Rejects with `CallError`: no such process, no reply in
   * time, the server ended first, or the process called itself. Calls of one process to one server are handled in
   * order.
   */
  call<P extends Protocol, T extends CallTag<P>>(
    dest: Dest<P>,
    tag: T,
    ...args: PayloadArgs<CallPayload<P, T>, CallOptions>
  ): Promise<CallReply<P, T>>;
  /** Sends a request without a reply (gen_server:cast/2). Never fails: to a dead process or a free name it is lost. */
  cast<P extends Protocol, T extends Tag<P, 'cast'>>(
    dest: Dest<P>,
    tag: T,
    ...args: PayloadArgs<Payload<P, 'cast', T>>
  ): void;
  /** Sends a plain message, handled by `handleInfo` (erlang:send/2). To a free name it throws `BadArgError`. */
  send<P extends Protocol, T extends Tag<P, 'info'>>(
    dest: Dest<P>,
    tag: T,
    ...args: PayloadArgs<Payload<P, 'info', T>>
  ): void;
  /** The process that holds the name now (erlang:whereis/1). */
  whereis<P extends Protocol>(name: Name<P>): Pid<P> | undefined;
  /** Whether that incarnation still lives (erlang:is_process_alive/1). */
  isAlive(pid: Pid): boolean;
  /** A request to exit (exit/2): `'kill'` cannot be trapped; others are messages to a process that traps exits. */
  exitProcess(pid: Pid, reason: ExitReason): void;
  /** A named table of the system, to read; undefined if there is none (ets). */
  table<K, V>(name: string): Table<K, V> | undefined;
}

/**
 * What a process can do, given to its callbacks. Used after its process has exited (code that an `await` left behind),
 * every method throws `ExitedError`, and a pending `call`, `receive` or start never settles.
 */
export interface Context<P extends Protocol = any> extends Messaging {
  readonly self: Pid<P>;
  readonly parent: Pid | undefined;
  /** The name given to `startSystem`. */
  readonly system: string;
  readonly clock: Clock;
  /** Aborted with the exit reason when this process exits, whatever the cause. */
  readonly signal: AbortSignal;

  /** Answers a call that a handler left with `noreply`; a second reply, or one that comes too late, is dropped. */
  replyTo<Reply>(from: From<Reply>, value: Reply): void;
  /**
   * Sends an info message after `delayMs`; to `dest`, default itself (erlang:send_after/3). A pid's timers die with it.
   */
  sendAfter(delayMs: number, tag: string, payload?: unknown, dest?: Dest): Ref;
  /** As `sendAfter`, but delivers the info message `'timeout'` with `{ ref, message }` (erlang:start_timer/3). */
  startTimer(delayMs: number, message?: unknown, dest?: Dest): Ref;
  /** The milliseconds that were left, or false: it fired (its message may be in the mailbox) or was cancelled. */
  cancelTimer(ref: Ref): number | false;

  /** Links (erlang:link/1). A dead pid: EXIT with `'noproc'` if this process traps exits, else `NoProcError`. */
  link(pid: Pid): void;
  /** Removes a link; an EXIT that is already in the mailbox stays there. */
  unlink(pid: Pid): void;
  /** Turns exit signals into info messages `'EXIT'` `{ from, reason }`; returns the earlier setting. */
  trapExit(on: boolean): boolean;
  /**
   * Exactly one info message `'DOWN'` `{ ref, type, object, reason }` when it exits; at once, `'noproc'`, if it is
   * gone.
   */
  monitor(dest: Dest): Ref;
  /** Ends a monitor; `flush` also removes a DOWN from the mailbox. Returns false if it had fired. */
  demonitor(ref: Ref, options?: { readonly flush?: boolean }): boolean;
  /** Ends this process with the reason (exit/1): a server's `terminate` runs. */
  exit(reason: ExitReason): never;

  /** Starts a process and returns its pid at once; if it fails, that is its exit reason (erlang:spawn/1). */
  spawn<Q extends Protocol, Start>(behaviour: Behaviour<Q, Start>, start: Start, options?: StartOptions): Pid<Q>;
  spawn<Arg>(run: ProcessFunction<Arg>, arg: Arg, options?: StartOptions): Pid;
  /** `spawn` and `link` in one step. */
  spawnLink<Q extends Protocol, Start>(behaviour: Behaviour<Q, Start>, start: Start, options?: StartOptions): Pid<Q>;
  spawnLink<Arg>(run: ProcessFunction<Arg>, arg: Arg, options?: StartOptions): Pid;
  /** `spawn` and `monitor` in one step. */
  spawnMonitor<Q extends Protocol, Start>(
    behaviour: Behaviour<Q, Start>,
    start: Start,
    options?: StartOptions,
  ): { readonly pid: Pid<Q>; readonly ref: Ref };
  spawnMonitor<Arg>(
    run: ProcessFunction<Arg>,
    arg: Arg,
    options?: StartOptions,
  ): { readonly pid: Pid; readonly ref: Ref };
  /** Starts a server and waits for its init: `{ ok: pid }`, `'ignore'` or `{ error: reason }` (gen_server:start/4). */
  start<Q extends Protocol, Start>(
    behaviour: Behaviour<Q, Start>,
    start: Start,
    options?: StartOptions,
  ): Promise<StartResult<Q>>;
  /** `start`, linked before init runs (gen_server:start_link/4). */
  startLink<Q extends Protocol, Start>(
    behaviour: Behaviour<Q, Start>,
    start: Start,
    options?: StartOptions,
  ): Promise<StartResult<Q>>;

  /**
   * Gives the name to a process, default itself. `BadArgError` if it is taken or the process has one
   * (erlang:register/2).
   */
  register(name: Name, pid?: Pid): void;
  /** Frees a name; `BadArgError` if it is free. */
  unregister(name: Name): void;
  /** A text that reports show beside the pid (proc_lib:set_label/1). */
  setLabel(label: string): void;

  /**
   * Takes the first message that matches, now or later, and leaves the others in order (selective receive). Usable in
   * any
   * callback: the mailbox is closed to handlers meanwhile. `'timeout'` after `timeoutMs`; 0 looks only at what is
   * there.
   */
  receive(
    match: (message: ReceivedMessage) => boolean,
    timeoutMs: number | 'infinity',
  ): Promise<ReceivedMessage | 'timeout'>;
  /**
   * Gives a resource to this process: it is closed when the process exits, for whatever reason. Returns a function that
   * lets go of it.
   */
  openPort(port: Port): () => void;
  /** Creates a named table that this process owns (ets:new/2). `BadArgError` if the name is taken. */
  newTable<K, V>(name: string, options?: TableOptions): Table<K, V>;
}
