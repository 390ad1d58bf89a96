import type { Clock } from '../clock.ts';
import type { NewTable, OpenTable } from '../table/table-types.ts';
import type { Alias, AliasOptions } from './alias.ts';
import type { Behaviour } from './behaviour.ts';
import type { ExitReason } from './exit.ts';
import type { MailboxPolicy } from './mailbox-bound.ts';
import type { Dest, From, Name, Pid, Ref } from './pid.ts';
import type { Port } from './port.ts';
import type { StartMonitorResult, StartResult } from './process.ts';
import type { ProcessInfo } from './process-info.ts';
import type { CallPayload, CallReply, CallTag, Payload, PayloadArgs, Protocol, Tag } from './protocol.ts';
import type { RequestId } from './request.ts';
import type { ViaName } from './via.ts';

/** Options of `call`. */
export interface CallOptions {
  /** How long to wait for the reply; default 5,000. `'infinity'` waits for ever. */
  readonly timeoutMs?: number | 'infinity';
}

/** What may be said of any process when it is started. */
export interface ProcessOptions {
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
  /**
   * How many messages may wait in its mailbox, 1 or more (an extension: OTP has no such bound). Default: no bound. What
   * no other process sent is let in all the same: signals, timers, responses, what it sends to itself; and so are
   * requests of `sys`.
   */
  readonly mailboxMax?: number;
  /**
   * What gives way when a message comes to a full mailbox. `'reject'` (default): the message. `'drop_newest'`,
   * `'drop_oldest'`: the newest or oldest cast or plain message, waiting or new; a call that waits is never dropped. A
   * call that does not get in fails at once with `ERR_CALL_OVERLOAD`; a cast or plain message is lost, as it is on its
   * way to a dead process. The first, second, fourth, eighth … loss is published on `beamish:mailbox-warning`.
   */
  readonly mailboxPolicy?: MailboxPolicy;
  /**
   * Lets go of what the process keeps for its next burst of messages when it has handled none for that long, up to
   * twice as long (gen_server, option hibernate_after). Default: never.
   */
  readonly hibernateAfterMs?: number;
  /**
   * Where it runs: `'main'`, the thread that started the system; a group of `startSystem({ threads })`; default: the
   * thread of whoever starts it. The behaviour must be an export of a module, and what it is started with plain data.
   * `BadArgError`, or the start error `{ invalid_thread: thread }`, if there is no such group.
   */
  readonly thread?: string;
  /**
   * It has a worker thread of its own, which ends with it; default false. Not together with `thread`.
   */
  readonly isolated?: boolean;
}

/** Of options for more than a process, those for the process. */
export function processOptions(options: ProcessOptions): ProcessOptions {
  const { handlerTimeoutMs, attribute, mailboxMax, mailboxPolicy, hibernateAfterMs, thread, isolated } = options;
  return {
    ...(handlerTimeoutMs === undefined ? {} : { handlerTimeoutMs }),
    ...(attribute === undefined ? {} : { attribute }),
    ...(mailboxMax === undefined ? {} : { mailboxMax }),
    ...(mailboxPolicy === undefined ? {} : { mailboxPolicy }),
    ...(hibernateAfterMs === undefined ? {} : { hibernateAfterMs }),
    ...(thread === undefined ? {} : { thread }),
    ...(isolated === undefined ? {} : { isolated }),
  };
}

/** What may be said when a process is started. A wrong option throws `BadArgError`, with its term as `reason`. */
export interface StartOptions extends ProcessOptions {
  /** Registered before init runs; if it is taken the start returns `{ error: { already_started: pid } }`. */
  readonly name?: string | ViaName;
  /**
   * How long init may take; then the process is killed and the start returns `{ error: 'timeout' }`. Default: no limit.
   * For what waits for init: `start`, `startLink`, `startMonitor`.
   */
  readonly timeoutMs?: number;
  /** Debugging that is on from the start, see `sys` (gen_server, option debug). For behaviours only. */
  readonly debug?: readonly ('trace' | 'log' | 'statistics')[];
}

/** A message as `receive` shows it: calls carry `from`, to be answered with `replyTo`. */
export interface ReceivedMessage {
  readonly kind: 'info' | 'cast' | 'call';
  readonly tag: string;
  readonly payload: unknown;
  /** Of a call: who waits for the reply. */
  readonly from?: From;
}

/** A plain function as a process: when it returns the process exits `'normal'`. Lives on the thread that spawns it. */
export type ProcessFunction<Arg> = (arg: Arg, ctx: Context) => unknown;

