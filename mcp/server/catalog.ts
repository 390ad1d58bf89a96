/** What a server offers, made ready: validators, and each list as each revision shows it. Pure. */

import { DefinitionError, quoted } from '../errors.ts';
import type { McpLimits } from '../limits.ts';
import type { Implementation, ListedTool, Revision } from '../revision/contract.ts';
import { REVISIONS, SUPPORTED_VERSIONS } from '../revision/registry.ts';
import type { SchemaCompiler, Validator } from '../schema.ts';
import type {
  McpServer,
  PromptDefinition,
  ResourceDefinition,
  TemplateDefinition,
  ToolDefinition,
} from './definition.ts';
import { digestOf, LISTS, type ListName, type Pages, pagesOf } from './pages.ts';
import type { ListDigests } from './subscriptions.ts';

/** With the time that one request may take. */
type Timed<T> = Omit<T, 'timeoutMs'> & { readonly timeoutMs: number };

/** A tool that can be called. */
export interface CatalogTool extends Timed<ToolDefinition> {
  readonly validateInput: Validator;
  readonly validateOutput: Validator | undefined;
}
export type CatalogResource = Timed<ResourceDefinition>;
export type CatalogTemplate = Timed<TemplateDefinition>;
export type CatalogPrompt = Timed<PromptDefinition>;

/** What one revision shows of a server. */
interface View {
  readonly serverInfo: Implementation;
  readonly capabilities: object;
  readonly pages: { readonly [list in ListName]: Pages };
  readonly discovered: object;
}

/** What a server says it can. */
export interface ServerCapabilities {
  readonly tools?: object;
  readonly resources?: object;
  readonly prompts?: object;
  readonly completions?: object;
  readonly logging?: object;
}

export interface Catalog {
  readonly name: string;
  readonly instructions: string | undefined;
  readonly tools: ReadonlyMap<string, CatalogTool>;
  readonly resources: ReadonlyMap<string, CatalogResource>;
  readonly templates: ReadonlyMap<string, CatalogTemplate>;
  readonly prompts: ReadonlyMap<string, CatalogPrompt>;
  /** Whether calls of some of its tools may become tasks. */
  readonly hasTasks: boolean;
  /** The same for every revision; see `View` for what is not. */
  readonly capabilities: ServerCapabilities;
  /** 1 for a server as it was defined, one more with each change. */
  readonly version: number;
  /** See `McpServer`. */
  readonly module: string | undefined;
  readonly changed: ReadonlySet<string>;
  /** What clients see of the lists, in short. */
  readonly digests: ListDigests;
  /** By version. */
  readonly views: ReadonlyMap<string, View>;
}

/**
 * Makes a catalog. Throws `DefinitionError` (`ERR_TOOL`, `ERR_RESOURCE`, `ERR_PROMPT`) for a `timeoutMs` above the
 * limit `requestTimeoutMaxMs`.
 */
