import type { Icon } from '../content.ts';
import { DefinitionError, quoted } from '../errors.ts';
import { isJsonObject } from '../json-rpc.ts';
import type { Prompt } from '../prompt.ts';
import type { Resource, ResourceTemplate } from '../resource.ts';
import type { Tool } from '../tool.ts';
import { announcedIcons, announcedText, announcedTexts } from './announcement.ts';
import { definePrompt, type PromptDefinition } from './define-prompt.ts';
import { defineResource, defineTemplate, type ResourceDefinition, type TemplateDefinition } from './define-resource.ts';
import { defineTool, type ToolDefinition } from './define-tool.ts';

export type { PromptDefinition } from './define-prompt.ts';
export type { ResourceDefinition, TemplateDefinition } from './define-resource.ts';
export type { ToolDefinition } from './define-tool.ts';

/** What a server says of itself. */
export interface ServerInfo {
  readonly name: string;
  readonly version: string;
  /** A name for people. */
  readonly title?: string;
  readonly description?: string;
  readonly websiteUrl?: string;
  readonly icons?: readonly Icon[];
}

/** What a server is and offers. */
export interface ServerSpec {
  readonly info: ServerInfo;
  /** How to use the server, for the model. */
  readonly instructions?: string;
  /**
   * Where this server is exported by default: `import.meta.url`. Its code can then run on worker threads, which import
   * the module; `beamish serve` knows it without being told. Default: unknown, and all code runs on the main thread.
   */
  readonly module?: string;
  /** By name: 1 to 128 of letters, digits, `_`, `-` and `.`. Clients see them in this order. */
  readonly tools?: { readonly [name: string]: Tool };
  /** By URI. */
  readonly resources?: { readonly [uri: string]: Resource };
  /** By name, as tools have it. A URI that is of several is of the first. */
  readonly templates?: { readonly [name: string]: ResourceTemplate };
  /** By name, as tools have it. */
  readonly prompts?: { readonly [name: string]: Prompt };
}

/** Marks what `mcpServer` has made, for another copy of this package too. */
const made: unique symbol = Symbol.for('beamish.mcp.server');

/** A server that has been checked; nothing of it changes any more. */
export interface McpServer {
  readonly [made]: true;
  readonly name: string;
  readonly info: ServerInfo;
  readonly instructions: string | undefined;
  /** Where other threads find it; undefined: nowhere. */
  readonly module: string | undefined;
  /** What was changed since, by its member and its name: `tools add`. Other threads do not have it. */
  readonly changed: ReadonlySet<string>;
  readonly tools: ReadonlyMap<string, ToolDefinition>;
  readonly resources: ReadonlyMap<string, ResourceDefinition>;
  readonly templates: ReadonlyMap<string, TemplateDefinition>;
  readonly prompts: ReadonlyMap<string, PromptDefinition>;
}

const serverName = /^[A-Za-z0-9_.-]{1,64}$/;

/**
 * Defines a server. It is the default export of a module, so that other threads can import it.
 *
 * `name` names it inside this node: 1 to 64 of letters, digits, `_`, `-` and `.`; clients see `info.name`. Throws
 * `DefinitionError`: `ERR_SERVER` for the name, info or instructions, `ERR_TOOL` and `ERR_SCHEMA` for a tool,
 * `ERR_RESOURCE` for a resource or a template, `ERR_PROMPT` for a prompt; the message names it and the reason.
 */
export function mcpServer(name: string, spec: ServerSpec): McpServer {
  if (typeof name !== 'string' || !serverName.test(name)) {
    throw new DefinitionError('ERR_SERVER', `server name ${quoted(String(name))}: use 1 to 64 of A-Z a-z 0-9 _ - .`);
  }
  const where = `server ${quoted(name)}`;
  if (!isJsonObject(spec)) throw new DefinitionError('ERR_SERVER', `${where}: the second argument must be an object`);
  return definedServer(name, spec, where);
}

