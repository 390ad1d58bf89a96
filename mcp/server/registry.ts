import { type Call, type Context, type GenServer, genServer, name, reply, type Table } from '../../runtime/index.ts';
import { DefinitionError, quoted } from '../errors.ts';
import type { McpLimits } from '../limits.ts';
import { type SchemaCompiler, schemaCompiler } from '../schema.ts';
import { buildCatalog, type Catalog } from './catalog.ts';
import type { McpServer } from './definition.ts';
import { type NodeNames, nodeNames } from './node-names.ts';
import { changedServer, type ServerChange } from './server-change.ts';

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
}

interface State {
  readonly names: NodeNames;
  readonly limits: McpLimits;
  readonly compile: SchemaCompiler;
  readonly catalogs: Table<string, Catalog>;
  readonly definitions: Table<string, Defined>;
}

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
        if (!(error instanceof DefinitionError)) throw error;
        return reply({ code: error.code, message: error.message }, state);
      }
      ctx.cast(state.names.subscriptionHub, 'changed', server);
      return reply('ok' as const, state);
    },
  },
});

/** Kept by the first process of the system: they must not end with this one. */
function definitionsOf({ definitionTable }: NodeNames, ctx: Context): Table<string, Defined> {
  const known: Table<string, Defined> | undefined = ctx.table(definitionTable);
  if (known !== undefined) return known;
  const heir = ctx.whereis(name('init'));
  return ctx.newTable<string, Defined>(definitionTable, { access: 'public', ...(heir && { heir }) });
}
