import type { Complete } from './completion.ts';
import type { ContentBlock, Icon, ToolResult } from './content.ts';
import { DefinitionError } from './errors.ts';
import type { RequestContext } from './request-context.ts';

/** An argument of a prompt; its value is a text. */
export interface PromptArgument {
  /** A name for people. */
  readonly title?: string;
  readonly description?: string;
  /** Default false. */
  readonly required?: boolean;
  /** Suggestions for its value. */
  readonly complete?: Complete;
}

/** What `prompt` is told about a prompt. */
export interface PromptSpec<A = { readonly [name: string]: PromptArgument }> {
  /** A name for people. */
  readonly title?: string;
  readonly description: string;
  /** By name, in the order in which clients see them. */
  readonly arguments?: A;
  readonly icons?: readonly Icon[];
  /** Anything else that clients may want to know, by keys with a prefix. */
  readonly _meta?: { readonly [key: string]: unknown };
  /**
   * What the token of whoever gets it must grant (OAuth scopes). Over HTTP and TCP nobody else may, and without
   * authorization nobody has any; who is at this machine (stdio, memory, a Unix socket) may do everything. Default:
   * none are needed.
   */
  readonly scopes?: readonly string[];
  /** How long one request may take. Default and maximum: the limits `requestTimeoutMs` and `requestTimeoutMaxMs`. */
  readonly timeoutMs?: number;
}

/** The values of the arguments: what is required is there, all are texts, and no other has been given. */
export type PromptArguments<A> = {
  readonly [K in keyof A as A[K] extends { readonly required: true } ? K : never]: string;
} & { readonly [K in keyof A as A[K] extends { readonly required: true } ? never : K]?: string };

/** One message of a prompt. */
export interface PromptMessage {
  readonly role: 'user' | 'assistant';
  readonly content: ContentBlock;
}

/** At least one message. */
export type PromptResult = readonly PromptMessage[];

/** Makes the messages of a prompt from the values of its arguments. */
export type PromptFunction<Arguments = any> = (
  args: Arguments,
  ctx: RequestContext,
) => PromptResult | Promise<PromptResult>;

/** A prompt of a server. */
export interface Prompt {
  readonly spec: PromptSpec;
  readonly run: PromptFunction;
}

/**
 * Defines a prompt. The type of its arguments follows from their definitions.
 *
 *     const review = prompt({ description: 'Reviews code.', arguments: { code: { required: true } } },
 *       ({ code }) => [userMessage(`Please review:\n${code}`)]);
 *
 * A throw or a rejection becomes a JSON-RPC error. Throws `DefinitionError` (`ERR_PROMPT`) if `run` is no function; the
 * rest is checked by `mcpServer`, which knows the name.
 */
export function prompt<
  const A extends { readonly [name: string]: PromptArgument } = { readonly [name: string]: PromptArgument },
>(spec: PromptSpec<A>, run: PromptFunction<PromptArguments<A>>): Prompt {
  if (typeof run !== 'function') throw new DefinitionError('ERR_PROMPT', 'prompt(spec, run): run must be a function');
  return Object.freeze({ spec, run });
}

/**
 * A message of the user: a text, or a result of one block, such as `image(…)` or `embeddedResource(…)`. Throws a
 * `TypeError` if the result has another number of blocks.
 */
export function userMessage(part: string | ToolResult): PromptMessage {
  return { role: 'user', content: blockOf(part) };
}

/** A message of the model; as `userMessage`. */
export function assistantMessage(part: string | ToolResult): PromptMessage {
  return { role: 'assistant', content: blockOf(part) };
}

function blockOf(part: string | ToolResult): ContentBlock {
  if (typeof part === 'string') return { type: 'text', text: part };
  const [block, another] = part.content;
  if (block === undefined || another !== undefined) {
    throw new TypeError(`a message has one block of content, not ${part.content.length}: make one message of each`);
  }
  return block;
}
