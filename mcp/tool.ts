import type { ArgumentsOf } from './arguments-of.ts';
import type { Icon, ToolResult } from './content.ts';
import { DefinitionError } from './errors.ts';
import type { RequestContext } from './request-context.ts';
import type { JsonSchema } from './schema/inspect.ts';

/** What a tool may do beside computing. */
export type ToolContext = RequestContext;

/** Hints about a tool; clients do not trust them. */
export interface ToolAnnotations {
  readonly title?: string;
  /** It changes nothing. Default false. */
  readonly readOnlyHint?: boolean;
  /** It may destroy. Default true; means nothing for a read-only tool. */
  readonly destructiveHint?: boolean;
  /** Calling it again with the same arguments changes nothing more. Default false. */
  readonly idempotentHint?: boolean;
  /** It deals with things outside, the web for instance. Default true. */
  readonly openWorldHint?: boolean;
}

/** Whether calls of a tool become tasks; see `ToolSpec`. */
export type TaskSupport = 'forbidden' | 'optional' | 'required';

/** What clients are told about a tool, and its bounds. */
export interface ToolSpec<S extends JsonSchema = JsonSchema> {
  /** A name for people. */
  readonly title?: string;
  readonly description: string;
  /**
   * JSON Schema of the arguments, 2020-12 or draft-07 by its `$schema`; its root must be `type: 'object'`. Patterns
   * run in linear time (no look-around, no back-references), `format` is not checked, remote references are refused.
   */
  readonly input: S;
  /** JSON Schema of `structuredContent`. Sessions-era clients see it only if its root is `type: 'object'`. */
  readonly output?: JsonSchema;
  readonly annotations?: ToolAnnotations;
  readonly icons?: readonly Icon[];
  /** Anything else that clients may want to know, by keys with a prefix. Revisions before 2025-06-18 do not have it. */
  readonly _meta?: { readonly [key: string]: unknown };
  /**
   * Where it runs. `'process'` (default): in a process on a worker thread, if the system has the thread group of the
   * node and the module of the server is known (`ServerSpec.module`), else on the main thread. `'isolated'`: each call
   * in a worker thread of its own, for code that must not share a heap; a start takes tens of milliseconds. `'main'`:
   * on the main thread, for code that needs what lives there; an endless loop there stops the node. `'compute'`: as a
   * job of the compute pool that the node names (`computePool`), for code that only computes: no process runs it, so
   * that of its context there is what it is told (`requestId`, `session`, `clock` …), while `call`, `progress`, `log`,
   * `input` and the like throw a `TypeError`; its deadline or cancellation ends it with its thread.
   */
  readonly run?: 'process' | 'isolated' | 'main' | 'compute';
  /**
   * Whether a call becomes a task: the client gets a handle at once, and asks for the result later. `'forbidden'`
   * (default): never. `'optional'`: for clients that know tasks (2026-07-28, extension
   * `io.modelcontextprotocol/tasks`), or that ask for one (2025-11-25, `params.task`); others wait for the result.
   * `'required'`: others are refused, with -32021 or, in sessions of 2025-11-25, with -32601. Older sessions have no
   * tasks: there a call is a call.
   */
  readonly task?: TaskSupport;
  /**
   * Of a tool whose calls become tasks: its first `ctx.input` comes before the task, as the answer to the call; with
   * the client's answers the call becomes a task. A call that ends without having asked is answered as usual. Default
   * false: the task asks. In sessions the task always asks.
   */
  readonly asksFirst?: boolean;
  /**
   * What the token of whoever calls it must grant (OAuth scopes). Over HTTP and TCP nobody else may, and without
   * authorization nobody has any; who is at this machine (stdio, memory, a Unix socket) may do everything. Default:
   * none are needed.
   */
  readonly scopes?: readonly string[];
  /** How long one call may take. Default and maximum: the limits `requestTimeoutMs` and `requestTimeoutMaxMs`. */
  readonly timeoutMs?: number;
}

/**
 * The arguments have been validated. A throw or a rejection becomes a result with `isError`; see `McpError` for
 * others.
 */
export type ToolFunction<Arguments = any> = (args: Arguments, ctx: ToolContext) => ToolResult | Promise<ToolResult>;

/** A tool of a server. */
export interface Tool {
  readonly spec: ToolSpec;
  readonly run: ToolFunction;
}

/**
 * Defines a tool. The type of its arguments follows from the schema when that is a literal.
 *
 *     const add = tool({ description: 'Adds.', input: { type: 'object', properties: { a: { type: 'number' } } } },
 *       ({ a = 0 }) => text(String(a + 1)));
 *
 * Throws `DefinitionError` (`ERR_TOOL`) if `run` is no function; the rest is checked by `mcpServer`, which knows the
 * name.
 */
export function tool<const S extends JsonSchema>(spec: ToolSpec<S>, run: ToolFunction<ArgumentsOf<S>>): Tool {
  if (typeof run !== 'function') throw new DefinitionError('ERR_TOOL', 'tool(spec, run): run must be a function');
  return Object.freeze({ spec, run });
}
