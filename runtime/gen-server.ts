import type { Behaviour, ModuleMeta } from './behaviour.ts';
import type { Context } from './context.ts';
import type { ExitReason } from './exit.ts';
import { GenServerLoop } from './gen-server-loop.ts';
import type { From, Pid, Ref } from './pid.ts';
import type { CallPayload, CallReply, CallTag, MaybePromise, Payload, Protocol, Tag } from './protocol.ts';
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
  /** A monitored process exited. `object` is the pid, or the name that was monitored. */
  readonly DOWN: {
    readonly ref: Ref;
    readonly type: 'process';
    readonly object: Pid | string;
    readonly reason: ExitReason;
  };
  /** Nothing came within `idleTimeout`: undefined; or a `startTimer` fired: its ref and message. */
  readonly timeout: undefined | { readonly ref: Ref; readonly message: unknown };
  /** A table was inherited. */
  readonly 'ETS-TRANSFER': { readonly table: string; readonly from: Pid };
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
  /** One clause per tag of each section of the protocol; a table is required as soon as its section has a tag. */
  readonly handleCall?: CallClauses<P, State>;
  readonly handleCast?: Clauses<P, 'cast', State>;
  readonly handleInfo?: Clauses<P, 'info', State> & SystemClauses<P, State>;
  readonly handleContinue?: Clauses<P, 'continue', State>;
} & { readonly [K in RequiredTable<P>]: unknown };

/** A clause table without a prototype: a tag `constructor` from outside must find nothing. */
export type ClauseTable = Readonly<Record<string, ((state: any, payload: any, ctx: any) => unknown) | undefined>>;

/** The callbacks as the loop uses them. */
export interface ServerDefinition {
  readonly initialCall: string;
  readonly init: (start: any, ctx: any) => unknown;
  readonly handleCall: ClauseTable;
  readonly handleCast: ClauseTable;
  readonly handleInfo: ClauseTable;
  readonly handleContinue: ClauseTable;
  readonly terminate: ((reason: ExitReason, state: any, ctx: any) => unknown) | undefined;
  readonly formatStatus: ((state: any) => unknown) | undefined;
}

/**
 * Defines a server (gen_server). Put it at the top of a module and export it under `exportName`, so that other threads
 * can import it:
 *
 *     export const Counter: GenServer<CounterProtocol, number> = genServer(import.meta, 'Counter', { … });
 *
 * Handlers return `reply`, `noreply`, `stop` or `stopReply`. A throw, a rejection, any other result
 * (`bad_return_value`) or a call or cast without a clause ends the process after `terminate`; an info message without a
 * clause is published on `beamish:unexpected-message` and dropped. Throws `TypeError` if the callbacks are malformed.
 */
export function genServer<P extends Protocol, Start, State>(
  meta: ModuleMeta,
  exportName: string,
  callbacks: GenServerCallbacks<P, Start, State>,
): GenServer<P, Start> {
  if (typeof callbacks?.init !== 'function') throw new TypeError(`genServer '${exportName}': init must be a function`);
  const loose = callbacks as GenServerCallbacks<any, any, any>;
  const definition: ServerDefinition = {
    initialCall: exportName,
    init: loose.init,
    handleCall: clauseTable(exportName, 'handleCall', loose.handleCall),
    handleCast: clauseTable(exportName, 'handleCast', loose.handleCast),
    handleInfo: clauseTable(exportName, 'handleInfo', loose.handleInfo),
    handleContinue: clauseTable(exportName, 'handleContinue', loose.handleContinue),
    terminate: loose.terminate,
    formatStatus: loose.formatStatus,
  };
  return Object.freeze({
    module: meta.url,
    exportName,
    createRunner: (kernel, start) => new GenServerLoop(kernel, definition, start),
  } satisfies GenServer<P, Start>);
}

function clauseTable(server: string, table: string, clauses: object | undefined): ClauseTable {
  const copy = Object.create(null) as Record<string, ClauseTable[string]>;
  for (const [tag, clause] of Object.entries(clauses ?? {})) {
    if (typeof clause !== 'function') throw new TypeError(`genServer '${server}': ${table}.${tag} must be a function`);
    copy[tag] = clause as ClauseTable[string];
  }
  return Object.freeze(copy);
}
