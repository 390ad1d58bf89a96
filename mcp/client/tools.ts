/** What a client must know of the tools that it calls: pure. */

import { DefinitionError } from '../errors.ts';
import { isJsonObject, type JsonObject } from '../json-rpc.ts';
import { type ParamHeader, paramHeadersOf } from '../param-headers.ts';

/** Whether calls of a tool may be tasks of a session (2025-11-25, execution.taskSupport). */
export type TaskSupport = 'required' | 'optional' | 'forbidden';

export interface KnownTool {
  /** By its own account: calling it twice is calling it once. */
  readonly repeatable: boolean;
  readonly paramHeaders: readonly ParamHeader[];
  readonly taskSupport: TaskSupport;
}

export interface ListedTools {
  /** Those that may be used. */
  readonly usable: readonly unknown[];
  readonly known: ReadonlyMap<string, KnownTool>;
  /** Why others may not. */
  readonly problems: readonly string[];
}

/** Values of a schema in which nothing is a schema. */
const data = new Set(['const', 'enum', 'default', 'examples', 'required', 'description', 'title']);

const depthMax = 64;

/**
 * Reads the items of tools/list. `headers`: their annotations for HTTP count, and a tool with a wrong one must not be
 * used (2026-07-28, server/tools, x-mcp-header).
 */
export function readTools(items: readonly unknown[], headers: boolean): ListedTools {
  const known = new Map<string, KnownTool>();
  const problems: string[] = [];
  const usable = items.filter((item) => {
    if (!isJsonObject(item) || typeof item['name'] !== 'string') {
      problems.push('a tool without a name');
      return false;
    }
    try {
      const paramHeaders = headers ? annotated(item['inputSchema'], `tool ${item['name']}: inputSchema`) : [];
      const repeatable = isRepeatable(item['annotations']);
      known.set(item['name'], { repeatable, paramHeaders, taskSupport: taskSupportOf(item['execution']) });
      return true;
    } catch (error) {
      if (!(error instanceof DefinitionError)) throw error;
      problems.push(error.message);
      return false;
    }
  });
  return { usable, known, problems };
}

function isRepeatable(annotations: unknown): boolean {
  return isJsonObject(annotations) && (annotations['idempotentHint'] === true || annotations['readOnlyHint'] === true);
}

function taskSupportOf(execution: unknown): TaskSupport {
  const support = isJsonObject(execution) ? execution['taskSupport'] : undefined;
  return support === 'required' || support === 'optional' ? support : 'forbidden';
}

/**
 * `params.task` of a call in a session; undefined: it is no task. `wanted`: what its caller says. `support` is that of
 * the tool, if the client knows it.
 */
export function taskParameter(
  wanted: TaskWish | undefined,
  capabilities: JsonObject,
  support: TaskSupport | undefined,
): JsonObject | undefined {
  if (wanted === undefined || !hasTasks(capabilities) || support === 'forbidden') return undefined;
  if (wanted === 'if_required') return support === 'required' ? {} : undefined;
  return wanted.ttlMs === undefined ? {} : { ttl: wanted.ttlMs };
}

/** What the caller of a tool says of tasks. */
export type TaskWish = 'if_required' | { readonly ttlMs?: number };

/** Whether a server makes tasks of calls whose clients ask for that. */
export function hasTasks({ tasks }: JsonObject): boolean {
  const requests = isJsonObject(tasks) ? tasks['requests'] : undefined;
  const tools = isJsonObject(requests) ? requests['tools'] : undefined;
  return isJsonObject(tools) && isJsonObject(tools['call']);
}

function annotated(schema: unknown, where: string): readonly ParamHeader[] {
  if (!isJsonObject(schema)) return [];
  return paramHeadersOf({ having: (keyword) => having(schema, keyword) }, where);
}

/** The places of a schema that have the keyword. No schema of a server may cost more than its own size. */
function having(root: JsonObject, keyword: string): { readonly pointer: string; readonly schema: JsonObject }[] {
  const found: { pointer: string; schema: JsonObject }[] = [];
  let level: { readonly pointer: string; readonly value: unknown; readonly isSchema: boolean }[] = [
    { pointer: '', value: root, isSchema: true },
  ];
  for (let depth = 0; depth < depthMax && level.length > 0; depth += 1) {
    const below: typeof level = [];
    for (const { pointer, value, isSchema } of level) {
      if (Array.isArray(value)) {
        for (const [index, item] of value.entries()) {
          below.push({ pointer: `${pointer}/${index}`, value: item, isSchema: true });
        }
      } else if (isJsonObject(value)) {
        if (isSchema && Object.hasOwn(value, keyword)) found.push({ pointer, schema: value });
        for (const [key, inner] of Object.entries(value)) {
          if (isSchema && data.has(key)) continue;
          const escaped = key.replaceAll('~', '~0').replaceAll('/', '~1');
          // What is below `properties` is named by the user: there only the values are schemas.
          const named = isSchema && ['properties', 'patternProperties', '$defs', 'definitions'].includes(key);
          below.push({ pointer: `${pointer}/${escaped}`, value: inner, isSchema: !named });
        }
      }
    }
    level = below;
  }
  return found;
}
