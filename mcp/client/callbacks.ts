import type { MaybePromise } from '../../runtime/index.ts';
import type { ContentBlock } from '../content.ts';
import type { JsonObject } from '../json-rpc.ts';

/** What a function that answers the server may use; it belongs to the process that runs it. */
export interface CallbackContext {
  /** Aborted when the answer is not wanted any more: cancelled, timed out, or the connection gone. */
  readonly signal: AbortSignal;
  /** The name of the client. */
  readonly client: string;
}

/** A folder or file that the server may work in. `uri` begins with `file://`. */
export interface Root {
  readonly uri: string;
  readonly name?: string;
}

/** What a model is to be asked (sampling/createMessage), as the server sent it. */
export interface SamplingRequest {
  readonly messages: readonly { readonly role: string; readonly content: unknown }[];
  readonly maxTokens: number;
  readonly [further: string]: unknown;
}

/** What the model answered. */
export interface SamplingResult {
  readonly role: 'user' | 'assistant';
  readonly content: ContentBlock | readonly ContentBlock[] | JsonObject;
  readonly model: string;
  readonly stopReason?: string;
}

/** What a person is to be asked (elicitation/create): a form, or to visit a page (`mode: 'url'`). */
export interface ElicitationRequest {
  readonly mode?: 'form' | 'url';
  readonly message: string;
  readonly requestedSchema?: JsonObject;
  readonly url?: string;
  readonly [further: string]: unknown;
}

/** `content` answers a form. Properties it leaves out get the defaults of the schema. */
export interface ElicitationResult {
  readonly action: 'accept' | 'decline' | 'cancel';
  readonly content?: JsonObject;
}

/** What the server says without being asked: a list has changed, a resource was updated, a log message. */
export interface ServerNotification {
  readonly client: string;
  readonly method: string;
  readonly params: JsonObject;
}

/** How far a request is; `total` if it is known. */
export interface Progress {
  readonly progress: number;
  readonly total?: number;
  readonly message?: string;
}

/**
 * What a client does for its server. Each call of a function runs in a process of its own: one that throws, or never
 * settles, costs that one answer. A function that is given declares its capability.
 */
export interface ClientHandlers {
  readonly roots?: (ctx: CallbackContext) => MaybePromise<readonly Root[]>;
  readonly sampling?: (request: SamplingRequest, ctx: CallbackContext) => MaybePromise<SamplingResult>;
  readonly elicitation?: (request: ElicitationRequest, ctx: CallbackContext) => MaybePromise<ElicitationResult>;
  /** Notifications of the server, in order, all in one process. */
  readonly notification?: (notification: ServerNotification, ctx: CallbackContext) => unknown;
}

/** A request of the server as the function behind it; undefined if there is none. */
export function handlerOf(
  handlers: ClientHandlers,
  method: string,
): ((params: JsonObject, ctx: CallbackContext) => MaybePromise<object>) | undefined {
  const { roots, sampling, elicitation } = handlers;
  switch (method) {
    case 'roots/list':
      return roots === undefined ? undefined : async (_params, ctx) => ({ roots: await roots(ctx) });
    case 'sampling/createMessage':
      return sampling === undefined ? undefined : (params, ctx) => sampling(params as unknown as SamplingRequest, ctx);
    case 'elicitation/create':
      return elicitation === undefined
        ? undefined
        : async (params, ctx) =>
            withDefaults(await elicitation(params as unknown as ElicitationRequest, ctx), params['requestedSchema']);
    default:
      return undefined;
  }
}

/** An accepted form, completed with the defaults that its schema names. */
function withDefaults(result: ElicitationResult, schema: unknown): ElicitationResult {
  if (result?.action !== 'accept') return result;
  const properties = (schema as { readonly properties?: Record<string, { readonly default?: unknown }> } | undefined)
    ?.properties;
  if (typeof properties !== 'object' || properties === null) return result;
  const defaults = Object.entries(properties)
    .filter(([, property]) => typeof property === 'object' && property !== null && property.default !== undefined)
    .map(([name, property]) => [name, property.default] as const);
  return { ...result, content: { ...Object.fromEntries(defaults), ...result.content } };
}

/** The capabilities that these functions mean. */
export function declaredCapabilities(handlers: ClientHandlers, further: JsonObject = {}): JsonObject {
  return {
    ...(handlers.roots === undefined ? {} : { roots: { listChanged: true } }),
    ...(handlers.sampling === undefined ? {} : { sampling: {} }),
    ...(handlers.elicitation === undefined ? {} : { elicitation: { form: {}, url: {} } }),
    ...further,
  };
}
