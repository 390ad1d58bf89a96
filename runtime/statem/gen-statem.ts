import { checkFunction, checkObject } from '../kernel/arguments.ts';
import type { Behaviour, ModuleMeta } from '../kernel/behaviour.ts';
import type { Context } from '../kernel/context.ts';
import { BadArgError } from '../kernel/errors.ts';
import type { ExitReason } from '../kernel/exit.ts';
import type { MaybePromise } from '../kernel/protocol.ts';
import { type ClauseTable, checkDefinition, clauseTable } from '../server/clause-table.ts';
import type { CallContext, SystemInfo } from '../server/gen-server.ts';
import type { InitRefusal } from '../server/server-result.ts';
import { GenStatemLoop } from './gen-statem-loop.ts';
import type { StatemClauses, StatemDefinition } from './statem-modules.ts';
import {
  EVENT_TYPES,
  type EventPayload,
  type EventReply,
  type EventTag,
  type EventType,
  type StatemProtocol,
} from './statem-protocol.ts';
import type { StatemEnterResult, StatemEventResult, StatemInit } from './statem-result.ts';

/** A state machine as data: what `child`, `ctx.start` and `ctx.spawn` take. */
export type GenStatem<P extends StatemProtocol = any, Start = void> = Behaviour<P, Start>;

/** A clause of one state. */
type Clause<P extends StatemProtocol, K extends EventType, T> = (
  data: P['data'],
  payload: ClausePayload<P, K, T>,
  ctx: ClauseContext<P, K, T>,
) => MaybePromise<StatemEventResult<P>>;

/** A clause for all states. */
type CommonClause<P extends StatemProtocol, K extends EventType, T> = (
  state: P['state'],
  data: P['data'],
  payload: ClausePayload<P, K, T>,
  ctx: ClauseContext<P, K, T>,
) => MaybePromise<StatemEventResult<P>>;

type ClausePayload<P, K extends EventType, T> =
  T extends EventTag<P, K> ? EventPayload<P, K, T> : T extends keyof SystemInfo ? SystemInfo[T] : never;
type ClauseContext<P extends StatemProtocol, K, T> = K extends 'call' ? CallContext<P, EventReply<P, T>> : Context<P>;
/** The tags a table may have: those of the protocol, and messages of the runtime. */
type ClauseTag<P, K extends EventType> = K extends 'info' ? EventTag<P, K> | keyof SystemInfo : EventTag<P, K>;

/** Events from outside and generic time-outs may come in any state: each has a clause, or all have one in common. */
type Table<P extends StatemProtocol, K extends EventType, Common> = {
  readonly [T in Exclude<EventTag<P, K>, Common>]: Clause<P, K, T>;
} & OwnTable<P, K>;
/** A machine brings these on itself, in the states that expect them. */
type OwnTable<P extends StatemProtocol, K extends EventType> = { readonly [T in ClauseTag<P, K>]?: Clause<P, K, T> };
type CommonTable<P extends StatemProtocol, K extends EventType> = {
  readonly [T in EventTag<P, K>]?: CommonClause<P, K, T>;
};
type Needed<P, K extends EventType, Common> = [Exclude<EventTag<P, K>, Common>] extends [never] ? never : K;

/** The clauses of one state, by type of event. */
type StateClauses<P extends StatemProtocol, Calls, Casts, Infos, Generic> = {
  /**
   * Runs when the machine has come to the state, before any event: at the start (`previous` is the state itself), after
   * a change, and after `repeatState`. It may not change the state, postpone or insert events (gen_statem, "State Enter
   * Calls").
   */
  readonly enter?: (data: P['data'], previous: P['state'], ctx: Context<P>) => MaybePromise<StatemEnterResult<P>>;
  readonly call?: Table<P, 'call', Calls>;
  readonly cast?: Table<P, 'cast', Casts>;
  readonly info?: Table<P, 'info', Infos>;
  readonly internal?: OwnTable<P, 'internal'>;
  readonly stateTimeout?: OwnTable<P, 'stateTimeout'>;
  readonly eventTimeout?: OwnTable<P, 'eventTimeout'>;
  readonly genericTimeout?: Table<P, 'genericTimeout', Generic>;
} & {
  readonly [K in
    | Needed<P, 'call', Calls>
    | Needed<P, 'cast', Casts>
    | Needed<P, 'info', Infos>
    | Needed<P, 'genericTimeout', Generic>]: unknown;
};

/** Clauses for all states, by type of event. */
interface CommonClauses<
  P extends StatemProtocol,
  Calls extends string,
  Casts extends string,
  Infos extends string,
  Generic extends string,
> {
  /** For states without an `enter` of their own. */
  readonly enter?: (
    state: P['state'],
    data: P['data'],
    previous: P['state'],
    ctx: Context<P>,
  ) => MaybePromise<StatemEnterResult<P>>;
  readonly call?: { readonly [T in Calls]: CommonClause<P, 'call', T> };
  readonly cast?: { readonly [T in Casts]: CommonClause<P, 'cast', T> };
  readonly info?: { readonly [T in Infos]: CommonClause<P, 'info', T> };
  readonly internal?: CommonTable<P, 'internal'>;
  readonly stateTimeout?: CommonTable<P, 'stateTimeout'>;
  readonly eventTimeout?: CommonTable<P, 'eventTimeout'>;
  readonly genericTimeout?: { readonly [T in Generic]: CommonClause<P, 'genericTimeout', T> };
}

type NamedState<S> = string extends S ? never : Extract<S, string>;
type OtherState<S> = string extends S ? S : Exclude<S, string>;
type FromAnywhere = 'call' | 'cast' | 'info' | 'genericTimeout';