/** What a message to a process, from anywhere in its system, needs: shared by processes and by the system's owner. */
export interface Messaging {
  /**
   * Sends a request and waits for the reply (gen_server:call/3). Rejects with `CallError`: no such process, no reply in
   * time, the server ended first, its mailbox is full, or the process called itself; see its codes. Calls of one
   * process to one server are handled in order.
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
  whereis<P extends Protocol>(name: Name<P> | ViaName<P>): Pid<P> | undefined;
  /**
   * What there is to know about a process from outside (erlang:process_info/1); undefined if it has exited.
   * `BadArgError` if it lives on another thread: ask there, or call `sys.getStatus`.
   */
  processInfo(pid: Pid): ProcessInfo | undefined;
  /** Whether that incarnation still lives (erlang:is_process_alive/1). */
  isAlive(pid: Pid): boolean;
  /**
   * A request to exit (exit/2): `'kill'` cannot be trapped; others are messages to a process that traps exits;
   * `'normal'` from another process is ignored by one that does not.
   */
  exitProcess(pid: Pid, reason: ExitReason): void;
  /**
   * A table of the system, by name or tid; undefined if there is none (ets:whereis/1). `type`, default `'set'`, says
   * which methods are meant: `'set'` also opens an `ordered_set`, `'bag'` also a `duplicate_bag`. Any other mismatch
   * throws `BadArgError`.
   */
  readonly table: OpenTable;
  /**
   * A number, 0 or more, greater than all that the system has given out before, on whatever thread
   * (erlang:unique_integer/1, monotonic). What is told of several threads can be put in order by it; events of a system
   * with `threads` take their `order` from the same numbers.
   */
  uniqueInteger(): number;
}

/**
 * What a process can do, given to its callbacks. Used after its process has exited (code that an `await` left behind),
 * every method that does something throws `ExitedError`, and a pending `call`, `receive` or start never settles; those
 * that only look (`whereis`, `isAlive`, `processInfo`, `readTimer`, `table`) still answer.
 */
export interface Context<P extends Protocol = any> extends Messaging {
  /** This process. */
  readonly self: Pid<P>;
  /** Who started it; undefined for the first process of a system. */
  readonly parent: Pid | undefined;
  /** The name given to `startSystem`. */
  readonly system: string;
  /** The clock of the system. */
  readonly clock: Clock;
  /** Aborted with the exit reason when this process exits, whatever the cause. */
  readonly signal: AbortSignal;

  /**
   * Answers a call that a handler left with `noreply`, from any process (gen_server:reply/2); a second reply, or one
   * that comes too late, is dropped.
   */
  replyTo<Reply>(from: From<Reply>, value: Reply): void;
  /**
   * Sends an info message after `delayMs`; to `dest`, default itself (erlang:send_after/3). A pid's timers die with it.
   */
  sendAfter(delayMs: number, tag: string, payload?: unknown, dest?: Dest): Ref;
  /**
   * Sends a request whose response comes as the info message `RESPONSE`: look at it with `checkResponse`, or wait with
   * `receiveResponse` or `waitResponse` (gen_server:send_request/2). Never fails: also a server that is not there is a
   * response.
   */
  sendRequest<Q extends Protocol, T extends CallTag<Q>>(
    dest: Dest<Q>,
    tag: T,
    ...args: PayloadArgs<CallPayload<Q, T>>
  ): RequestId<CallReply<Q, T>>;
  /** As `sendAfter`, but delivers the info message `'timeout'` with `{ ref, message }` (erlang:start_timer/3). */
  startTimer(delayMs: number, message?: unknown, dest?: Dest): Ref;
  /**
   * Sends an info message every `periodMs` (1 or more) until it is cancelled or the receiver, default this process,
   * exits (timer:send_interval/3). `BadArgError` if nobody has the name of the receiver now. Beats that a busy thread
   * misses are left out.
   */
  sendInterval(periodMs: number, tag: string, payload?: unknown, dest?: Dest): Ref;
  /**
   * Runs a function as a process of its own after `delayMs`, also if this process has exited by then
   * (timer:apply_after/4).
   */
  applyAfter<Arg>(delayMs: number, run: ProcessFunction<Arg>, arg: Arg): Ref;
  /** The milliseconds that were left, or false: it fired (its message may be in the mailbox) or was cancelled. */
  cancelTimer(ref: Ref): number | false;
  /** The milliseconds that are left, or false if it fired or was cancelled (erlang:read_timer/1). */
  readTimer(ref: Ref): number | false;

