/** A server whose callbacks do what the message says: a test writes each step where it sends it. */

import assert from 'node:assert/strict';
import {
  type Call,
  type Context,
  type ExitReason,
  type GenServer,
  genServer,
  isErrorExit,
  noreply,
  type Pid,
  reply,
} from '../../runtime/index.ts';
import { type TestSystem, watch } from './test-system.ts';

/** What a callback does; its result is the result of the callback, `noreply` if it has none. */
export type Step = (state: Start, ctx: Context) => unknown;

export interface StepProtocol {
  readonly call: { readonly step: Call<Step, unknown>; readonly log: Call<void, readonly unknown[]> };
  readonly cast: { readonly step: Step; readonly note: unknown };
  readonly info: { readonly step: Step };
  readonly continue: { readonly step: Step; readonly note: unknown };
}

interface Start {
  readonly log: unknown[];
  readonly trapExit?: boolean;
  readonly terminate?: (reason: ExitReason, ctx: Context) => unknown;
}
type State = Start;

const run = (state: State, step: Step, ctx: Context): any => step(state, ctx) ?? noreply(state);
const note = (state: State, text: unknown): any => {
  state.log.push(text);
  return noreply(state);
};

const SteppingServer: GenServer<StepProtocol, Start> = genServer(import.meta, 'SteppingServer', {
  init: (start: Start, ctx) => {
    ctx.trapExit(start.trapExit ?? false);
    return start;
  },
  handleCall: { step: run, log: (state: State) => reply(state.log as readonly unknown[], state) },
  handleCast: { step: run, note },
  handleInfo: {
    step: run,
    timeout: (state: State) => note(state, 'timeout'),
    EXIT: (state: State, { from, reason }) => note(state, ['EXIT', from, reason]),
  },
  handleContinue: { step: run, note },
  terminate: (reason, state: State, ctx) => {
    state.log.push(['terminate', isErrorExit(reason) ? (reason.error as Error).message : reason]);
    return state.terminate?.(reason, ctx);
  },
});

export interface SteppingStart {
  readonly pid: Pid<StepProtocol>;
  /** What it noted: texts, EXIT messages, and `['terminate', reason]`. */
  readonly log: unknown[];
  /** The reasons of its exit; empty while it lives. */
  readonly reasons: readonly unknown[];
}

/** Starts one, linked to the opener, which traps exits, or to the given parent. */
export async function startStepping(
  system: TestSystem,
  start: Omit<Start, 'log'> = {},
  parent = system.opener,
): Promise<SteppingStart> {
  const log: unknown[] = [];
  const result = await parent.startLink(SteppingServer, { log, ...start });
  assert.ok(result !== 'ignore' && 'ok' in result);
  return { pid: result.ok, log, reasons: (await watch(system, result.ok)).reasons };
}
