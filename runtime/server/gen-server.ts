import type { HandlerRef } from '../event/event-handler.ts';
import type { Behaviour, ModuleMeta } from '../kernel/behaviour.ts';
import type { Context } from '../kernel/context.ts';
import type { ExitReason } from '../kernel/exit.ts';
import type { Dest, From, Pid, Ref } from '../kernel/pid.ts';
import type { CallPayload, CallReply, CallTag, MaybePromise, Payload, Protocol, Tag } from '../kernel/protocol.ts';
import type { Response } from '../kernel/request.ts';
import type { PgEvent } from '../registry/pg.ts';
import type { TableTransfer } from '../table/table-data.ts';
import { type ClauseTable, checkDefinition, clauseTable } from './clause-table.ts';
import { GenServerLoop } from './gen-server-loop.ts';
import type { CallResult, HandlerResult, InitResult } from './server-result.ts';

/** A server as data: what `child`, `ctx.start` and `ctx.spawn` take. */
export type GenServer<P extends Protocol = any, Start = void> = Behaviour<P, Start>;

/** The context of a `handleCall` clause: `from` is who waits, plain data that any process may pass to `replyTo`. */
export interface CallContext<P extends Protocol, Reply> extends Context<P> {
  readonly from: From<Reply>;
}

type CallClauses<P extends Protocol, State> = {
  readonly [T in CallTag<P>]: (
    state: State,
    payload: CallPayload<P, T>,
    ctx: CallContext<P, CallReply<P, T>>,
  ) => MaybePromise<CallResult<CallReply<P, T>, State>>;
};

type Clauses<P extends Protocol, K extends 'cast' | 'info' | 'continue', State> = {
  readonly [T in Tag<P, K>]: (
    state: State,
    payload: Payload<P, K, T>,
    ctx: Context<P>,
  ) => MaybePromise<HandlerResult<State>>;
};

/** Messages of the runtime itself, for `handleInfo`. */
export interface SystemInfo {
  /** A linked process exited, or `exitProcess` was called, and this process traps exits; never from the parent. */
  readonly EXIT: { readonly from: Pid; readonly reason: ExitReason };
  /** A monitored process exited. `object` is what was monitored: the pid or the name. */
  readonly DOWN: {
    readonly ref: Ref;
    readonly type: 'process';
    readonly object: Dest;
    readonly reason: ExitReason;
  };
  /** The response to a request of `sendRequest`: give it to `checkResponse`. */
  readonly RESPONSE: Response;
  /** Nothing came within `idleTimeout`: undefined; or a `startTimer` fired: its ref and message. */
  readonly timeout: undefined | { readonly ref: Ref; readonly message: unknown };
  /** The result of a task that this process started (Elixir's `{ref, result}`); DOWN follows unless `demonitor`ed. */
  readonly task: { readonly ref: Ref; readonly result: unknown };
  /** An event handler that this process supervises was removed: see `genEvent.addSupHandler`. */
  readonly gen_event_EXIT: { readonly manager: Pid; readonly handler: HandlerRef; readonly reason: ExitReason };
  /** A process group that this process monitors has changed. */
  readonly pg: PgEvent;
  /** A table was inherited or given to this process. */
  readonly 'ETS-TRANSFER': TableTransfer;
}

type SystemClauses<P extends Protocol, State> = {
  readonly [T in keyof SystemInfo]?: (
    state: State,
    payload: SystemInfo[T],
    ctx: Context<P>,
  ) => MaybePromise<HandlerResult<State>>;
};

/** The tables that a protocol needs: a section with tags and no table for them must not compile. */
type RequiredTable<P extends Protocol> =
  | ([CallTag<P>] extends [never] ? never : 'handleCall')
  | ([Tag<P, 'cast'>] extends [never] ? never : 'handleCast')
  | ([Tag<P, 'info'>] extends [never] ? never : 'handleInfo')
  | ([Tag<P, 'continue'>] extends [never] ? never : 'handleContinue');

