import type { Complete } from './completion.ts';
import type { ContentAnnotations, Icon, ResourceContents } from './content.ts';
import { DefinitionError } from './errors.ts';
import type { RequestContext } from './request-context.ts';
import type { VariablesOf } from './uri-template.ts';

/** What clients are told about resources and templates alike, and their bounds. */
interface Described {
  /** A name for people. */
  readonly title?: string;
  readonly description?: string;
  /** Of the contents; contents that name their own keep it. */
  readonly mimeType?: string;
  readonly annotations?: ContentAnnotations;
  readonly icons?: readonly Icon[];
  /** Anything else that clients may want to know, by keys with a prefix. */
  readonly _meta?: { readonly [key: string]: unknown };
  /**
   * What the token of whoever reads it must grant (OAuth scopes). Over HTTP and TCP nobody else may, and without
   * authorization nobody has any; who is at this machine (stdio, memory, a Unix socket) may do everything. Default:
   * none are needed.
   */
  readonly scopes?: readonly string[];
  /** How long one read may take. Default and maximum: the limits `requestTimeoutMs` and `requestTimeoutMaxMs`. */
  readonly timeoutMs?: number;
  /** How long a client may keep what it has read (2026-07-28). Default 0: it must read again. */
  readonly ttlMs?: number;
  /** Whether all callers may share what one has read (2026-07-28). Default `'private'`. */
  readonly cacheScope?: 'public' | 'private';
}

/** What `resource` is told about a resource. */
export interface ResourceSpec extends Described {
  /** What programs call it. Default: its URI. */
  readonly name?: string;
  /** Bytes, if they are known. */
  readonly size?: number;
}

/** What `resourceTemplate` is told about a family of resources. */
export interface ResourceTemplateSpec<Variables = any> extends Described {
  /** Suggestions for the values of variables. */
  readonly complete?: { readonly [Name in keyof Variables]?: Complete };
}

/** A text, bytes, or several contents. Undefined: there is no such resource, which the client is told as an error. */
export type ResourceResult = string | Uint8Array | readonly ResourceContents[] | undefined;

/** Reads a resource. */
export type ResourceFunction = (uri: string, ctx: RequestContext) => ResourceResult | Promise<ResourceResult>;

/** `variables` have been decoded: `%2F` is `/`, and `..` may be among them. */
export type ResourceTemplateFunction<Variables = any> = (
  variables: Variables,
  ctx: RequestContext,
  uri: string,
) => ResourceResult | Promise<ResourceResult>;

/** A resource of a server. */
export interface Resource {
  readonly spec: ResourceSpec;
  readonly read: ResourceFunction;
}

/** Many resources of a server, by a URI with variables. */
export interface ResourceTemplate {
  readonly uriTemplate: string;
  readonly spec: ResourceTemplateSpec;
  readonly read: ResourceTemplateFunction;
}

/**
 * Defines a resource; the server names its URI.
 *
 *     resources: { 'config://app': resource({ mimeType: 'application/json' }, () => JSON.stringify(config)) }
 *
 * A throw or a rejection becomes a JSON-RPC error. Throws `DefinitionError` (`ERR_RESOURCE`) if `read` is no function;
 * the rest is checked by `mcpServer`, which knows the URI.
 */
export function resource(spec: ResourceSpec, read: ResourceFunction): Resource {
  if (typeof read !== 'function') {
    throw new DefinitionError('ERR_RESOURCE', 'resource(spec, read): read must be a function');
  }
  return Object.freeze({ spec, read });
}

/**
 * Defines the resources of a URI template (RFC 6570); the server names it. There are `{name}` (one segment of a path),
 * `{+name}` (anything), `{/name}`, `{#name}`, `{.name}` and `{?a,b}`, `{&a,b}`, whose variables may be absent.
 *
 *     templates: { user: resourceTemplate('users://{id}', {}, ({ id }) => users.get(id)) }
 *
 * A URI that is a resource of the server itself is not of a template; else the first template that fits has it. Throws
 * `DefinitionError` (`ERR_RESOURCE`) if `read` is no function; the rest is checked by `mcpServer`.
 */
export function resourceTemplate<const T extends string>(
  uriTemplate: T,
  spec: ResourceTemplateSpec<VariablesOf<T>>,
  read: ResourceTemplateFunction<VariablesOf<T>>,
): ResourceTemplate {
  if (typeof read !== 'function') {
    throw new DefinitionError('ERR_RESOURCE', 'resourceTemplate(uriTemplate, spec, read): read must be a function');
  }
  return Object.freeze({ uriTemplate, spec: spec as ResourceTemplateSpec, read });
}
