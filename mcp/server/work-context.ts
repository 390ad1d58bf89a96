import type { Clock, Context, Messaging } from '../../runtime/index.ts';
import type { Principal } from '../authorization/principal.ts';
import type { InputQuestion } from '../input.ts';
import type { JsonObject, RequestId } from '../json-rpc.ts';
import type { Era, LogLevel, RequestContext, ServerAddress } from '../request-context.ts';
import type { WorkRequest } from './work-request.ts';

/** What the process of the request does for the code that runs in it. */
export interface WorkServices {
  progress(progress: number, total: number | undefined, message: string | undefined): void;
  log(level: LogLevel, data: unknown, logger: string | undefined): void;
  disconnect(retryMs: number | undefined): void;
  input(questions: { readonly [name: string]: InputQuestion }): Promise<any>;
}

/** What the code of a server sees of the process that runs it. */
export class WorkContext implements RequestContext {
  readonly requestId: RequestId;
  readonly server: ServerAddress;
  readonly session?: string;
  readonly principal?: Principal;
  readonly era: Era;
  readonly clientCapabilities: JsonObject;
  readonly #ctx: Context;
  readonly #services: WorkServices;
  #abort: AbortController | undefined;
  #closePort: (() => void) | undefined;

  constructor(
    ctx: Context,
    node: string,
    request: Pick<WorkRequest, 'id' | 'server' | 'session' | 'clientCapabilities' | 'principal'>,
    era: Era,
    services: WorkServices,
  ) {
    this.#ctx = ctx;
    this.#services = services;
    this.requestId = request.id;
    this.server = { node, name: request.server };
    if (request.session !== undefined) this.session = request.session.id;
    if (request.principal !== undefined) this.principal = request.principal;
    this.era = era;
    this.clientCapabilities = request.clientCapabilities;
  }

  /** Made on first use: most code does not look at it, and it costs more than the rest of the context. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      const abort = new AbortController();
      this.#abort = abort;
      if (!this.#ctx.isAlive(this.#ctx.self)) abort.abort();
      // Its listeners are the server's code: they run after the kernel has finished with the exit.
      else this.#closePort = this.#ctx.openPort({ close: (reason) => queueMicrotask(() => abort.abort(reason)) });
    }
    return this.#abort.signal;
  }

  /** The signal stays quiet from now on: there is nothing left to abort. */
  workEnded(): void {
    this.#closePort?.();
  }

  get clock(): Clock {
    return this.#ctx.clock;
  }

  // Bound when asked for, so that they may be taken out of the context: most code asks for one of them or none.

  get call(): Messaging['call'] {
    return (dest, tag, ...args) => this.#ctx.call(dest, tag, ...args);
  }

  get cast(): Messaging['cast'] {
    return (dest, tag, ...args) => this.#ctx.cast(dest, tag, ...args);
  }

  get whereis(): Messaging['whereis'] {
    return (name) => this.#ctx.whereis(name);
  }

  get progress(): RequestContext['progress'] {
    return (progress, total, message) => this.#services.progress(progress, total, message);
  }

  get log(): RequestContext['log'] {
    return (level, data, logger) => this.#services.log(level, data, logger);
  }

  get input(): RequestContext['input'] {
    return (questions) => this.#services.input(questions);
  }

  get disconnect(): RequestContext['disconnect'] {
    return (retryMs) => this.#services.disconnect(retryMs);
  }
}
