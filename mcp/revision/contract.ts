/** What a revision of MCP is to the rest of this layer: one module, one line in `registry.ts`. */

import type { ContentBlock, ToolResult } from '../content.ts';
import type { ErrorObject } from '../errors.ts';
import type { JsonObject } from '../json-rpc.ts';
import type { Era, LogLevel } from '../request-context.ts';

export type { Era } from '../request-context.ts';

/** Where in `_meta` a message names the revision it is of; only messages of stateless revisions do. */
export const VERSION_KEY = 'io.modelcontextprotocol/protocolVersion';

/** Where in `_meta` a notification names the `subscriptions/listen` it is of. */
export const SUBSCRIPTION_KEY = 'io.modelcontextprotocol/subscriptionId';

/** Where in `_meta` a message names the task that it is about (2025-11-25). */
export const RELATED_TASK_KEY = 'io.modelcontextprotocol/related-task';

/** The extension of tasks (2026-07-28), in the capabilities of servers and clients. */
export const TASKS_EXTENSION = 'io.modelcontextprotocol/tasks';

/** What a server or a client says of itself. */
export interface Implementation {
  readonly name: string;
  readonly version: string;
  readonly [further: string]: unknown;
}

/** What a stateless request says of its client, in `_meta`. */
export interface Envelope {
  readonly version: string;
  readonly clientCapabilities: JsonObject;
  readonly clientInfo?: Implementation;
  readonly logLevel?: LogLevel;
}

/** A request that a client may send. */
export interface RequestRule {
  /** What is wrong with the parameters; undefined if nothing is. The message names the member and what it must be. */
  readonly problem: (params: JsonObject) => string | undefined;
  /** The capability that the server must have declared for it. */
  readonly capability?: 'tools' | 'resources' | 'prompts' | 'completions' | 'logging';
  /** The parameter that the HTTP header `Mcp-Name` repeats. */
  readonly nameHeader?: 'name' | 'uri' | 'taskId';
}

/** A tool as `tools/list` shows it, with all that any revision has. */
export interface ListedTool {
  readonly name: string;
  readonly title?: string;
  readonly description: string;
  readonly inputSchema: JsonObject;
  readonly outputSchema?: JsonObject;
  readonly annotations?: object;
  readonly icons?: readonly object[];
  readonly _meta?: object;
  /** Whether its calls may become tasks, where clients are told (2025-11-25). */
  readonly execution?: { readonly taskSupport: string };
}

/**
 * How calls become tasks: `'core'`, as clients ask for it (2025-11-25), or by an extension, as the server decides
 * (2026-07-28).
 */
export interface TaskForm {
  readonly form: 'core' | 'extension';
  /** What servers with tools for them declare beside their other capabilities. */
  readonly capabilities: object;
}

/** How long a result may be kept, and whether all callers may share it. */
export interface Caching {
  readonly ttlMs: number;
  readonly cacheScope: 'public' | 'private';
}

/** Who found the error: the protocol layer, or the code of the server's author. */
export type ErrorOrigin = 'protocol' | 'code';

export interface Revision {
  /** `'2026-07-28'`. */
  readonly version: string;
  readonly era: Era;
  /** Whether several messages may come as one array. */
  readonly batches: boolean;
  /**
   * What clients may do whose event stream has ended: nothing, resume it from an event, or also be sent away to come
   * back later.
   */
  readonly resumption: 'none' | 'events' | 'polling';
  /** Undefined: this revision has no tasks. */
  readonly tasks: TaskForm | undefined;
  /** The requests that clients may send. */
  readonly requests: ReadonlyMap<string, RequestRule>;
  /** The notifications that clients may send. */
  readonly clientNotifications: ReadonlySet<string>;
  /** The notifications that this server may send. */
  readonly serverNotifications: ReadonlySet<string>;
  /** The client capabilities that mean something; each must be an object. */
  readonly clientCapabilities: readonly string[];
  /** Reads what `_meta` says of the client; only stateless revisions have it. */
  readonly readEnvelope?: (meta: JsonObject) => { readonly envelope: Envelope } | { readonly error: ErrorObject };
  /** A tool as clients of this revision may see it. */
  listedTool(tool: ListedTool): object;
  /** A resource, a template or a prompt, as clients of this revision may see it. */
  listed(item: object): object;
  /** A block of content, as clients of this revision can read it. */
  content(block: ContentBlock): ContentBlock;
  /** What a server says of itself, as clients of this revision may see it. */
  serverInfo(info: Implementation): Implementation;
  /** The result of a request: the members it needs, and what this revision puts on every result. */
  result(body: object, server: Implementation, caching?: Caching): object;
  /** The result of a tool call. */
  toolResult(result: ToolResult, server: Implementation): object;
  /** An error as this revision may send it. */
  error(error: ErrorObject): ErrorObject;
  /** The HTTP status of an answer that is this error. */
  httpStatus(code: number, origin: ErrorOrigin): number;
}
