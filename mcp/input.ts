/** Questions to the client: its user, its model, its folders (2025-11-25 and 2026-07-28, client features). */

import type { ArgumentsOf } from './arguments-of.ts';
import type { AudioContent, ImageContent, TextContent } from './content.ts';
import { isJsonObject } from './json-rpc.ts';
import type { JsonSchema } from './schema/inspect.ts';

/** A question that `ctx.input` asks; made by the functions below. Plain data. */
export interface InputQuestion<Answer = unknown> {
  readonly method: 'elicitation/create' | 'sampling/createMessage' | 'roots/list';
  readonly params: { readonly [name: string]: unknown };
  /** The type of its answer; there is no such member. */
  readonly answer?: Answer;
}

/** The answers by the names of their questions. */
export type InputAnswers<Q> = { readonly [K in keyof Q]: Q[K] extends InputQuestion<infer A> ? A : never };

/** What the user has done with a form or a link. */
export type ElicitAnswer<Content = { readonly [field: string]: unknown }> =
  | { readonly action: 'accept'; readonly content: Content }
  | { readonly action: 'decline' | 'cancel' };

/** What the user has done with a link: to accept is to agree to open it, not to have finished there. */
export interface ElicitUrlAnswer {
  readonly action: 'accept' | 'decline' | 'cancel';
}

/** A message of a conversation with a model. */
export interface SamplingMessage {
  readonly role: 'user' | 'assistant';
  readonly content: SamplingContent | readonly SamplingContent[];
}

/** A block of such a message; with tools there are more types. */
export type SamplingContent =
  | TextContent
  | ImageContent
  | AudioContent
  | { readonly type: 'tool_use' | 'tool_result'; readonly [member: string]: unknown };

/** What is asked of a model; the client may choose another, and change or refuse the request. */
export interface SampleSpec {
  readonly messages: readonly SamplingMessage[];
  readonly maxTokens: number;
  readonly systemPrompt?: string;
  readonly temperature?: number;
  readonly stopSequences?: readonly string[];
  readonly modelPreferences?: { readonly [name: string]: unknown };
  readonly includeContext?: 'none' | 'thisServer' | 'allServers';
  readonly metadata?: { readonly [name: string]: unknown };
  /** Tools that the model may use; the client must have declared `sampling.tools`. */
  readonly tools?: readonly { readonly [name: string]: unknown }[];
  readonly toolChoice?: { readonly mode?: 'auto' | 'required' | 'none' };
}

/** What the model has said. */
export interface SampleAnswer {
  readonly role: 'user' | 'assistant';
  readonly content: SamplingContent | readonly SamplingContent[];
  readonly model: string;
  readonly stopReason?: string;
}

/** The folders that the client lets a server work in. */
export interface RootsAnswer {
  readonly roots: readonly { readonly uri: string; readonly name?: string }[];
}

const fieldTypes = ['string', 'number', 'integer', 'boolean', 'array'];

/**
 * Asks the user to fill in a form. The schema is flat: an object whose properties are texts, numbers, booleans, or
 * choices (`enum`, `oneOf` of `{ const, title }`, arrays of these); `default` is what the form begins with. What the
 * user has accepted has been checked against it. Throws a `TypeError` for a schema that clients could not show.
 */
export function elicit<const S extends JsonSchema>(spec: {
  readonly message: string;
  readonly schema: S;
}): InputQuestion<ElicitAnswer<ArgumentsOf<S>>> {
  const { message, schema } = spec;
  if (typeof message !== 'string') throw new TypeError('elicit({ message, schema }): message must be a string');
  const properties = isJsonObject(schema) ? schema['properties'] : undefined;
  if (!isJsonObject(schema) || schema['type'] !== 'object' || !isJsonObject(properties)) {
    throw new TypeError("elicit({ message, schema }): schema must have type 'object' and properties");
  }
  for (const [name, field] of Object.entries(properties)) {
    if (isJsonObject(field) && fieldTypes.includes(field['type'] as string)) continue;
    throw new TypeError(`elicit: ${name} must have a type of ${fieldTypes.join(', ')}: a form is flat`);
  }
  return { method: 'elicitation/create', params: { message, requestedSchema: schema } };
}

/** Asks the user to visit a page, for what must not pass through the client: credentials, payments. */
export function elicitUrl(spec: { readonly message: string; readonly url: string }): InputQuestion<ElicitUrlAnswer> {
  const { message, url } = spec;
  if (typeof message !== 'string') throw new TypeError('elicitUrl({ message, url }): message must be a string');
  if (!URL.canParse(url)) throw new TypeError('elicitUrl({ message, url }): url must be an absolute URL');
  return { method: 'elicitation/create', params: { mode: 'url', message, url } };
}

/** Asks the client's model. Throws a `TypeError` without messages or `maxTokens`. */
export function sample(spec: SampleSpec): InputQuestion<SampleAnswer> {
  const { messages, maxTokens } = spec;
  if (!Array.isArray(messages) || messages.length === 0) throw new TypeError('sample: messages must not be empty');
  if (!Number.isSafeInteger(maxTokens)) throw new TypeError('sample: maxTokens must be a whole number');
  return { method: 'sampling/createMessage', params: { ...spec } };
}

/** Asks for the folders that the client lets a server work in. */
export function listRoots(): InputQuestion<RootsAnswer> {
  return { method: 'roots/list', params: {} };
}
