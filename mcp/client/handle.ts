import { randomUUID } from 'node:crypto';
import { CallError, type Dest, type Messaging, name as named } from '../../runtime/index.ts';
import type { ContentBlock, Icon, ResourceContents, ToolResult } from '../content.ts';
import type { JsonObject } from '../json-rpc.ts';
import type { ToolAnnotations } from '../tool.ts';
import type { Progress } from './callbacks.ts';
import { failed, type Reply } from './failure.ts';
import type { ClientStatus, ConnectionProtocol, RequestCall } from './request-call.ts';

/** Options of a request. */
export interface RequestOptions {
  /** Default and maximum: the limits `requestTimeoutMs` and `requestTimeoutMaxMs`. Waiting for a connection counts. */
  readonly timeoutMs?: number;
  /** Aborting it cancels the request here and at the server; the reply is `ERR_MCP_CANCELLED`. */
  readonly signal?: AbortSignal;
  /**
   * Who hears how far it is: a function, which runs in a process of its own, or a process, which gets the info message
   * `mcp_progress` with `{ client, token, progress, total, message }`.
   */
  readonly progress?: ((progress: Progress) => unknown) | Dest;
  /** Each progress starts the time anew, up to `requestTimeoutMaxMs`. Default false. */
  readonly resetOnProgress?: boolean;
}

/** Options of `callTool`. */
export interface CallToolOptions extends RequestOptions {
  /**
   * Send the call again if the connection is lost before its answer, provided that the tool says that it is idempotent
   * or read-only, and that `listTools` has shown it. Default false: a call is never repeated.
   */
  readonly retryIdempotent?: boolean;
  /**
   * In a session of 2025-11-25: call it as a task, kept for `ttlMs` if the server agrees, where server and tool have
   * tasks. Default: only tools that cannot be called otherwise. A call that has become a task is followed to its
   * result in every revision; without a session the server decides, and this says nothing.
   */
  readonly task?: { readonly ttlMs?: number };
}

type SendOptions = RequestOptions & Pick<RequestCall, 'retryIdempotent' | 'task'>;

/** A tool as the server describes it. */
export interface ToolInfo {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly inputSchema: JsonObject;
  readonly outputSchema?: JsonObject;
  readonly annotations?: ToolAnnotations;
  readonly icons?: readonly Icon[];
  readonly [further: string]: unknown;
}

/** A resource as the server describes it. */
export interface ResourceInfo {
  readonly uri: string;
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly mimeType?: string;
  readonly size?: number;
  readonly [further: string]: unknown;
}

/** A family of resources as the server describes it. */
export interface ResourceTemplateInfo {
  readonly uriTemplate: string;
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly mimeType?: string;
  readonly [further: string]: unknown;
}

/** A prompt as the server describes it. */
export interface PromptInfo {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly arguments?: readonly { readonly name: string; readonly description?: string; readonly required?: boolean }[];
  readonly [further: string]: unknown;
}

/** The messages of a prompt. */
export interface PromptResult {
  readonly description?: string;
  readonly messages: readonly { readonly role: 'user' | 'assistant'; readonly content: ContentBlock }[];
  readonly [further: string]: unknown;
}

/** Suggestions; `total` counts those that the server did not send too. */
export interface CompletionResult {
  readonly values: readonly string[];
  readonly total?: number;
  readonly hasMore?: boolean;
}

/** What is to be completed: an argument of a prompt, or a variable of a resource template. */
export type CompletionReference =
  | { readonly type: 'ref/prompt'; readonly name: string }
  | { readonly type: 'ref/resource'; readonly uri: string };

/** How grave log messages are, the least first. */
export type LogLevel = 'debug' | 'info' | 'notice' | 'warning' | 'error' | 'critical' | 'alert' | 'emergency';

/**
 * The handle to a client: each method sends a message to its process and brings `{ ok }` or `{ error: McpFailure }`.
 * None rejects. Lists are followed to their last page.
 */
export interface McpClient {
  readonly name: string;
  listTools(options?: RequestOptions): Promise<Reply<readonly ToolInfo[]>>;
  callTool(name: string, args?: JsonObject, options?: CallToolOptions): Promise<Reply<ToolResult>>;
  listResources(options?: RequestOptions): Promise<Reply<readonly ResourceInfo[]>>;
  listResourceTemplates(options?: RequestOptions): Promise<Reply<readonly ResourceTemplateInfo[]>>;
  readResource(uri: string, options?: RequestOptions): Promise<Reply<readonly ResourceContents[]>>;
  /** Notifications about that resource from now on, also after a reconnect. */
  subscribe(uri: string): Promise<Reply<JsonObject>>;
  unsubscribe(uri: string): Promise<Reply<JsonObject>>;
  listPrompts(options?: RequestOptions): Promise<Reply<readonly PromptInfo[]>>;
  getPrompt(
    name: string,
    args?: { readonly [name: string]: string },
    options?: RequestOptions,
  ): Promise<Reply<PromptResult>>;
  complete(
    ref: CompletionReference,
    argument: { readonly name: string; readonly value: string },
    context?: { readonly [name: string]: string },
    options?: RequestOptions,
  ): Promise<Reply<CompletionResult>>;
  /** Whether the server answers: `ping`, in the stateless era server/discover. */
  ping(options?: RequestOptions): Promise<Reply<JsonObject>>;
  /** The least level of log messages that the server should send, also after a reconnect. */
  setLevel(level: LogLevel): Promise<Reply<JsonObject>>;
  /** Tells the server of a session that the roots have changed. */
  rootsChanged(): void;
  /**
   * Any request: the parameters as they are, and the result as it is. A `tools/call` with `params.task` of its own so
   * brings the task of the session, for `tasks/get`, `tasks/result`, `tasks/list` and `tasks/cancel`.
   */
  request(method: string, params?: JsonObject, options?: RequestOptions): Promise<Reply<JsonObject>>;
  /** Any notification. It is lost if there is no connection. */
  notify(method: string, params?: JsonObject): void;
  status(): Promise<Reply<ClientStatus>>;
  /** Resolves when the connection is ready; an error if it is in a crash loop. */
  ready(): Promise<Reply<ClientStatus>>;
  /** Connects now instead of after the wait. */
  reconnect(): void;
}

