import type { Icon } from '../content.ts';
import { DefinitionError, quoted } from '../errors.ts';
import { isJsonObject } from '../json-rpc.ts';
import { type ParamHeader, paramHeadersOf } from '../param-headers.ts';
import { type InspectedSchema, inspectSchema } from '../schema/inspect.ts';
import type { Tool, ToolFunction, ToolSpec } from '../tool.ts';
import { announcedAnnotations, announcedIcons, announcedText } from './announcement.ts';

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

export interface ServerSpec {
  readonly info: ServerInfo;
  /** How to use the server, for the model. */
  readonly instructions?: string;
  /** By name: 1 to 128 of letters, digits, `_`, `-` and `.`. Clients see them in this order. */
  readonly tools?: { readonly [name: string]: Tool };
}

/** A tool that has been checked. */
export interface ToolDefinition {
  readonly name: string;
  /** What clients are told of it beside its schemas. */
  readonly announced: Pick<ToolSpec, 'title' | 'description' | 'annotations' | 'icons'>;
  readonly run: ToolFunction;
  /** As it was asked for; undefined: the default of the node. */
  readonly timeoutMs: number | undefined;
  readonly input: InspectedSchema;
  readonly output: InspectedSchema | undefined;
  /** Arguments that HTTP clients repeat in headers. */
  readonly paramHeaders: readonly ParamHeader[];
}

/** Marks what `mcpServer` has made, for another copy of this package too. */
const made: unique symbol = Symbol.for('beamish.mcp.server');

/** A server that has been checked; nothing of it changes any more. */
export interface McpServer {
  readonly [made]: true;
  readonly name: string;
  readonly info: ServerInfo;
  readonly instructions: string | undefined;
  readonly tools: ReadonlyMap<string, ToolDefinition>;
}

const toolName = /^[A-Za-z0-9_.-]{1,128}$/;
const serverName = /^[A-Za-z0-9_.-]{1,64}$/;

/**
 * Defines a server. It is the default export of a module, so that other threads can import it.
 *
 * `name` names it inside this node: 1 to 64 of letters, digits, `_`, `-` and `.`; clients see `info.name`. Throws
 * `DefinitionError`: `ERR_SERVER` for the name, info or instructions, `ERR_TOOL` and `ERR_SCHEMA` for a tool, which the
 * message names with the reason.
 */
export function mcpServer(name: string, spec: ServerSpec): McpServer {
  if (typeof name !== 'string' || !serverName.test(name)) {
    throw new DefinitionError('ERR_SERVER', `server name ${quoted(String(name))}: use 1 to 64 of A-Z a-z 0-9 _ - .`);
  }
  const where = `server ${quoted(name)}`;
  if (!isJsonObject(spec)) throw new DefinitionError('ERR_SERVER', `${where}: the second argument must be an object`);
  const { instructions, tools = {} } = spec;
  if (instructions !== undefined) announcedText(instructions, `${where}: instructions`, 'ERR_SERVER');
  if (!isJsonObject(tools))
    throw new DefinitionError('ERR_SERVER', `${where}: tools must be an object of tools by name`);
  const defined = Object.entries<Tool>(tools).map(([each, tool]) => [each, defineTool(each, tool, where)] as const);
  return Object.freeze({
    [made]: true as const,
    name,
    info: serverInfo(spec.info, where),
    instructions,
    tools: new Map(defined),
  });
}

/** Whether a value, the default export of some module perhaps, is a server. */
export function isMcpServer(value: unknown): value is McpServer {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, made);
}

function serverInfo(info: unknown, where: string): ServerInfo {
  if (!isJsonObject(info)) throw new DefinitionError('ERR_SERVER', `${where}: info must be { name, version, … }`);
  const { icons, ...texts } = info;
  for (const key of ['name', 'version']) announcedText(texts[key], `${where}: info.${key}`, 'ERR_SERVER');
  for (const key of ['title', 'description', 'websiteUrl']) {
    if (texts[key] !== undefined) announcedText(texts[key], `${where}: info.${key}`, 'ERR_SERVER');
  }
  const { name, version, title, description, websiteUrl } = texts as unknown as ServerInfo;
  return Object.freeze({
    name,
    version,
    ...(title === undefined ? {} : { title }),
    ...(description === undefined ? {} : { description }),
    ...(websiteUrl === undefined ? {} : { websiteUrl }),
    ...(icons === undefined ? {} : { icons: announcedIcons(icons, `${where}: info.icons`, 'ERR_SERVER') }),
  });
}

function defineTool(name: string, tool: unknown, server: string): ToolDefinition {
  const where = `${server}, tool ${quoted(name)}`;
  if (!toolName.test(name)) {
    throw new DefinitionError('ERR_TOOL', `${where}: a tool name has 1 to 128 of A-Z a-z 0-9 _ - .`);
  }
  if (!isJsonObject(tool) || !isJsonObject(tool['spec']) || typeof tool['run'] !== 'function') {
    throw new DefinitionError('ERR_TOOL', `${where}: define it with tool(spec, run)`);
  }
  const { spec, run } = tool as unknown as Tool;
  const { title, description, annotations, icons, timeoutMs } = spec;
  announcedText(description, `${where}: description`, 'ERR_TOOL');
  if (title !== undefined) announcedText(title, `${where}: title`, 'ERR_TOOL');
  if (timeoutMs !== undefined && (!Number.isSafeInteger(timeoutMs) || timeoutMs < 1)) {
    const reason = `timeoutMs must be a positive whole number of milliseconds, not ${String(timeoutMs)}`;
    throw new DefinitionError('ERR_TOOL', `${where}: ${reason}`);
  }
  const announced = Object.freeze({
    ...(title === undefined ? {} : { title }),
    description,
    ...(annotations === undefined ? {} : { annotations: announcedAnnotations(annotations, `${where}: annotations`) }),
    ...(icons === undefined ? {} : { icons: announcedIcons(icons, `${where}: icons`, 'ERR_TOOL') }),
  });
  return Object.freeze({ name, announced, run, timeoutMs, ...inspectedSchemas(spec, where) });
}

function inspectedSchemas(spec: ToolSpec, where: string): Pick<ToolDefinition, 'input' | 'output' | 'paramHeaders'> {
  const input = inspectSchema(spec.input, `${where}: input`);
  if (input.schema['type'] !== 'object') {
    throw new DefinitionError('ERR_SCHEMA', `${where}: input at /type: must be 'object', arguments have names`);
  }
  const output = spec.output === undefined ? undefined : inspectSchema(spec.output, `${where}: output`);
  return { input, output, paramHeaders: paramHeadersOf(input, `${where}: input`) };
}