export function buildCatalog(definition: McpServer, compile: SchemaCompiler, limits: McpLimits, version = 1): Catalog {
  const { name, info, instructions } = definition;
  const each = <T extends { readonly timeoutMs: number | undefined }>(
    all: ReadonlyMap<string, T>,
    kind: string,
    code: DefinitionError['code'],
  ): Map<string, Timed<T>> => {
    const where = (key: string): string => `server ${quoted(name)}, ${kind} ${quoted(key)}`;
    return new Map([...all].map(([key, one]) => [key, timed(one, where(key), code, limits)]));
  };
  const tools = new Map(
    [...each(definition.tools, 'tool', 'ERR_TOOL')].map(([key, tool]) => [key, callable(tool, compile)]),
  );
  const resources = each(definition.resources, 'resource', 'ERR_RESOURCE');
  const templates = each(definition.templates, 'template', 'ERR_RESOURCE');
  const prompts = each(definition.prompts, 'prompt', 'ERR_PROMPT');
  const offered = { tools, resources, templates, prompts };
  const capabilities = capabilitiesOf(offered);
  const hasTasks = [...tools.values()].some(({ task }) => task !== 'forbidden');
  const listed = {
    tools: [...tools.values()].map(listedTool),
    resources: [...resources.values()].map(({ uri, name: own, announced }) => ({ uri, name: own, ...announced })),
    resourceTemplates: [...templates.values()].map(({ uriTemplate, name: own, announced }) => ({
      uriTemplate: uriTemplate.text,
      name: own,
      ...announced,
    })),
    prompts: [...prompts.values()].map(({ name: own, announced, arguments: args }) => ({
      name: own,
      ...announced,
      ...(args.length === 0 ? {} : { arguments: args }),
    })),
  };
  const views = new Map(
    REVISIONS.map((revision) => {
      const serverInfo = revision.serverInfo({ ...info });
      const shown = (list: ListName): object[] =>
        listed[list].map((item) =>
          list === 'tools' ? revision.listedTool(item as ListedTool) : revision.listed(item),
        );
      const pages = Object.fromEntries(
        LISTS.map((list) => [list, pagesOf(list, shown(list), revision, serverInfo, limits)]),
      ) as { [list in ListName]: Pages };
      const declared = hasTasks ? { ...capabilities, ...revision.tasks?.capabilities } : capabilities;
      const found = {
        supportedVersions: SUPPORTED_VERSIONS,
        capabilities: declared,
        ...(instructions === undefined ? {} : { instructions }),
      };
      const caching = { ttlMs: limits.listFreshMs, cacheScope: 'public' } as const;
      const discovered = Object.freeze(revision.result(found, serverInfo, caching));
      return [revision.version, { serverInfo, capabilities: declared, pages, discovered }];
    }),
  );
  const digests = {
    tools: digestOf(listed.tools),
    resources: digestOf([listed.resources, listed.resourceTemplates]),
    prompts: digestOf(listed.prompts),
  };
  const { module, changed } = definition;
  return Object.freeze({
    name,
    instructions,
    ...offered,
    capabilities,
    hasTasks,
    version,
    digests,
    views,
    module,
    changed,
  });
}

/** The view of a revision of the registry. */
export function viewOf(catalog: Catalog, revision: Revision): View {
  return catalog.views.get(revision.version)!;
}

/** A server that runs no code of its author has nothing to log. */
function capabilitiesOf({ tools, resources, templates, prompts }: Pick<Catalog, Offer>): ServerCapabilities {
  const some = Object.freeze({});
  const changing = Object.freeze({ listChanged: true });
  const completes = [...templates.values(), ...prompts.values()].some(({ complete }) => complete.size > 0);
  const hasResources = resources.size > 0 || templates.size > 0;
  return Object.freeze({
    ...(tools.size === 0 ? {} : { tools: changing }),
    ...(hasResources ? { resources: Object.freeze({ subscribe: true, listChanged: true }) } : {}),
    ...(prompts.size === 0 ? {} : { prompts: changing }),
    ...(completes ? { completions: some } : {}),
    ...(tools.size > 0 || hasResources || prompts.size > 0 ? { logging: some } : {}),
  });
}
type Offer = 'tools' | 'resources' | 'templates' | 'prompts';

function timed<T extends { readonly timeoutMs: number | undefined }>(
  definition: T,
  where: string,
  code: DefinitionError['code'],
  limits: McpLimits,
): Timed<T> {
  const { timeoutMs = limits.requestTimeoutMs } = definition;
  if (timeoutMs > limits.requestTimeoutMaxMs) {
    const reason = `timeoutMs is ${timeoutMs}, the limit requestTimeoutMaxMs is ${limits.requestTimeoutMaxMs}`;
    throw new DefinitionError(code, `${where}: ${reason}`);
  }
  return Object.freeze({ ...definition, timeoutMs });
}

function callable(tool: Timed<ToolDefinition>, compile: SchemaCompiler): CatalogTool {
  const { input, output } = tool;
  return Object.freeze({
    ...tool,
    validateInput: compile(input),
    validateOutput: output === undefined ? undefined : compile(output),
  });
}

function listedTool({ name, announced, input, output, task }: CatalogTool): ListedTool {
  const schemas = output === undefined ? {} : { outputSchema: output.schema };
  const execution = task === 'forbidden' ? {} : { execution: { taskSupport: task } };
  return { name, ...announced, inputSchema: input.schema, ...schemas, ...execution };
}
