/** What a method is given, and what comes of it. */

import { missingScopes } from '../../authorization/bearer.ts';
import { type ErrorObject, errorObject, INTERNAL_ERROR, INVALID_REQUEST, McpError, quoted } from '../../errors.ts';
import type { Headers } from '../../headers.ts';
import type { JsonObject } from '../../json-rpc.ts';
import type { McpLimits } from '../../limits.ts';
import type { LogLevel, RequestContext } from '../../request-context.ts';
import type { Implementation, Revision } from '../../revision/contract.ts';
import type { Catalog } from '../catalog.ts';
import type { ListenFilter } from '../subscriptions.ts';
import { textOfThrown } from '../tool-result.ts';

/** A request whose parameters have the shape that its method asks for. */
export interface MethodCall {
  readonly params: JsonObject;
  readonly catalog: Catalog;
  readonly revision: Revision;
  /** Of a stateless request that came by HTTP: they must agree with the arguments of a tool. */
  readonly headers: Headers | undefined;
  /** The scopes that the request may need; undefined: whoever is here may do everything. */
  readonly granted: readonly string[] | undefined;
  readonly limits: McpLimits;
}

/** What `initialize` has agreed on: the beginning of a session. Plain data. */
export interface Negotiated {
  readonly version: string;
  readonly clientInfo: Implementation;
  readonly clientCapabilities: JsonObject;
}

/** What of the code of a server's author a request runs. Plain data: a thread that has the server's module finds it. */
export type Work =
  | { readonly kind: 'tool' | 'prompt'; readonly name: string; readonly args: JsonObject }
  /** `name` is the URI. */
  | { readonly kind: 'resource'; readonly name: string }
  | {
      readonly kind: 'completion';
      /** The argument, or the variable. */
      readonly name: string;
      readonly of: { readonly kind: 'prompt' | 'template'; readonly name: string };
      readonly value: string;
      readonly others: { readonly [name: string]: string };
    };

/** Work that may begin. */
export interface Run {
  readonly work: Work;
  readonly timeoutMs: number;
  /** What progress is to be reported to; undefined if the client does not want to know. */
  readonly progressToken: string | number | undefined;
  /** What comes back from a client that was asked for input (2026-07-28). */
  readonly input: { readonly responses: JsonObject; readonly state: string | undefined };
  /** See `ToolSpec`; undefined: it never becomes a task. */
  readonly task?: { readonly support: 'optional' | 'required'; readonly asksFirst: boolean };
  /** The client wants it to become one (2025-11-25), and how long it wants to know of it. */
  readonly wanted?: { readonly ttlMs: number | undefined };
}

/** What a client wants of a task, or of all of its tasks. */
export type TaskAccess =
  | {
      readonly method: 'get' | 'update' | 'cancel' | 'result';
      readonly id: string;
      /** Of an update. */
      readonly responses: JsonObject;
    }
  | { readonly method: 'list'; readonly cursor: string | undefined };

/** What a request changes of its session. */
export type SessionChange =
  | { readonly logLevel: LogLevel }
  | { readonly subscribe: string }
  | { readonly unsubscribe: string };

export type Outcome =
  | {
      readonly kind: 'result';
      readonly result: object;
      readonly negotiated?: Negotiated;
      readonly change?: SessionChange;
    }
  | {
      readonly kind: 'error';
      readonly error: ErrorObject;
      readonly status: number;
      /** What was needed and not granted. */
      readonly scopes?: readonly string[];
    }
  | { readonly kind: 'run'; readonly run: Run }
  /** Notifications from now on. */
  | { readonly kind: 'listen'; readonly filter: ListenFilter }
  | { readonly kind: 'task'; readonly access: TaskAccess };

/** An answer without any work. */
export type Refused = Exclude<Outcome, { kind: 'run' } | { kind: 'listen' } | { kind: 'task' }>;

export type MethodHandler = (call: MethodCall) => Outcome;

/** Work found in the catalog. */
export interface Job {
  run(ctx: RequestContext): unknown;
  /** The answer when it has returned. What it returned may be anything. */
  answer(returned: unknown): Outcome;
  /** The answer when it has thrown. What it threw may be anything. */
  thrown(error: unknown): Outcome;
}

export function failed(error: ErrorObject, revision: Revision): Extract<Outcome, { kind: 'error' }> {
  return { kind: 'error', error, status: revision.httpStatus(error.code, 'protocol') };
}

/** The error of whoever may not do this; undefined: he may. */
export function scopeProblem(
  needed: readonly string[] | undefined,
  what: Pick<Work, 'kind' | 'name'>,
  { granted, revision }: Pick<MethodCall, 'granted' | 'revision'>,
): Outcome | undefined {
  if (needed === undefined || granted === undefined) return undefined;
  const scopes = missingScopes(needed, granted);
  if (scopes.length === 0) return undefined;
  const message = `${describeWork(what)} needs a token with the scopes ${needed.join(', ')}`;
  const error = errorObject(INVALID_REQUEST, message, { reason: 'insufficient_scope', scopes: needed });
  return { kind: 'error', error: revision.error(error), status: 403, scopes: needed };
}

export function failedByCode(error: ErrorObject, revision: Revision): Outcome {
  return { kind: 'error', error: revision.error(error), status: revision.httpStatus(error.code, 'code') };
}

/** The error of work other than a tool's that threw: an `McpError` as it is, every other error with its message. */
export function failedByThrow(thrown: unknown, what: string, revision: Revision): Outcome {
  if (thrown instanceof McpError) {
    return failedByCode(errorObject(thrown.code, thrown.message, thrown.data), revision);
  }
  return failedByCode(errorObject(INTERNAL_ERROR, `${what} failed: ${textOfThrown(thrown)}`), revision);
}

/** What is said of work in errors and reports. */
export function describeWork({ kind, name }: { readonly kind: string; readonly name: string }): string {
  return `${kind} ${quoted(name)}`;
}

export function runOf(
  work: Work,
  timeoutMs: number,
  params: JsonObject,
  tasks: Pick<Run, 'task' | 'wanted'> = {},
): Outcome {
  const progressToken = (params['_meta'] as JsonObject | undefined)?.['progressToken'];
  const { inputResponses: responses = {}, requestState: state } = params as {
    readonly inputResponses?: JsonObject;
    readonly requestState?: string;
  };
  const input = { responses, state };
  const run: Run = { work, timeoutMs, progressToken: progressToken as string | number | undefined, input };
  return { kind: 'run', run: { ...run, ...tasks } };
}
