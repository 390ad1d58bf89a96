import {
  type Call,
  CallError,
  type Context,
  continueWith,
  type GenServer,
  genServer,
  type HandlerResult,
  type InitOk,
  type InitResult,
  ignore,
  initOk,
  type MaybePromise,
  NotTransferableError,
  noreply,
  type Pid,
  stop,
} from '../../runtime/index.ts';
import { McpError } from '../errors.ts';
import type { McpLimits } from '../limits.ts';
import type { LogLevel } from '../request-context.ts';
import { revisionOf } from '../revision/registry.ts';
import type { Catalog } from './catalog.ts';
import type { Claims } from './claims.ts';
import { type ImportedCatalog, importedCatalog, type WorkBounds } from './imported-catalog.ts';
import { findJob, METHOD_OF } from './jobs.ts';
import type { Job } from './methods/outcome.ts';
import { portable } from './portable.ts';
import type { CodeSource } from './tool-module.ts';
import { WorkContext, type WorkServices } from './work-context.ts';
import type { WorkRequest } from './work-request.ts';

/** What a thread must know to run the code of a request: plain data. */
export interface WorkStart {
  readonly node: string;
  readonly source: CodeSource;
  /** Who has it may begin; see `Claims`. */
  readonly ticket: number;
  /** The process that answers. */
  readonly asking: Pid<AskingProtocol>;
  readonly request: Pick<
    WorkRequest,
    'server' | 'version' | 'id' | 'work' | 'session' | 'clientCapabilities' | 'principal'
  >;
}

/** What the work sends to the process that answers. */
export interface AskingProtocol {
  readonly call: {
    readonly bounds: Call<void, WorkBounds>;
    /** `ctx.input`: the questions by name. */
    readonly input: Call<object, InputAnswered>;
  };
  readonly info: {
    readonly returned: unknown;
    readonly thrown: unknown;
    /** The `McpError` that it has thrown: classes do not cross threads. */
    readonly refused: { readonly code: number; readonly message: string; readonly data: unknown };
    readonly progress: readonly [progress: number, total: number | undefined, message: string | undefined];
    readonly log: readonly [level: LogLevel, data: unknown, logger: string | undefined];
    readonly disconnect: number | undefined;
  };
}

/** What came of `ctx.input`; its errors as data, since classes do not cross. */
export type InputAnswered =
  | { readonly answers: object }
  | { readonly refused: { readonly code: number; readonly message: string; readonly data: unknown } }
  | { readonly wrong: string };

/** An error of `ctx.input` as data. */
export function refusalOf(error: Error): InputAnswered {
  if (!(error instanceof McpError)) return { wrong: error.message };
  const { code, message, data } = error;
  return { refused: { code, message, data } };
}

interface WorkProtocol {
  readonly info: { readonly settled: readonly ['returned' | 'thrown', unknown] };
  readonly continue: { readonly run: void };
}

interface State {
  readonly start: WorkStart;
  readonly job: Job;
  readonly claims: Claims;
  context: WorkContext | undefined;
}

/**
 * The code of a server at work for one request, on another thread than the request: an endless loop there costs this
 * thread, not the node. Linked to its request, each ends with the other's failure; what the code leaves behind is
 * blamed on this process.
 */
export const WorkRunner: GenServer<WorkProtocol, WorkStart> = genServer(import.meta, 'WorkRunner', {
  init(start, ctx): MaybePromise<InitResult<State>> {
    const { node, source, asking } = start;
    const { work, id, server } = start.request;
    const request = typeof id === 'number' ? id : JSON.stringify(id);
    ctx.setLabel(`${METHOD_OF[work.kind]} ${work.name}, request ${request}, at work`);
    const bounds = (): Promise<WorkBounds> => ctx.call(asking, 'bounds');
    const begin = ({ catalog, limits, claims }: ImportedCatalog): InitOk<State> =>
      initOk({ start, job: jobOf(start, catalog, limits), claims, context: undefined }, continueWith('run'));
    const imported = importedCatalog(node, server, source, work.name, bounds);
    return imported instanceof Promise ? imported.then(begin, unasked) : begin(imported as ImportedCatalog);
  },
  handleContinue: { run: (state, _payload, ctx) => run(state, ctx) },
  handleInfo: {
    settled: (state, [how, value], ctx) =>
      how === 'returned' ? returned(state, value, ctx) : thrown(state, value, ctx),
  },
});

