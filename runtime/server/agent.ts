import { checkFunction } from '../kernel/arguments.ts';
import type { CallOptions, Context, Messaging, StartOptions } from '../kernel/context.ts';
import type { Dest, Name } from '../kernel/pid.ts';
import type { StartResult } from '../kernel/process.ts';
import { type Call, isPromise, type MaybePromise } from '../kernel/protocol.ts';
import type { ViaName } from '../kernel/via.ts';
import { type ChildOptions, type ChildSpec, child } from '../supervisor/child-spec.ts';
import { type GenServer, genServer } from './gen-server.ts';
import { type HandlerResult, type InitOk, initOk, noreply, reply, ServerResult, stop } from './server-result.ts';

/** What an agent with that state understands; reached through the functions of `agent`. */
export interface AgentProtocol<State = any> {
  readonly call: {
    readonly get: Call<(state: State) => unknown, unknown>;
    readonly getAndUpdate: Call<(state: State) => unknown, unknown>;
    readonly update: Call<(state: State) => MaybePromise<State>, 'ok'>;
  };
  readonly cast: { readonly cast: (state: State) => MaybePromise<State> };
}

/** How an agent gets its state: a function that runs in the agent when it starts, and at each restart. */
export type AgentInit<State> = () => MaybePromise<State>;

type Caller = Pick<Messaging, 'call'>;

/**
 * Agents: a state in a process of its own, for functions that read and change it, one after another (Elixir's Agent).
 * The functions run in the agent and on its thread, so they are closures of the module that gives them; each may be
 * async, and the next waits for it. What a function throws ends the agent, and the call rejects with `CallError` as any
 * call does, `ERR_CALL_TIMEOUT` included: the function goes on then. What is no function throws `BadArgError` in the
 * caller. An agent is stopped as any server is.
 */
export interface Agent {
  /** The specification of an agent. Options as for `child`; the id defaults to `Agent`. */
  child<State>(
    init: AgentInit<State>,
    options?: Omit<ChildOptions, 'name'> & {
      readonly name?: Name<AgentProtocol<State>> | ViaName<AgentProtocol<State>>;
    },
  ): ChildSpec;
  /** Starts an agent. A throw of `init` fails the start. See `Context.start`. */
  start<State>(
    ctx: Pick<Context, 'start'>,
    init: AgentInit<State>,
    options?: StartOptions,
  ): Promise<StartResult<AgentProtocol<State>>>;
  /** As `start`, linked (Agent.start_link/2). */
  startLink<State>(
    ctx: Pick<Context, 'startLink'>,
    init: AgentInit<State>,
    options?: StartOptions,
  ): Promise<StartResult<AgentProtocol<State>>>;
  /** What the function makes of the state, which stays as it is (Agent.get/3). */
  get<State, Value>(
    caller: Caller,
    dest: Dest<AgentProtocol<State>>,
    read: (state: State) => MaybePromise<Value>,
    options?: CallOptions,
  ): Promise<Value>;
  /**
   * Gets and changes in one step (Agent.get_and_update/3): the function returns `reply(value, state)`. Any other result
   * ends the agent with `{ bad_return_value }`.
   */
  getAndUpdate<State, Value>(
    caller: Caller,
    dest: Dest<AgentProtocol<State>>,
    change: (state: State) => MaybePromise<ServerResult<'reply', Value, State>>,
    options?: CallOptions,
  ): Promise<Value>;
  /** Changes the state, and settles when that is done (Agent.update/3). */
  update<State>(
    caller: Caller,
    dest: Dest<AgentProtocol<State>>,
    change: (state: State) => MaybePromise<State>,
    options?: CallOptions,
  ): Promise<'ok'>;
  /** Changes the state some time; never fails (Agent.cast/2). */
  cast<State>(
    caller: Pick<Messaging, 'cast'>,
    dest: Dest<AgentProtocol<State>>,
    change: (state: State) => MaybePromise<State>,
  ): void;
}

/** The behaviour of every agent. */
export const AgentServer: GenServer<AgentProtocol, AgentInit<unknown>> = genServer(import.meta, 'AgentServer', {
  // Through `initOk`, since any value may be a state.
  init: (init): MaybePromise<InitOk<unknown>> => then(init(), (state) => initOk(state)),
  handleCall: {
    get: (state, read) => then(read(state), (value) => reply(value, state)),
    getAndUpdate: (state, change) => then(change(state), (result) => changed(result, state)),
    update: (state, change) => then(change(state), (next) => reply('ok' as const, next)),
  },
  handleCast: { cast: (state, change) => then(change(state), (next) => noreply(next)) },
});

function changed(result: unknown, state: unknown): ServerResult<'reply', unknown, unknown> | HandlerResult<unknown> {
  const isReply = result instanceof ServerResult && result.kind === 'reply' && result.next === null;
  return isReply ? reply(result.value, result.state) : stop({ bad_return_value: result }, state);
}

function then<Value, Next>(value: MaybePromise<Value>, next: (value: Value) => Next): MaybePromise<Next> {
  return isPromise(value) ? (value as PromiseLike<Value>).then(next) : next(value as Value);
}

/** See `Agent`. */
export const agent: Agent = Object.freeze<Agent>({
  child: (init, options = {}) => child(AgentServer, checked(init, 'init'), { id: 'Agent', ...options }),
  start: (ctx, init, options) => ctx.start(AgentServer, checked(init, 'init'), options),
  startLink: (ctx, init, options) => ctx.startLink(AgentServer, checked(init, 'init'), options),
  get: (caller, dest, read, options = {}) => caller.call(dest as Dest, 'get', checked(read, 'get'), options),
  getAndUpdate: (caller, dest, change, options = {}) =>
    caller.call(dest as Dest, 'getAndUpdate', checked(change, 'getAndUpdate'), options),
  update: (caller, dest, change, options = {}) =>
    caller.call(dest as Dest, 'update', checked(change, 'update'), options),
  cast: (caller, dest, change) => caller.cast(dest as Dest, 'cast', checked(change, 'cast')),
});

/** Here, in its caller: the agent would end of it. */
function checked<F>(run: F, what: string): F {
  checkFunction(run, `agent: the function of ${what}`);
  return run;
}
