/** The gen_server that stands at every leaf of a scenario's tree, and what it tells about itself. */

import { channel } from 'node:diagnostics_channel';
import {
  type Call,
  type CallResult,
  type Context,
  type ExitReason,
  type GenServer,
  genServer,
  type HandlerResult,
  type InitResult,
  ignore,
  type MaybePromise,
  type Name,
  name,
  noreply,
  type Pid,
  type Ref,
  reply,
  stop,
  stopInit,
  stopReply,
} from '../../runtime/index.ts';
import { type Attempts, countAttempt } from './attempts.ts';
import { afterPause, type Pauses, pauses } from './jitter.ts';
import { joinPath, type StartOutcome, type WorkerNode } from './scenario.ts';

export interface WorkerProtocol {
  readonly call: {
    readonly ping: Call<void, string>;
    readonly calm: Call<void, boolean>;
    readonly stop: Call<ExitReason, never>;
    readonly stop_reply: Call<ExitReason, string>;
    readonly crash: Call<string, never>;
  };
  readonly cast: {
    readonly stop: ExitReason;
    readonly crash: string;
    readonly raise_exit: ExitReason;
    readonly exit_self: ExitReason;
    readonly buddy: ExitReason;
    readonly link: Pid;
    readonly unlink: Pid;
    readonly monitor: Pid;
    readonly demonitor: Pid;
    readonly link_dead: void;
    readonly monitor_dead: void;
  };
}

/** What the specification of a worker holds. Its id comes apart: dynamic children get theirs when they are started. */
export interface WorkerArg {
  readonly node: WorkerNode;
  readonly parent: string;
  readonly jitter: number;
  readonly attempts: Attempts;
}

interface State {
  readonly node: WorkerNode;
  readonly instance: string;
  readonly pauses: Pauses;
  /** The latest monitor of each watched process. */
  readonly monitors: Map<Pid, Ref>;
}

/** What a worker says about itself on `workerEvents`. */
export type WorkerEvent = { readonly system: string; readonly pid: Pid; readonly order: number } & (
  | { readonly kind: 'init'; readonly path: string; readonly attempt: number }
  | { readonly kind: 'ready'; readonly path: string }
  | { readonly kind: 'hold' }
  | { readonly kind: 'terminate'; readonly reason: ExitReason }
  | { readonly kind: 'mail'; readonly tag: 'EXIT' | 'DOWN'; readonly from: unknown; readonly reason: ExitReason }
);

export const workerEvents = 'oracle:worker';
/** The message that lets a held start go on. */
export const openTag = 'open';
const events = channel(workerEvents);

type Telling = WorkerEvent extends infer E
  ? E extends WorkerEvent
    ? Omit<E, 'system' | 'pid' | 'order'>
    : never
  : never;

/** Who publishes on the main thread what workers on other threads say; nobody if there are none. */
export const collectorName: Name<CollectorProtocol> = name('oracle collector');

export interface CollectorProtocol {
  readonly info: { readonly told: WorkerEvent };
}

/** Says something about a process, as a rule about itself. */
export function tell(ctx: Context, event: Telling, pid: Pid = ctx.self): void {
  const told = { system: ctx.system, pid, order: ctx.uniqueInteger(), ...event };
  if (ctx.whereis(collectorName) === undefined) events.publish(told);
  else ctx.send<CollectorProtocol, 'told'>(collectorName, 'told', told);
}

const slowMs = 8;
/** Longer than any shutdown time that is meant to run out, shorter than any that is not. */
const hangMs = 700;

type Handler<Payload> = (state: State, payload: Payload, ctx: Context) => MaybePromise<HandlerResult<State>>;

/** A handler that may be late. */
function late<Payload>(handle: Handler<Payload>): Handler<Payload> {
  return (state, payload, ctx) => afterPause(state.pauses(ctx), () => handle(state, payload, ctx));
}

/** A handler that does one thing and goes on. */
function does<Payload>(act: (payload: Payload, ctx: Context, state: State) => void): Handler<Payload> {
  return late((state, payload, ctx) => {
    act(payload, ctx, state);
    return noreply(state);
  });
}

function lateReply<Payload, Reply>(
  handle: (state: State, payload: Payload, ctx: Context) => CallResult<Reply, State>,
): (state: State, payload: Payload, ctx: Context) => MaybePromise<CallResult<Reply, State>> {
  return (state, payload, ctx) => afterPause(state.pauses(ctx), () => handle(state, payload, ctx));
}

function crash(message: string): never {
  throw new Error(message);
}

