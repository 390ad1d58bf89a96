/** The catalogs of servers whose modules this thread has imported to run their code. */

import { importModule, type MaybePromise } from '../../runtime/index.ts';
import { quoted } from '../errors.ts';
import type { McpLimits } from '../limits.ts';
import { schemaCompiler } from '../schema.ts';
import { buildCatalog, type Catalog } from './catalog.ts';
import { Claims } from './claims.ts';
import { isMcpServer, type McpServer, mcpServer } from './definition.ts';
import { type CodeSource, importTool } from './tool-module.ts';

/** What work on another thread needs of its node; it does not change. */
export interface WorkBounds {
  readonly limits: McpLimits;
  readonly claims: SharedArrayBuffer;
}

export interface ImportedCatalog {
  readonly catalog: Catalog;
  readonly limits: McpLimits;
  readonly claims: Claims;
}

/** By node, server and module: what this thread would make again for each request. */
const imported = new Map<string, MaybePromise<ImportedCatalog>>();

/**
 * No promise once it is there: work that begins goes on in the same turn. Rejects if the module does not export the
 * server by default; the next request tries again.
 */
export function importedCatalog(
  node: string,
  server: string,
  source: CodeSource,
  tool: string,
  bounds: () => Promise<WorkBounds>,
): MaybePromise<ImportedCatalog> {
  // Node and server names have no line breaks, nor has a URL.
  const { module, exportName } = source;
  const own = exportName === undefined ? '' : `\n${exportName}\n${tool}`;
  const key = `${node}\n${server}\n${module}${own}`;
  const known = imported.get(key);
  // One that failed may have failed because of who asked first: this one asks for itself.
  if (known instanceof Promise) return known.catch(() => importCatalog(server, source, tool, bounds));
  if (known !== undefined) return known;
  const importing = importCatalog(server, source, tool, bounds);
  imported.set(key, importing);
  importing.then(
    (there) => imported.set(key, there),
    () => imported.delete(key), // whoever asked hears of it
  );
  return importing;
}

async function importCatalog(
  server: string,
  source: CodeSource,
  tool: string,
  bounds: () => Promise<WorkBounds>,
): Promise<ImportedCatalog> {
  const { limits, claims } = await bounds();
  const definition = await importServer(server, source, tool);
  return { catalog: buildCatalog(definition, schemaCompiler(limits), limits), limits, claims: new Claims(claims) };
}

async function importServer(server: string, { module, exportName }: CodeSource, tool: string): Promise<McpServer> {
  if (exportName !== undefined) {
    // Of a server that has been changed here is this one tool.
    const imported = await importTool(tool, { module, exportName });
    return mcpServer(server, { info: { name: server, version: 'changed' }, tools: { [tool]: imported } });
  }
  const { default: definition } = (await importModule(module)) as { readonly default?: unknown };
  if (isMcpServer(definition)) return definition;
  throw new Error(`${module} must export the server ${quoted(server)} by default: export default mcpServer(…)`);
}