/** A server with some of it replaced, added or, where `null` stands, removed. Throws as `mcpServer` does. */
export function redefineServer(
  current: McpServer,
  change: { readonly [member in 'instructions' | Member]?: unknown },
): McpServer {
  const where = `server ${quoted(current.name)}`;
  const { instructions: said = current.instructions } = change;
  const instructions = said === null ? undefined : said;
  if (instructions !== undefined) announcedText(instructions, `${where}: instructions`, 'ERR_SERVER');
  const stranger = Object.keys(change).find(
    (key) => key !== 'instructions' && !(members as readonly string[]).includes(key),
  );
  if (stranger !== undefined) {
    const reason = `${quoted(stranger)} cannot be changed; there are instructions, ${members.join(', ')}`;
    throw new DefinitionError('ERR_SERVER', `${where}: ${reason}`);
  }
  const changed = <T>(member: Member, define: Define<T>, now: ReadonlyMap<string, T>): ReadonlyMap<string, T> =>
    redefineEach(change[member], member, define, now, where);
  return Object.freeze({
    ...current,
    instructions: instructions as string | undefined,
    changed: new Set([...current.changed, ...changedKeys(change)]),
    tools: changed('tools', defineTool, current.tools),
    resources: changed('resources', defineResource, current.resources),
    templates: changed('templates', defineTemplate, current.templates),
    prompts: changed('prompts', definePrompt, current.prompts),
  });
}

function changedKeys(change: { readonly [member in Member]?: unknown }): string[] {
  return members.flatMap((member) => {
    const given = change[member];
    return isJsonObject(given) ? Object.keys(given).map((key) => `${member} ${key}`) : [];
  });
}

/**
 * The same server, with the module that exports it by default, so that its code can run on worker threads. What its
 * `module` says itself stands. For those who import servers for others, as `beamish serve` does.
 */
export function fromModule(server: McpServer, module: string): McpServer {
  return server.module === undefined ? Object.freeze({ ...server, module }) : server;
}

/** What a server offers, by the member of its specification. */
type Member = 'tools' | 'resources' | 'templates' | 'prompts';
const members: readonly Member[] = ['tools', 'resources', 'templates', 'prompts'];
type Define<T> = (key: string, given: unknown, server: string) => T;

function redefineEach<T>(
  given: unknown,
  member: Member,
  define: Define<T>,
  now: ReadonlyMap<string, T>,
  where: string,
): ReadonlyMap<string, T> {
  if (given === undefined) return now;
  if (!isJsonObject(given)) {
    throw new DefinitionError('ERR_SERVER', `${where}: ${member} must be an object of them; null removes one`);
  }
  const all = new Map(now);
  for (const [key, each] of Object.entries(given)) {
    if (each === null) all.delete(key);
    else all.set(key, define(key, each, where));
  }
  return all;
}

function definedServer(name: string, spec: ServerSpec, where: string): McpServer {
  const { instructions } = spec;
  if (instructions !== undefined) announcedText(instructions, `${where}: instructions`, 'ERR_SERVER');
  const { module } = spec;
  if (module !== undefined && !URL.canParse(module)) {
    throw new DefinitionError('ERR_SERVER', `${where}: module must be a URL, such as import.meta.url`);
  }
  return Object.freeze({
    [made]: true as const,
    name,
    info: serverInfo(spec.info, where),
    instructions,
    module,
    changed: new Set<string>(),
    tools: defineEach(spec, 'tools', defineTool, where),
    resources: defineEach(spec, 'resources', defineResource, where),
    templates: defineEach(spec, 'templates', defineTemplate, where),
    prompts: defineEach(spec, 'prompts', definePrompt, where),
  });
}

function defineEach<T>(spec: ServerSpec, member: Member, define: Define<T>, where: string): ReadonlyMap<string, T> {
  const given: unknown = spec[member] ?? {};
  if (!isJsonObject(given)) {
    const key = member === 'resources' ? 'URI' : 'name';
    throw new DefinitionError('ERR_SERVER', `${where}: ${member} must be an object of ${member} by ${key}`);
  }
  return new Map(Object.entries(given).map(([key, each]) => [key, define(key, each, where)]));
}

/** Whether a value, the default export of some module perhaps, is a server. */
export function isMcpServer(value: unknown): value is McpServer {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, made);
}

function serverInfo(info: unknown, where: string): ServerInfo {
  if (!isJsonObject(info)) throw new DefinitionError('ERR_SERVER', `${where}: info must be { name, version, … }`);
  const { icons, ...texts } = info;
  for (const key of ['name', 'version']) announcedText(texts[key], `${where}: info.${key}`, 'ERR_SERVER');
  const { name, version } = texts as unknown as ServerInfo;
  return Object.freeze({
    name,
    version,
    ...announcedTexts(texts, ['title', 'description', 'websiteUrl'], `${where}: info.`, 'ERR_SERVER'),
    ...(icons === undefined ? {} : { icons: announcedIcons(icons, `${where}: info.icons`, 'ERR_SERVER') }),
  });
}