export const OracleWorker: GenServer<WorkerProtocol, readonly [WorkerArg, string]> = genServer(
  import.meta,
  'OracleWorker',
  {
    init([{ node, parent, jitter, attempts }, id]: readonly [WorkerArg, string], ctx): MaybePromise<InitResult<State>> {
      const path = joinPath(parent, id);
      const attempt = countAttempt(attempts, path);
      tell(ctx, { kind: 'init', path, attempt });
      ctx.trapExit(node.trap === true);
      const instance = `${path}#${attempt}`;
      const state: State = { node, instance, pauses: pauses(jitter, instance), monitors: new Map() };
      return afterPause(state.pauses(ctx), () => {
        const outcome: StartOutcome = node.plan?.[attempt - 1] ?? 'ok';
        if (outcome === 'error') return stopInit('start_error');
        if (outcome === 'shut') return stopInit({ shutdown: 'nope' });
        if (outcome === 'ignore') return ignore();
        if (outcome === 'crash') return crash('init_crash');
        if (outcome === 'hold') return held(ctx);
        tell(ctx, { kind: 'ready', path });
        return state;
      });
    },
    handleCall: {
      ping: lateReply((state) => reply(state.instance, state)),
      calm: lateReply((state, _nothing, ctx) => reply(hasNoSignalToCome(ctx), state)),
      stop: lateReply((state, reason) => stop(reason, state)),
      stop_reply: lateReply((state, reason) => stopReply(reason, 'stopping', state)),
      crash: lateReply((_state, reason: string) => crash(reason)),
    },
    handleCast: {
      stop: late((state, reason) => stop(reason, state)),
      crash: late((_state, reason: string) => crash(reason)),
      raise_exit: late((_state, reason, ctx) => ctx.exit(reason)),
      exit_self: does((reason, ctx) => ctx.exitProcess(ctx.self, reason)),
      buddy: does((reason, ctx) => {
        ctx.spawnLink(exitWith, reason);
      }),
      link: does((pid, ctx) => ctx.link(pid)),
      unlink: does((pid, ctx) => ctx.unlink(pid)),
      monitor: does((pid, ctx, { monitors }) => {
        monitors.set(pid, ctx.monitor(pid));
      }),
      demonitor: does((pid, ctx, { monitors }) => {
        const ref = monitors.get(pid);
        if (ref !== undefined) ctx.demonitor(ref, { flush: true });
        monitors.delete(pid);
      }),
      link_dead: late(async (state, _nothing, ctx) => {
        ctx.link(await deadPid(ctx));
        return noreply(state);
      }),
      monitor_dead: late(async (state, _nothing, ctx) => {
        ctx.monitor(await deadPid(ctx));
        return noreply(state);
      }),
    },
    handleInfo: {
      EXIT: does(({ from, reason }, ctx) => tell(ctx, { kind: 'mail', tag: 'EXIT', from, reason })),
      DOWN: does(({ object, reason }, ctx) => tell(ctx, { kind: 'mail', tag: 'DOWN', from: object, reason })),
    },
    terminate(reason, state: State, ctx) {
      tell(ctx, { kind: 'terminate', reason });
      return afterPause(state.pauses(ctx), () => {
        const { term = 'quick' } = state.node;
        if (term === 'exit') ctx.exit('weird');
        if (term === 'crash') crash('term_crash');
        // A receive that nothing matches is timer:sleep: the process waits, its mailbox fills.
        return term === 'quick' ? undefined : ctx.receive(() => false, term === 'slow' ? slowMs : hangMs);
      });
    },
  },
);

/** Whether all it is linked to lives, and all it monitors: else a signal is on its way to it, or in its mailbox. */
function hasNoSignalToCome(ctx: Context): boolean {
  const info = ctx.processInfo(ctx.self);
  return info !== undefined && [...info.links, ...info.monitors].every((pid) => ctx.isAlive(pid));
}

/** A start that waits until the gate is open, and then fails. */
async function held(ctx: Context): Promise<InitResult<State>> {
  tell(ctx, { kind: 'hold' });
  await ctx.receive(({ tag }) => tag === openTag, 'infinity');
  return stopInit('start_error');
}

function exitWith(reason: ExitReason, ctx: Context): never {
  return ctx.exit(reason);
}

function nothing(): void {}

/** A process that is certainly gone: its end was waited for. */
async function deadPid(ctx: Context): Promise<Pid> {
  const { pid, ref } = ctx.spawnMonitor(nothing, undefined);
  await ctx.receive(({ tag, payload }) => tag === 'DOWN' && (payload as { ref: Ref }).ref === ref, 'infinity');
  return pid;
}