/** Each state that is a string of its own needs its table; of all others `handleEvent` must know every event. */
type Complete<P extends StatemProtocol> = ([NamedState<P['state']>] extends [never]
  ? unknown
  : { readonly states: unknown }) &
  ([OtherState<P['state']>] extends [never]
    ? unknown
    : {
        readonly handleEvent: {
          readonly [K in FromAnywhere as [EventTag<P, K>] extends [never] ? never : K]: {
            readonly [T in EventTag<P, K>]: unknown;
          };
        };
      });

/** The callbacks of a machine (gen_statem, "Callback Functions"). All but the last two may be async. */
export type GenStatemCallbacks<
  P extends StatemProtocol,
  Start,
  Calls extends string = never,
  Casts extends string = never,
  Infos extends string = never,
  Generic extends string = never,
> = {
  /** `initState(state, data, actions)`, `ignore()` or `stopInit(reason)`. A throw fails the start. */
  readonly init: (start: Start, ctx: Context<P>) => MaybePromise<StatemInit<P> | InitRefusal>;
  /** The clauses of each state that is a string (state_functions), but for events that `handleEvent` knows. */
  readonly states?: { readonly [S in P['state'] & string]: StateClauses<P, Calls, Casts, Infos, Generic> };
  /** Clauses for events that the state has none for, and for states that are no strings (handle_event_function). */
  readonly handleEvent?: CommonClauses<P, Calls, Casts, Infos, Generic>;
  /**
   * Cleans up before the exit: after a `stop` result, a throw in a callback, or, if the process traps exits, the exit
   * signal of its parent. Not run when the process is killed or ended by a signal that it does not trap.
   */
  readonly terminate?: (reason: ExitReason, state: P['state'], data: P['data'], ctx: Context<P>) => unknown;
  /** What crash reports and `sys` show; default `{ state, data }`. Leave secrets out here. */
  readonly formatStatus?: (state: P['state'], data: P['data']) => unknown;
  /** State and data for this code, made from those of an older one; see `sys.changeCode`. Default: as they are. */
  readonly codeChange?: (
    oldVersion: any,
    state: any,
    data: any,
    extra: any,
  ) => { readonly state: P['state']; readonly data: P['data'] };
} & Complete<P>;

type LooseFunction = (...args: any[]) => unknown;

/**
 * Defines a state machine (gen_statem). Put it at the top of a module and export it under `exportName`:
 *
 *     export const Door: GenStatem<DoorProtocol, Code> = genStatem(import.meta, 'Door', {
 *       init: (code) => initState('locked', { code }),
 *       states: {
 *         locked: { cast: { button: (data, digit) => nextState('open', data, stateTimeout(10_000, 'lock')) } },
 *         open: { cast: { button: () => keepStateAndData('postpone') }, stateTimeout: { lock: … } },
 *       },
 *     });
 *
 * Clauses return `nextState`, `keepState`, `keepStateAndData`, `repeatState`, `repeatStateAndData`, `stopAndReply`, or
 * `stop(reason, data)`. A throw, a rejection, any other result (`{ error: { bad_return_from_state_function } }`), a
 * wrong action (`bad_action_from_state_function`) or an event without a clause ends the process after `terminate`; an
 * info message without a clause is published on `beamish:unexpected-message` and dropped. A call that no action answers
 * stays open until `replyTo` answers it, here or in another process. Throws `BadArgError` if the callbacks are
 * malformed.
 */
export function genStatem<
  P extends StatemProtocol,
  Start,
  Calls extends EventTag<P, 'call'> = never,
  Casts extends EventTag<P, 'cast'> = never,
  Infos extends ClauseTag<P, 'info'> = never,
  Generic extends EventTag<P, 'genericTimeout'> = never,
>(
  meta: ModuleMeta,
  exportName: string,
  callbacks: GenStatemCallbacks<P, Start, Calls, Casts, Infos, Generic>,
): GenStatem<P, Start> {
  checkDefinition('genStatem', meta, exportName, callbacks, ['terminate', 'formatStatus', 'codeChange']);
  const loose = callbacks as GenStatemCallbacks<any, any>;
  const { states: tables = {} } = loose as { readonly states?: object };
  checkObject(tables, `genStatem '${exportName}': states`);
  const states = Object.entries(tables as Record<string, object>);
  const definition: StatemDefinition = {
    init: loose.init,
    states: new Map(states.map(([state, tables]) => [state, clausesOf(exportName, `states.${state}`, tables)])),
    handleEvent: clausesOf(exportName, 'handleEvent', loose.handleEvent),
    terminate: loose.terminate,
    formatStatus: loose.formatStatus,
    codeChange: loose.codeChange,
  };
  return Object.freeze({
    module: meta.url,
    exportName,
    createRunner: (kernel, start) => new GenStatemLoop(kernel, definition, start),
  } satisfies GenStatem<P, Start>);
}

function clausesOf(machine: string, where: string, tables: object = {}): StatemClauses {
  checkObject(tables, `genStatem '${machine}': ${where}`);
  const { enter, ...others } = tables as { readonly enter?: LooseFunction } & Record<string, object | undefined>;
  if (enter !== undefined) checkFunction(enter, `genStatem '${machine}': ${where}.enter`);
  for (const type of Object.keys(others)) {
    if (EVENT_TYPES.includes(type as EventType)) continue;
    throw new BadArgError(`genStatem '${machine}': ${where}.${type} is no type of event; there are ${EVENT_TYPES}`);
  }
  const clauses = Object.fromEntries(
    EVENT_TYPES.map((type) => [type, clauseTable(`genStatem '${machine}'`, `${where}.${type}`, others[type])]),
  );
  return { enter, clauses: clauses as Record<EventType, ClauseTable> };
}
