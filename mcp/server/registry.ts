import { type GenServer, genServer } from '../../runtime/index.ts';
import type { McpLimits } from '../limits.ts';
import { schemaCompiler } from '../schema.ts';
import { buildCatalog, type Catalog } from './catalog.ts';
import type { McpServer } from './definition.ts';
import { nodeNames } from './node-names.ts';

export interface RegistryStart {
  readonly node: string;
  readonly servers: readonly McpServer[];
  readonly limits: McpLimits;
}

/**
 * What the servers of a node offer, compiled once, in a table that every request reads: a call to one process on the
 * path of all requests would be the bottleneck of the node. If the registry crashes, its successor makes the table
 * again.
 */
export const Registry: GenServer<Record<never, never>, RegistryStart> = genServer(import.meta, 'Registry', {
  init({ node, servers, limits }, ctx) {
    ctx.setLabel(`registry of ${node}`);
    const compile = schemaCompiler(limits);
    const table = ctx.newTable<string, Catalog>(nodeNames(node).catalogTable);
    for (const server of servers) table.set(server.name, buildCatalog(server, compile, limits));
    return table;
  },
});