/**
 * The handle to the client of that name, for a process (`ctx`), a tool or the owner of the system. It is no process and
 * keeps no state: it may be made at any time, also before the client runs. Requests of a process end with that process.
 */
export function clientOf(caller: Pick<Messaging, 'call' | 'cast'>, name: string): McpClient {
  const client = named<ConnectionProtocol>(name);
  const handle = randomUUID();
  let requests = 0;

  async function answerOf<T>(call: () => Promise<Reply<T>>): Promise<Reply<T>> {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      if (error.code === 'ERR_CALL_NOPROC') return failed('ERR_MCP_UNAVAILABLE', `no client ${name} runs`);
      return failed('ERR_MCP_CONNECTION_LOST', `client ${name}: ${error.message}`);
    }
  }

  const wait = { timeoutMs: 'infinity' } as const; // deadlines are the client's

  async function send(
    method: string,
    params: JsonObject,
    options: SendOptions = {},
    allPages = false,
  ): Promise<Reply<JsonObject>> {
    const { signal, ...rest } = options;
    const token = `${handle}:${++requests}`;
    if (signal?.aborted === true) return failed('ERR_MCP_CANCELLED', `${method} was cancelled before it was sent`);
    const call: RequestCall = { token, method, params, ...rest, ...(allPages ? { allPages } : {}) };
    const cancel = (): void => caller.cast(client, 'cancel', { token, reason: reasonOf(signal?.reason) });
    const reply = answerOf(() => caller.call(client, 'request', call, wait));
    // After the call: a cancellation must not overtake it.
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      return await reply;
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  async function member<T>(reply: Promise<Reply<JsonObject>>, key: string): Promise<Reply<T>> {
    const result = await reply;
    return 'ok' in result ? { ok: result.ok[key] as T } : result;
  }

  const whole = (reply: Promise<Reply<JsonObject>>): Promise<any> => reply;
  const list = <T>(method: string, key: string, options?: RequestOptions): Promise<Reply<readonly T[]>> =>
    member<readonly T[]>(send(method, {}, options, true), key);

  return {
    name,
    listTools: (options) => list('tools/list', 'tools', options),
    callTool: (tool, args = {}, options = {}) => {
      const task = options.task ?? 'if_required';
      return whole(send('tools/call', { name: tool, arguments: args }, { ...options, task }));
    },
    listResources: (options) => list('resources/list', 'resources', options),
    listResourceTemplates: (options) => list('resources/templates/list', 'resourceTemplates', options),
    readResource: (uri, options) => member(send('resources/read', { uri }, options), 'contents'),
    subscribe: (uri) => answerOf(() => caller.call(client, 'subscribe', uri, wait)),
    unsubscribe: (uri) => answerOf(() => caller.call(client, 'unsubscribe', uri, wait)),
    listPrompts: (options) => list('prompts/list', 'prompts', options),
    getPrompt: (prompt, args, options) =>
      whole(send('prompts/get', { name: prompt, ...(args === undefined ? {} : { arguments: args }) }, options)),
    complete: (ref, argument, context, options) => {
      const known = context === undefined ? {} : { context: { arguments: context } };
      return member(send('completion/complete', { ref, argument, ...known }, options), 'completion');
    },
    async ping(options) {
      const reply = await send('ping', {}, options);
      const stateless = 'error' in reply && reply.error.code === 'ERR_MCP_UNSUPPORTED';
      return stateless ? send('server/discover', {}, options) : reply;
    },
    setLevel: (level) => answerOf(() => caller.call(client, 'setLevel', level, wait)),
    rootsChanged: () => caller.cast(client, 'notify', { method: 'notifications/roots/list_changed', params: {} }),
    request: (method, params = {}, options) => send(method, params, options),
    notify: (method, params = {}) => caller.cast(client, 'notify', { method, params }),
    status: () => answerOf(async () => ({ ok: await caller.call(client, 'status', undefined, wait) })),
    ready: () => answerOf(() => caller.call(client, 'ready', undefined, wait)),
    reconnect: () => caller.cast(client, 'reconnect'),
  };
}

function reasonOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason ?? 'aborted');
}
