/** Tools that are named by their module, so that every thread can import the same one. */

import { importModule } from '../../runtime/index.ts';
import { DefinitionError, quoted } from '../errors.ts';
import { isJsonObject } from '../json-rpc.ts';
import type { Tool } from '../tool.ts';

/** A tool by the name under which a module exports it. */
export interface ToolModule {
  /** A URL, such as `new URL('./better.js', import.meta.url).href`. */
  readonly module: string;
  /** What it is exported as. */
  readonly exportName: string;
}

/** Where a thread finds code: a server that a module exports by default, or the tool that it exports by that name. */
export interface CodeSource {
  readonly module: string;
  readonly exportName?: string;
}

/** A tool that a module exports, and where. */
export interface SourcedTool extends Tool {
  readonly source: CodeSource;
}

/** The tools of a change that are named by their modules. Throws `DefinitionError` if one is not named well. */
export function toolModules(change: unknown): readonly (readonly [name: string, of: ToolModule])[] {
  const tools = isJsonObject(change) && isJsonObject(change['tools']) ? change['tools'] : {};
  return Object.entries(tools).flatMap(([name, given]) => {
    if (!isJsonObject(given) || !Object.hasOwn(given, 'module')) return [];
    const { module, exportName, ...others } = given;
    const where = `tool ${quoted(name)}`;
    if (typeof module !== 'string' || !URL.canParse(module)) {
      throw new DefinitionError('ERR_TOOL', `${where}: module must be a URL, as import.meta.url is`);
    }
    if (typeof exportName !== 'string' || exportName === '' || Object.keys(others).length > 0) {
      throw new DefinitionError(
        'ERR_TOOL',
        `${where}: { module, exportName }, the name of an export, and nothing else`,
      );
    }
    return [[name, { module, exportName }]];
  });
}

/** The tool that a module exports. Rejects with a `DefinitionError` that says what is wrong with it. */
export async function importTool(name: string, { module, exportName }: ToolModule): Promise<SourcedTool> {
  const where = `tool ${quoted(name)}: ${module}`;
  let exported: unknown;
  try {
    const exports = await importModule(module);
    exported = Object.hasOwn(exports, exportName) ? exports[exportName] : undefined;
  } catch (error) {
    throw new DefinitionError('ERR_TOOL', `${where} cannot be imported: ${String(error)}`);
  }
  if (!isJsonObject(exported) || !isJsonObject(exported['spec']) || typeof exported['run'] !== 'function') {
    throw new DefinitionError('ERR_TOOL', `${where} does not export ${quoted(exportName)} as a tool: tool(spec, run)`);
  }
  return { ...(exported as unknown as Tool), source: { module, exportName } };
}
