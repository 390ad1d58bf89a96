/** A state machine whose events say themselves what their clause does, and which keeps a list of what happened. */

import assert from 'node:assert/strict';
import {
  type Call,
  type CallContext,
  type Context,
  type ExitReason,
  type GenStatem,
  genStatem,
  initState,
  isErrorExit,
  keepStateAndData,
  type Pid,
  type StartOptions,
} from '../../runtime/index.ts';
import { type TestSystem, watch } from './test-system.ts';

/** What a clause sees. */
export interface StepSight {
  readonly state: unknown;
  readonly data: any;
  readonly ctx: CallContext<StepProtocol, any>;
}

/** The result of the clause; nothing is `keepStateAndData()`. */
export type Step = (at: StepSight) => unknown;

/** The payload of every event: what the list says of it, and what its clause does. */
export interface StepEvent {
  readonly name: string;
  readonly act?: Step | undefined;
}

export interface StepProtocol {
  readonly call: { readonly do: Call<StepEvent, unknown> };
  readonly cast: { readonly do: StepEvent };
  readonly info: { readonly do: StepEvent };
  readonly internal: { readonly do: StepEvent };
  readonly stateTimeout: { readonly do: StepEvent };
  readonly eventTimeout: { readonly do: StepEvent };
  readonly genericTimeout: { readonly x: StepEvent; readonly y: StepEvent };
  readonly state: unknown;
  readonly data: unknown;
}

export interface StepStart {
  readonly log: string[];
  readonly trapExit?: boolean;
  /** Default: the state `a` without data. */
  readonly init?: (ctx: Context) => unknown;
  /** The machine has `enter` clauses if this is given; those of states without an entry do nothing. */
  readonly enter?: Readonly<Record<string, Step>>;
  readonly terminate?: (reason: ExitReason, state: unknown, data: unknown, ctx: Context) => unknown;
}

/** An event for `nextEvent`, time-outs and messages. */
export function event(name: string, act?: Step): StepEvent {
  return { name, act };
}

/** What a machine is to do besides its events. */
const starts = new WeakMap<Pid, StepStart>();
const startOf = (ctx: Context): StepStart => starts.get(ctx.self) as StepStart;
const text = (state: unknown): string => (typeof state === 'string' ? state : JSON.stringify(state));

const init = (start: StepStart, ctx: Context): unknown => {
  starts.set(ctx.self, start);
  ctx.trapExit(start.trapExit ?? false);
  return start.init === undefined ? initState('a', undefined) : start.init(ctx);
};

const on =
  (type: string) =>
  (state: unknown, data: unknown, { name, act }: StepEvent, ctx: any): any => {
    startOf(ctx).log.push(`${type} ${name} in ${text(state)}`);
    return act?.({ state, data, ctx }) ?? keepStateAndData();
  };

const enter = (state: unknown, data: unknown, previous: unknown, ctx: any): any => {
  const start = startOf(ctx);
  start.log.push(`enter ${text(state)} from ${text(previous)}`);
  return start.enter?.[text(state)]?.({ state, data, ctx }) ?? keepStateAndData();
};

const terminate = (reason: ExitReason, state: unknown, data: unknown, ctx: Context): unknown => {
  const start = startOf(ctx);
  start.log.push(`terminate ${reasonText(reason)} in ${text(state)}`);
  return start.terminate?.(reason, state, data, ctx);
};

const clauses: any = {
  call: { do: on('call') },
  cast: { do: on('cast') },
  info: {
    do: on('info'),
    EXIT: (state: unknown, _data: unknown, { reason }: { reason: unknown }, ctx: Context) => {
      startOf(ctx).log.push(`info EXIT ${reasonText(reason)} in ${text(state)}`);
      return keepStateAndData();
    },
  },
  internal: { do: on('internal') },
  stateTimeout: { do: on('state_timeout') },
  eventTimeout: { do: on('timeout') },
  genericTimeout: { x: on('timeout:x'), y: on('timeout:y') },
};

export const StepMachine: GenStatem<StepProtocol, StepStart> = genStatem<any, any>(import.meta, 'StepMachine', {
  init: init as () => any,
  handleEvent: clauses,
  terminate,
});

export const EnteringMachine: GenStatem<StepProtocol, StepStart> = genStatem<any, any>(import.meta, 'EnteringMachine', {
  init: init as () => any,
  handleEvent: { ...clauses, enter },
  terminate,
});

/** `boom` for an error of that message, the term of a bad return, else the reason. */
export function reasonText(reason: unknown): string {
  if (!isErrorExit(reason)) return text(reason);
  const { error } = reason;
  if (typeof error !== 'object' || error === null) return String(error);
  return 'message' in error ? String(error.message) : String(Object.keys(error)[0]);
}

export interface StartedMachine {
  readonly pid: Pid<StepProtocol>;
  /** What happened so far. */
  readonly log: string[];
  /** The reason of its exit, when it has exited. */
  readonly reasons: readonly unknown[];
  cast(name: string, act?: Step): void;
  send(name: string, act?: Step): void;
  call(name: string, act?: Step): Promise<unknown>;
  /** What happened since the last time. */
  take(): string[];
}

/** Starts a machine linked to the opener, which traps exits. */
export async function startMachine(
  system: TestSystem,
  start: Omit<StepStart, 'log'> = {},
  options: StartOptions = {},
): Promise<StartedMachine> {
  const log: string[] = [];
  const machine = start.enter === undefined ? StepMachine : EnteringMachine;
  const result = await system.opener.startLink(machine, { ...start, log }, options);
  assert.ok(result !== 'ignore' && 'ok' in result, JSON.stringify(result));
  const pid = result.ok;
  return {
    pid,
    log,
    reasons: (await watch(system, pid)).reasons,
    cast: (name, act) => system.system.cast(pid, 'do', event(name, act)),
    send: (name, act) => system.system.send(pid, 'do', event(name, act)),
    call: (name, act) => system.system.call(pid, 'do', event(name, act)),
    take: () => log.splice(0),
  };
}
