import type { Messaging } from '../../runtime/index.ts';
import { DefinitionError, quoted } from '../errors.ts';
import { isJsonObject } from '../json-rpc.ts';
import type { Prompt } from '../prompt.ts';
import type { ServerAddress } from '../request-context.ts';
import type { Resource, ResourceTemplate } from '../resource.ts';
import type { Tool } from '../tool.ts';
import { isMcpServer, type McpServer, redefineServer } from './definition.ts';
import { nodeNames } from './node-names.ts';
import { type ToolModule, toolModules } from './tool-module.ts';

/** What changes of a server: each is added, or replaced where it stands; `null` removes. What is not named stays. */
export interface ServerChange {
  readonly instructions?: string | null;
  readonly tools?: { readonly [name: string]: Tool | ToolModule | null };
  readonly resources?: { readonly [uri: string]: Resource | null };
  readonly templates?: { readonly [name: string]: ResourceTemplate | null };
  readonly prompts?: { readonly [name: string]: Prompt | null };
}

/**
 * Changes a server while it serves, or replaces it by a whole one of the same name. Requests in flight finish with what
 * they began with; those that begin later meet the change; no request is dropped. Clients that listen are told which
 * lists have changed, if what they see of them has.
 *
 * A tool that is a function runs on the main thread from then on, since it cannot cross to another. One that is named
 * by its module runs where it asks for, and may be named from any thread; it is imported for that, within 30 s. What a
 * URL has brought stays in memory: other code needs another URL, such as one that ends in `?v=2`.
 *
 *     await changeServer(system, { node: 'mcp', name: 'sums' }, { tools: { add: better, old: null } });
 *     await changeServer(ctx, ctx.server, { prompts: { more } }); // from a tool
 *     await changeServer(system, address, { tools: { add: { module: 'file:///tools/add-2.js', exportName: 'add' } } });
 *
 * A change survives the crash of the registry, not the end of the system. Rejects with a `DefinitionError` if what it
 * would become cannot be used, or there is no such server (`ERR_SERVER`); nothing has changed then. With a `CallError`
 * if the node is not there.
 */
export async function changeServer(
  via: Pick<Messaging, 'call'>,
  { node, name }: ServerAddress,
  change: ServerChange | McpServer,
): Promise<void> {
  const registry = nodeNames(node).registry;
  // What is imported has a deadline there.
  const timeoutMs = toolModules(change).length === 0 ? {} : ({ timeoutMs: 'infinity' } as const);
  const answer = await via.call(registry, 'change', { server: name, change }, timeoutMs);
  if (answer !== 'ok') throw new DefinitionError(answer.code, answer.message);
}

/**
 * Tells those who have subscribed to a resource that its contents have changed. Never fails; a node that is not there
 * has no subscribers.
 */
export function resourceUpdated(
  via: Pick<Messaging, 'cast'>,
  { node, name: server }: ServerAddress,
  uri: string,
): void {
  via.cast(nodeNames(node).subscriptionHub, 'updated', { server, uri });
}

/** The server as it becomes. Pure. Throws `DefinitionError`. */
export function changedServer(current: McpServer, change: ServerChange | McpServer): McpServer {
  const where = `server ${quoted(current.name)}`;
  if (isMcpServer(change)) {
    if (change.name === current.name) return change;
    throw new DefinitionError('ERR_SERVER', `${where} cannot be replaced by ${quoted(change.name)}: names differ`);
  }
  if (!isJsonObject(change)) {
    throw new DefinitionError('ERR_SERVER', `${where}: a change must be { tools, … } or a server of the same name`);
  }
  return redefineServer(current, change as ServerChange);
}