/** The request has gone on with another thread, or has ended. */
function unasked(error: unknown): InitResult<State> {
  if (error instanceof CallError) return ignore();
  throw error;
}

/** Whoever started this has found it already, in a catalog of the same server. */
function jobOf({ request: { work, version } }: WorkStart, catalog: Catalog, limits: McpLimits): Job {
  // It was granted where the request is.
  const asked = { work, catalogVersion: catalog.version, granted: undefined };
  const job = findJob(asked, catalog, revisionOf(version)!, limits);
  if ('kind' in job) throw new Error('the module of the server is not the one that it was started with');
  return job;
}

type Ctx = Context<WorkProtocol>;
type Result = HandlerResult<State>;

/** What the code asks for goes to the process that answers. */
class FarServices implements WorkServices {
  private readonly asking: Pid<AskingProtocol>;
  private readonly ctx: Ctx;

  constructor(asking: Pid<AskingProtocol>, ctx: Ctx) {
    this.asking = asking;
    this.ctx = ctx;
  }

  progress(...report: AskingProtocol['info']['progress']): void {
    this.tell('progress', report);
  }

  log(level: LogLevel, data: unknown, logger: string | undefined): void {
    this.tell('log', [level, portable(data), logger]);
  }

  disconnect(retryMs: number | undefined): void {
    this.tell('disconnect', retryMs);
  }

  async input(questions: object): Promise<any> {
    const asked = this.ctx.call<AskingProtocol, 'input'>(this.asking, 'input', questions, { timeoutMs: 'infinity' });
    const answered = await asked;
    if ('answers' in answered) return answered.answers;
    if ('wrong' in answered) throw new TypeError(answered.wrong);
    throw new McpError(answered.refused.code, answered.refused.message, answered.refused.data);
  }

  /** Nobody listens to work that has ended. */
  private tell(tag: 'progress' | 'log' | 'disconnect', payload: any): void {
    const { ctx } = this;
    if (ctx.isAlive(ctx.self)) ctx.send<AskingProtocol, typeof tag>(this.asking, tag, payload);
  }
}

function run(state: State, ctx: Ctx): Result {
  const { node, asking, request, ticket } = state.start;
  // Another thread does it already: this one has let it wait.
  if (!state.claims.take(ticket)) return stop('normal', state);
  const context = new WorkContext(ctx, node, request, revisionOf(request.version)!.era, new FarServices(asking, ctx));
  state.context = context;
  // The answers of other requests must not wait for code that may never yield, or end its thread.
  ctx.flush();
  let result: unknown;
  try {
    result = state.job.run(context);
  } catch (error) {
    return thrown(state, error, ctx);
  }
  if (typeof (result as { then?: unknown } | null)?.then !== 'function') return returned(state, result, ctx);
  const deliver = (how: 'returned' | 'thrown', value: unknown): void => {
    if (ctx.isAlive(ctx.self)) ctx.send(ctx.self, 'settled', [how, value] as const);
  };
  Promise.resolve(result).then(
    (value) => deliver('returned', value),
    (error: unknown) => deliver('thrown', error),
  );
  return noreply(state);
}

function returned(state: State, value: unknown, ctx: Ctx): Result {
  try {
    ctx.send(state.start.asking, 'returned', value);
  } catch (error) {
    if (error instanceof NotTransferableError) return thrown(state, error, ctx);
    throw error;
  }
  return end(state);
}

/** The request answers, and names the culprit in the reports. */
function thrown(state: State, error: unknown, ctx: Ctx): Result {
  const { asking } = state.start;
  if (error instanceof McpError) {
    const { code, message, data } = error;
    ctx.send(asking, 'refused', { code, message, data: portable(data) });
  } else ctx.send(asking, 'thrown', portable(error));
  return end(state);
}

function end(state: State): Result {
  state.context?.workEnded();
  return stop('normal', state);
}