/** The callbacks of a server (gen_server, "Callback Functions"). Each may be async; the mailbox waits. */
export type GenServerCallbacks<P extends Protocol, Start, State> = {
  /** The first state, or `initOk(state, next)`, `ignore()`, `stopInit(reason)`. A throw fails the start. */
  readonly init: (start: Start, ctx: Context<P>) => MaybePromise<InitResult<State>>;
  /**
   * Cleans up before the exit: after a `stop` result, a throw in a callback, or, if the process traps exits, the exit
   * signal of its parent. Not run when the process is killed or ended by a signal that it does not trap.
   */
  readonly terminate?: (reason: ExitReason, state: State, ctx: Context<P>) => unknown;
  /** What crash reports and `sys` show of the state; default the state itself. Leave secrets out here. */
  readonly formatStatus?: (state: State) => unknown;
  /**
   * The state for the code of this definition, made from the state of an older one; see `sys.changeCode`. Default: the
   * state stays as it is. Not async.
   */
  readonly codeChange?: (oldVersion: any, state: any, extra: any) => State;
  /** One clause per tag of each section of the protocol; a table is required as soon as its section has a tag. */
  readonly handleCall?: CallClauses<P, State>;
  readonly handleCast?: Clauses<P, 'cast', State>;
  /** Plain messages, and those of the runtime: `SystemInfo`. What has no clause is published and dropped. */
  readonly handleInfo?: Clauses<P, 'info', State> & SystemClauses<P, State>;
  /** What `continueWith` brings. */
  readonly handleContinue?: Clauses<P, 'continue', State>;
} & { readonly [K in RequiredTable<P>]: unknown };

/** The callbacks as the loop uses them. */
export interface ServerDefinition {
  readonly initialCall: string;
  /** A server of the runtime, whose state only its own init can make: nobody enters it, and it keeps its code. */
  readonly sealed: boolean;
  readonly init: (start: any, ctx: any) => unknown;
  readonly handleCall: ClauseTable;
  readonly handleCast: ClauseTable;
  readonly handleInfo: ClauseTable;
  readonly handleContinue: ClauseTable;
  readonly terminate: ((reason: ExitReason, state: any, ctx: any) => unknown) | undefined;
  readonly formatStatus: ((state: any) => unknown) | undefined;
  readonly codeChange: ((oldVersion: unknown, state: any, extra: unknown) => unknown) | undefined;
}

/**
 * Defines a server (gen_server). Put it at the top of a module and export it under `exportName`, so that other threads
 * can import it:
 *
 *     export const Counter: GenServer<CounterProtocol, number> = genServer(import.meta, 'Counter', { … });
 *
 * Handlers return `reply`, `noreply`, `stop` or `stopReply`. A throw, a rejection, any other result
 * (`bad_return_value`) or a call or cast without a clause ends the process after `terminate`; an info message without a
 * clause is published on `beamish:unexpected-message` and dropped. Throws `BadArgError` if the callbacks are malformed.
 */
export function genServer<P extends Protocol, Start, State>(
  meta: ModuleMeta,
  exportName: string,
  callbacks: GenServerCallbacks<P, Start, State>,
): GenServer<P, Start> {
  return define(meta, exportName, callbacks, false);
}

/** A server of the runtime itself; see `ServerDefinition.sealed`. */
export function sealedServer<P extends Protocol, Start, State>(
  meta: ModuleMeta,
  exportName: string,
  callbacks: GenServerCallbacks<P, Start, State>,
): GenServer<P, Start> {
  return define(meta, exportName, callbacks, true);
}

function define(meta: ModuleMeta, exportName: string, callbacks: object, sealed: boolean): Behaviour {
  checkDefinition('genServer', meta, exportName, callbacks, ['terminate', 'formatStatus', 'codeChange']);
  const definition = serverDefinition(exportName, callbacks as GenServerCallbacks<any, any, any>, sealed);
  return Object.freeze({
    module: meta.url,
    exportName,
    createRunner: (kernel, start) => new GenServerLoop(kernel, definition, start),
  } satisfies Behaviour);
}

/** The callbacks as the loop uses them. */
export function serverDefinition<P extends Protocol, Start, State>(
  exportName: string,
  callbacks: GenServerCallbacks<P, Start, State>,
  sealed: boolean,
): ServerDefinition {
  const server = `genServer '${exportName}'`;
  const loose = callbacks as GenServerCallbacks<any, any, any>;
  return {
    initialCall: exportName,
    sealed,
    init: loose.init,
    handleCall: clauseTable(server, 'handleCall', loose.handleCall),
    handleCast: clauseTable(server, 'handleCast', loose.handleCast),
    handleInfo: clauseTable(server, 'handleInfo', loose.handleInfo),
    handleContinue: clauseTable(server, 'handleContinue', loose.handleContinue),
    terminate: loose.terminate,
    formatStatus: loose.formatStatus,
    codeChange: loose.codeChange,
  };
}
