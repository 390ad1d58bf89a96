/** What the process of a request does for the code that runs in it, or on another thread for it. */

import type { Context } from '../../runtime/index.ts';
import type { InputQuestion } from '../input.ts';
import type { LogLevel } from '../request-context.ts';
import { requestInput } from './carried-state.ts';
import { logNotification } from './log.ts';
import { progressNotification } from './progress.ts';
import type { RequestProtocol, RequestRun as State } from './request.ts';
import type { RequestInput } from './request-input.ts';
import { standStill } from './request-time.ts';
import type { WorkServices } from './work-context.ts';

type Ctx = Context<RequestProtocol>;

/** One object for all that the code may ask of its process: closures would be made for each request. */
export class RequestServices implements WorkServices {
  private readonly state: State;
  private readonly ctx: Ctx;

  constructor(state: State, ctx: Ctx) {
    this.state = state;
    this.ctx = ctx;
  }

  progress(progress: number, total: number | undefined, message: string | undefined): void {
    reportProgress(this.state, this.ctx, progress, total, message);
  }

  log(level: LogLevel, data: unknown, logger: string | undefined): void {
    log(this.state, level, data, logger);
  }

  input(questions: { readonly [name: string]: InputQuestion }): Promise<any> {
    return inputOf(this.state, this.ctx).ask(questions);
  }

  disconnect(retryMs: number | undefined): void {
    this.state.stream.disconnect(retryMs ?? this.state.limits.retryMs);
  }
}

export function inputOf(state: State, ctx: Ctx): RequestInput {
  if (state.input === undefined) {
    const { start, request, carried, stream } = state;
    const waits = (waiting: boolean): void => standStill(state, waiting, state.limits.inputTimeoutMs, ctx);
    state.input = requestInput(start, request, carried, stream, waits, ctx);
    if (!ctx.isAlive(ctx.self)) state.input.end();
  }
  return state.input;
}

export function log(state: State, level: LogLevel, data: unknown, logger: string | undefined): void {
  const notification = logNotification(level, data, logger, state.request.logLevel, state.limits);
  if (notification !== undefined) state.stream.before(notification);
}

export function reportProgress(
  state: State,
  ctx: Ctx,
  progress: number,
  total: number | undefined,
  message: string | undefined,
): void {
  const { progressToken } = state.request;
  if (progressToken === undefined) return;
  const nowMs = ctx.clock.now();
  const report = { progress, ...(total === undefined ? {} : { total }), ...(message === undefined ? {} : { message }) };
  const notification = progressNotification(progressToken, report, state.lastProgress, nowMs, state.limits);
  if (notification === undefined) return;
  state.lastProgress = { progress, atMs: nowMs };
  state.stream.before(notification);
}
