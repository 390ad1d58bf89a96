import type { Clock, Context, Messaging } from '../../runtime/index.ts';
import type { JsonObject, RequestId } from '../json-rpc.ts';
import type { Era, ToolContext } from '../tool.ts';
import type { ToolRequest } from './request.ts';

type Report = (progress: number, total: number | undefined, message: string | undefined) => void;

/** What a tool sees of the process that runs it. */
export class RequestToolContext implements ToolContext {
  readonly signal: AbortSignal;
  readonly requestId: RequestId;
  readonly session?: string;
  readonly era: Era;
  readonly clientCapabilities: JsonObject;
  readonly #ctx: Context;
  readonly #report: Report;

  constructor(ctx: Context, request: ToolRequest, era: Era, signal: AbortSignal, report: Report) {
    this.#ctx = ctx;
    this.#report = report;
    this.signal = signal;
    this.requestId = request.id;
    if (request.session !== undefined) this.session = request.session.id;
    this.era = era;
    this.clientCapabilities = request.clientCapabilities;
  }

  get clock(): Clock {
    return this.#ctx.clock;
  }

  // Arrow functions, so that a tool may take them out of the context.
  readonly call: Messaging['call'] = (dest, tag, ...args) => this.#ctx.call(dest, tag, ...args);
  readonly cast: Messaging['cast'] = (dest, tag, ...args) => this.#ctx.cast(dest, tag, ...args);
  readonly whereis: Messaging['whereis'] = (name) => this.#ctx.whereis(name);
  readonly progress = (progress: number, total?: number, message?: string): void =>
    this.#report(progress, total, message);
}
