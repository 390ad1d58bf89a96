import {
  type Call,
  type Context,
  type From,
  type GenServer,
  genServer,
  name,
  noreply,
  type Ref,
  reply,
  type Table,
} from '../../runtime/index.ts';
import { DefinitionError, quoted } from '../errors.ts';
import type { McpLimits } from '../limits.ts';
import { type SchemaCompiler, schemaCompiler } from '../schema.ts';
import { buildCatalog, type Catalog } from './catalog.ts';
import { isMcpServer, type McpServer } from './definition.ts';
import { type NodeNames, nodeNames } from './node-names.ts';
import { changedServer, type ServerChange } from './server-change.ts';
import { importTool, type SourcedTool, toolModules } from './tool-module.ts';

export interface RegistryStart {
  readonly node: string;
  readonly servers: readonly McpServer[];
  readonly limits: McpLimits;
}

export interface RegistryProtocol {
  readonly call: {
    readonly change: Call<
      { readonly server: string; readonly change: ServerChange | McpServer },
      'ok' | { readonly code: DefinitionError['code']; readonly message: string }
    >;
  };
  /** The tools of a change were imported, or could not be; or that has taken too long. */
  readonly info: { readonly imported: Ref; readonly import_late: void };
}

interface State {
  readonly names: NodeNames;
  readonly limits: McpLimits;
  readonly compile: SchemaCompiler;
  readonly catalogs: Table<string, Catalog>;
  readonly definitions: Table<string, Defined>;
  /** Changes whose tools are being imported. */
  readonly imports: Map<Ref, Importing>;
}

type Change = ServerChange | McpServer;
type Changed = 'ok' | { readonly code: DefinitionError['code']; readonly message: string };

/** A change that begins when its tools are there. */
interface Importing {
  readonly from: From<Changed>;
  readonly server: string;
  readonly change: ServerChange;
  outcome: { readonly tools: readonly SourcedTool[] } | { readonly error: unknown } | undefined;
}

/** How long code at the top of a module may take, as on other threads. */
const IMPORT_MS = 30_000;

/** A server as it is now, and how many versions of it there were. */
interface Defined {
  readonly server: McpServer;
  readonly version: number;
}

/**
 * What the servers of a node offer, compiled once, in a table that every request reads: a call to one process on the
 * path of all requests would be the bottleneck of the node. If the registry crashes, its successor makes the table
 * again, from the definitions as they have been changed.
 */
export const Registry: GenServer<RegistryProtocol, RegistryStart> = genServer(import.meta, 'Registry', {
  init({ node, servers, limits }, ctx): State {
    ctx.setLabel(`registry of ${node}`);
    const names = nodeNames(node);
    const state: State = {
      names,
      limits,
      compile: schemaCompiler(limits),
      catalogs: ctx.newTable<string, Catalog>(names.catalogTable),
      definitions: definitionsOf(names, ctx),
      imports: new Map(),
    };
    for (const server of servers) {
      const current = state.definitions.get(server.name) ?? { server, version: 1 };
      state.definitions.set(server.name, current);
      state.catalogs.set(server.name, buildCatalog(current.server, state.compile, limits, current.version));
    }
    return state;
  },
  handleCall: {
    change: (state, { server, change }, ctx) => {
      let modules: ReturnType<typeof toolModules>;
      try {
        modules = isMcpServer(change) ? [] : toolModules(change);
      } catch (error) {
        return reply(refusal(error), state);
      }
      if (modules.length === 0) return reply(changeNow(state, server, change, ctx), state);
      const late = ctx.sendAfter(IMPORT_MS, 'import_late');
      const importing: Importing = { from: ctx.from, server, change: change as ServerChange, outcome: undefined };
      state.imports.set(late, importing);
      const done = (outcome: Importing['outcome']): void => {
        importing.outcome = outcome;
        if (ctx.isAlive(ctx.self)) ctx.send(ctx.self, 'imported', late);
      };
      Promise.all(modules.map(([name, of]) => importTool(name, of))).then(
        (tools) => done({ tools }),
        (error: unknown) => done({ error }),
      );
      return noreply(state);
    },
  },
  handleInfo: {
    imported: (state, late, ctx) => {
      const importing = state.imports.get(late);
      state.imports.delete(late);
      ctx.cancelTimer(late);
      if (importing?.outcome === undefined) return noreply(state); // its time was over
      const { from, server, change, outcome } = importing;
      if ('error' in outcome) ctx.replyTo(from, refusal(outcome.error));
      else ctx.replyTo(from, changeNow(state, server, withTools(change, outcome.tools), ctx));
      return noreply(state);
    },
    import_late: (state, _payload, ctx) => {
      for (const [late, { from, change, outcome }] of state.imports) {
        if (outcome !== undefined || ctx.readTimer(late) !== false) continue;
        state.imports.delete(late);
        const what = toolModules(change).map(([name, { module }]) => `tool ${quoted(name)}: ${module}`);
        ctx.replyTo(from, { code: 'ERR_TOOL', message: `not imported within ${IMPORT_MS} ms: ${what.join(', ')}` });
      }
      return noreply(state);
    },
  },
});

/** In the order in which `toolModules` has named them. */
function withTools(change: ServerChange, tools: readonly SourcedTool[]): ServerChange {
  const named = toolModules(change).map(([name], n) => [name, tools[n]!] as const);
  return { ...change, tools: { ...change.tools, ...Object.fromEntries(named) } };
}

function changeNow(state: State, server: string, change: Change, ctx: Context): Changed {
  const current = state.definitions.get(server);
  try {
    if (current === undefined) throw new DefinitionError('ERR_SERVER', `there is no server ${quoted(server)}`);
    const changed = changedServer(current.server, change);
    const version = current.version + 1;
    // All of it first: what cannot be used must change nothing.
    const catalog = buildCatalog(changed, state.compile, state.limits, version);
    state.definitions.set(server, { server: changed, version });
    state.catalogs.set(server, catalog);
  } catch (error) {
    return refusal(error);
  }
  ctx.cast(state.names.subscriptionHub, 'changed', server);
  return 'ok';
}

function refusal(error: unknown): Changed {
  if (!(error instanceof DefinitionError)) throw error;
  return { code: error.code, message: error.message };
}

/** Kept by the first process of the system: they must not end with this one. */
function definitionsOf({ definitionTable }: NodeNames, ctx: Context): Table<string, Defined> {
  const known: Table<string, Defined> | undefined = ctx.table(definitionTable);
  if (known !== undefined) return known;
  const heir = ctx.whereis(name('init'));
  return ctx.newTable<string, Defined>(definitionTable, { access: 'public', ...(heir && { heir }) });
}
