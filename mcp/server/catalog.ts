/** What a server offers, made ready: validators, and each list as each revision shows it. Pure. */

import { createHash } from 'node:crypto';
import { DefinitionError, quoted } from '../errors.ts';
import type { McpLimits } from '../limits.ts';
import type { Implementation, ListedTool, Revision } from '../revision/contract.ts';
import { REVISIONS, SUPPORTED_VERSIONS } from '../revision/registry.ts';
import type { SchemaCompiler, Validator } from '../schema.ts';
import type { McpServer, ToolDefinition } from './definition.ts';

/** A tool that can be called. */
export interface CatalogTool extends Omit<ToolDefinition, 'timeoutMs'> {
  readonly validateInput: Validator;
  readonly validateOutput: Validator | undefined;
  /** How long one call may take. */
  readonly timeoutMs: number;
}

/** What one revision shows of a server. */
interface View {
  readonly serverInfo: Implementation;
  /** Pages of `tools/list` by the cursor that asks for them; the first by undefined. */
  readonly toolPages: ReadonlyMap<string | undefined, object>;
  readonly discovered: object;
}

export interface Catalog {
  readonly name: string;
  readonly instructions: string | undefined;
  readonly tools: ReadonlyMap<string, CatalogTool>;
  /** The same for every revision. */
  readonly capabilities: { readonly tools?: object };
  /** By version. */
  readonly views: ReadonlyMap<string, View>;
}

/**
 * Makes a catalog. Throws `DefinitionError` (`ERR_TOOL`) for a `timeoutMs` above the limit `requestTimeoutMaxMs`.
 */
export function buildCatalog(definition: McpServer, compile: SchemaCompiler, limits: McpLimits): Catalog {
  const { name, info, instructions } = definition;
  const tools = new Map([...definition.tools.values()].map((tool) => [tool.name, ready(tool, name, compile, limits)]));
  const capabilities = Object.freeze(tools.size === 0 ? {} : { tools: Object.freeze({}) });
  const listed = [...tools.values()].map(listedTool);
  const views = new Map(
    REVISIONS.map((revision) => {
      const serverInfo = revision.serverInfo({ ...info });
      const toolPages = pagesOf(listed, revision, serverInfo, limits);
      const found = {
        supportedVersions: SUPPORTED_VERSIONS,
        capabilities,
        ...(instructions === undefined ? {} : { instructions }),
      };
      const discovered = Object.freeze(revision.result(found, serverInfo, { freshMs: limits.listFreshMs }));
      return [revision.version, { serverInfo, toolPages, discovered }];
    }),
  );
  return Object.freeze({ name, instructions, tools, capabilities, views });
}

/** The view of a revision of the registry. */
export function viewOf(catalog: Catalog, revision: Revision): View {
  return catalog.views.get(revision.version)!;
}

function ready(definition: ToolDefinition, server: string, compile: SchemaCompiler, limits: McpLimits): CatalogTool {
  const { timeoutMs = limits.requestTimeoutMs } = definition;
  if (timeoutMs > limits.requestTimeoutMaxMs) {
    const where = `server ${quoted(server)}, tool ${quoted(definition.name)}`;
    const reason = `timeoutMs is ${timeoutMs}, the limit requestTimeoutMaxMs is ${limits.requestTimeoutMaxMs}`;
    throw new DefinitionError('ERR_TOOL', `${where}: ${reason}`);
  }
  const { input, output } = definition;
  return Object.freeze({
    ...definition,
    timeoutMs,
    validateInput: compile(input),
    validateOutput: output === undefined ? undefined : compile(output),
  });
}

function listedTool({ name, announced, input, output }: CatalogTool): ListedTool {
  const schemas = output === undefined ? {} : { outputSchema: output.schema };
  return { name, ...announced, inputSchema: input.schema, ...schemas };
}

/** A cursor names the list it is of and where to go on: one of another list, or made up, finds no page. */
function pagesOf(
  tools: readonly ListedTool[],
  revision: Revision,
  serverInfo: Implementation,
  { listPageMax, listFreshMs }: McpLimits,
): ReadonlyMap<string | undefined, object> {
  const shown = tools.map((tool) => revision.listedTool(tool));
  const digest = createHash('sha256').update(JSON.stringify(shown)).digest('base64url').slice(0, 12);
  const cursorAt = (start: number): string => Buffer.from(`${digest}.${start}`).toString('base64url');
  const pages = new Map<string | undefined, object>();
  for (let start = 0; start === 0 || start < shown.length; start += listPageMax) {
    const end = start + listPageMax;
    const page = {
      tools: shown.slice(start, end),
      ...(end < shown.length ? { nextCursor: cursorAt(end) } : {}),
    };
    const result = Object.freeze(revision.result(page, serverInfo, { freshMs: listFreshMs }));
    pages.set(start === 0 ? undefined : cursorAt(start), result);
  }
  return pages;
}
