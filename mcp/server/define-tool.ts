import { requiredScopes } from '../authorization/principal.ts';
import { DefinitionError, quoted } from '../errors.ts';
import { isJsonObject } from '../json-rpc.ts';
import { type ParamHeader, paramHeadersOf } from '../param-headers.ts';
import { type InspectedSchema, inspectSchema } from '../schema/inspect.ts';
import type { TaskSupport, Tool, ToolFunction, ToolSpec } from '../tool.ts';
import {
  announcedAnnotations,
  announcedIcons,
  announcedMeta,
  announcedText,
  announcedTexts,
  announcedTime,
} from './announcement.ts';
import type { CodeSource, SourcedTool } from './tool-module.ts';
import type { RunPlace } from './work-place.ts';

/** A tool that has been checked. */
export interface ToolDefinition {
  readonly name: string;
  /** What clients are told of it beside its schemas. */
  readonly announced: Pick<ToolSpec, 'title' | 'description' | 'annotations' | 'icons' | '_meta'>;
  readonly run: ToolFunction;
  /** Where other threads find it by itself; undefined: only with the whole server. */
  readonly source: CodeSource | undefined;
  readonly runPlace: RunPlace;
  readonly task: TaskSupport;
  /** See `ToolSpec`. */
  readonly asksFirst: boolean;
  /** As it was asked for; undefined: the default of the node. */
  readonly timeoutMs: number | undefined;
  readonly scopes: readonly string[] | undefined;
  readonly input: InspectedSchema;
  readonly output: InspectedSchema | undefined;
  /** Arguments that HTTP clients repeat in headers. */
  readonly paramHeaders: readonly ParamHeader[];
}

const runPlaces: readonly RunPlace[] = ['process', 'isolated', 'main', 'compute'];
const taskSupports: readonly TaskSupport[] = ['forbidden', 'optional', 'required'];
const toolName = /^[A-Za-z0-9_.-]{1,128}$/;

export function defineTool(name: string, tool: unknown, server: string): ToolDefinition {
  const where = `${server}, tool ${quoted(name)}`;
  if (!toolName.test(name)) {
    throw new DefinitionError('ERR_TOOL', `${where}: a tool name has 1 to 128 of A-Z a-z 0-9 _ - .`);
  }
  if (!isJsonObject(tool) || !isJsonObject(tool['spec']) || typeof tool['run'] !== 'function') {
    throw new DefinitionError('ERR_TOOL', `${where}: define it with tool(spec, run)`);
  }
  const { spec, run, source } = tool as unknown as Tool & Partial<SourcedTool>;
  const { description, annotations, icons, timeoutMs, _meta: meta } = spec;
  announcedText(description, `${where}: description`, 'ERR_TOOL');
  announcedTime(timeoutMs, where, 'ERR_TOOL');
  const announced = Object.freeze({
    ...announcedTexts(spec, ['title'], `${where}: `, 'ERR_TOOL'),
    description,
    ...(annotations === undefined ? {} : { annotations: announcedAnnotations(annotations, `${where}: annotations`) }),
    ...(icons === undefined ? {} : { icons: announcedIcons(icons, `${where}: icons`, 'ERR_TOOL') }),
    ...(meta === undefined ? {} : { _meta: announcedMeta(meta, `${where}: _meta`, 'ERR_TOOL') }),
  });
  const { run: runPlace = 'process' } = spec;
  if (!runPlaces.includes(runPlace)) {
    const reason = `run must be one of ${runPlaces.join(', ')}, not ${quoted(String(runPlace))}`;
    throw new DefinitionError('ERR_TOOL', `${where}: ${reason}`);
  }
  const taking = taskSupport(spec, where);
  const scopes = requiredScopes(spec.scopes, where, 'ERR_TOOL');
  return Object.freeze({
    name,
    announced,
    run,
    source,
    runPlace,
    ...taking,
    timeoutMs,
    scopes,
    ...inspectedSchemas(spec, where),
  });
}

function taskSupport(
  { task = 'forbidden', asksFirst = false }: ToolSpec,
  where: string,
): Pick<ToolDefinition, 'task' | 'asksFirst'> {
  if (!taskSupports.includes(task)) {
    const reason = `task must be one of ${taskSupports.join(', ')}, not ${quoted(String(task))}`;
    throw new DefinitionError('ERR_TOOL', `${where}: ${reason}`);
  }
  if (typeof asksFirst !== 'boolean')
    throw new DefinitionError('ERR_TOOL', `${where}: asksFirst must be true or false`);
  if (asksFirst && task === 'forbidden') {
    throw new DefinitionError('ERR_TOOL', `${where}: asksFirst is for tools whose calls become tasks: say task too`);
  }
  return { task, asksFirst };
}

function inspectedSchemas(spec: ToolSpec, where: string): Pick<ToolDefinition, 'input' | 'output' | 'paramHeaders'> {
  const input = inspectSchema(spec.input, `${where}: input`);
  if (input.schema['type'] !== 'object') {
    throw new DefinitionError('ERR_SCHEMA', `${where}: input at /type: must be 'object', arguments have names`);
  }
  const output = spec.output === undefined ? undefined : inspectSchema(spec.output, `${where}: output`);
  return { input, output, paramHeaders: paramHeadersOf(input, `${where}: input`) };
}
