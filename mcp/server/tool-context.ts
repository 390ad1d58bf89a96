import type { Clock, Context, Messaging } from '../../runtime/index.ts';
import type { JsonObject, RequestId } from '../json-rpc.ts';
import type { Era, ToolContext } from '../tool.ts';
import type { ToolRequest } from './request.ts';

type Report = (progress: number, total: number | undefined, message: string | undefined) => void;

/** What a tool sees of the process that runs it. */
export class RequestToolContext implements ToolContext {
  readonly requestId: RequestId;
  readonly session?: string;
  readonly era: Era;
  readonly clientCapabilities: JsonObject;
  readonly #ctx: Context;
  readonly #report: Report;
  #abort: AbortController | undefined;
  #closePort: (() => void) | undefined;

  constructor(ctx: Context, request: ToolRequest, era: Era, report: Report) {
    this.#ctx = ctx;
    this.#report = report;
    this.requestId = request.id;
    if (request.session !== undefined) this.session = request.session.id;
    this.era = era;
    this.clientCapabilities = request.clientCapabilities;
  }

  /** Made on first use: most tools do not look at it, and it costs more than the rest of the context. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      const abort = new AbortController();
      this.#abort = abort;
      if (!this.#ctx.isAlive(this.#ctx.self)) abort.abort();
      // Its listeners are the tool's code: they run after the kernel has finished with the exit.
      else this.#closePort = this.#ctx.openPort({ close: (reason) => queueMicrotask(() => abort.abort(reason)) });
    }
    return this.#abort.signal;
  }

  /** The signal stays quiet from now on: there is nothing left to abort. */
  toolEnded(): void {
    this.#closePort?.();
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