  /** Links (erlang:link/1). A dead pid: EXIT with `'noproc'` if this process traps exits, else `NoProcError`. */
  link(pid: Pid): void;
  /** Removes a link; an EXIT that is already in the mailbox stays there. */
  unlink(pid: Pid): void;
  /** Turns exit signals into info messages `'EXIT'` `{ from, reason }`; returns the earlier setting. */
  trapExit(on: boolean): boolean;
  /**
   * Exactly one info message `'DOWN'` `{ ref, type, object, reason }` when it exits; at once, `'noproc'`, if it is
   * gone. With `tag` the message has that tag instead (erlang:monitor/3).
   */
  monitor(dest: Dest, options?: { readonly tag?: string }): Ref;
  /** Ends a monitor; `flush` also removes a DOWN from the mailbox. Returns false if it had fired. */
  demonitor(ref: Ref, options?: { readonly flush?: boolean }): boolean;
  /**
   * A second address of this process, to be given away: what is sent to it once it has ended is lost (erlang:alias/1).
   * It ends by `unalias`, by its first message (`reply`), with a `monitor`, or with this process.
   */
  alias(options?: AliasOptions): Alias<P>;
  /** Ends an alias of this process; says whether it was open (erlang:unalias/1). */
  unalias(alias: Alias): boolean;
  /** Ends this process with the reason (exit/1): a server's `terminate` runs. */
  exit(reason: ExitReason): never;

  /**
   * Starts a process and returns its pid at once; if it fails, that is its exit reason (erlang:spawn/1). `BadArgError`,
   * and there is no process: a wrong option, a name that is taken, or neither a behaviour nor a function.
   */
  spawn<Q extends Protocol, Start>(behaviour: Behaviour<Q, Start>, start: Start, options?: StartOptions): Pid<Q>;
  spawn<Arg>(run: ProcessFunction<Arg>, arg: Arg, options?: StartOptions): Pid;
  /**
   * Takes back the spawn of a process on another thread that has not begun to run there: true if it never will, and
   * links and monitors are gone, its name once that thread goes on; false if it has begun, has exited, or is on this
   * thread. An extension: no thread of the BEAM keeps its processes waiting.
   */
  withdraw(pid: Pid): boolean;
  /**
   * What processes of this thread have sent to other threads leaves now; else it does at the end of the turn, when all
   * that are runnable have had theirs (on the first thread: of the round of the event loop). To be called before code
   * that may never yield: what was sent before it is not lost with the thread then. An extension.
   */
  flush(): void;
  /** The groups of worker threads of the system: what `thread` may name beside `'main'`. */
  readonly threadGroups: readonly string[];
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
  /**
   * Starts a server and waits for its init (gen_server:start/4): `{ ok: pid }`; `'ignore'`; `{ error }`: `{
   * already_started: pid }`, `'timeout'`, the reason of `stopInit`, `{ error, stack }` of a throw, `{ bad_return_value
   * }`, or why it ended before init had. Rejects with `BadArgError` for a wrong option, or what is no behaviour.
   */
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
   * `start`, monitored before init runs: `{ ok: { pid, ref } }`; a start that fails leaves no DOWN (start_monitor/4).
   */
  startMonitor<Q extends Protocol, Start>(
    behaviour: Behaviour<Q, Start>,
    start: Start,
    options?: StartOptions,
  ): Promise<StartMonitorResult<Q>>;

  /**
   * Gives the name to a process, default itself. `BadArgError` if it is taken or the process has one
   * (erlang:register/2).
   */
  register(name: Name, pid?: Pid): void;
  /** Frees a name, whoever has it; `BadArgError` if it is free (erlang:unregister/1). */
  unregister(name: Name): void;
  /** A text that reports show beside the pid (proc_lib:set_label/1). */
  setLabel(label: string): void;

  /**
   * Takes the first message that matches, now or later, and leaves the others in order (selective receive). Usable in
   * any
   * callback: the mailbox is closed to handlers meanwhile. `'timeout'` after `timeoutMs`; 0 looks only at what is
   * there. Rejects with what `match` throws, and with `BadArgError` while another `receive` of this process waits.
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
  /**
   * Creates a table that this process owns, by default a protected named `set` (ets:new/2). It is deleted when the
   * process exits, unless it has an heir. Only processes of the same thread find it. `BadArgError` if the name is taken
   * or an option is none of ets.
   */
  readonly newTable: NewTable;
}
