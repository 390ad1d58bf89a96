/** A client in a system of its own, on a clock that the test moves, against a server that is the test. */

import { clientOf, type McpClient, type McpClientSpec, mcpClient } from '../../mcp/client/index.ts';
import type { SystemOptions } from '../../runtime/index.ts';
import { deepFreeze } from '../../runtime/testing.ts';
import { ClientEvents } from './mcp-client-events.ts';
import { ScriptedServer } from './scripted-server.ts';
import { type Cleanup, startTestSystem, systemName, type TestSystem } from './test-system.ts';

export interface TestClient extends TestSystem {
  readonly client: McpClient;
  readonly events: ClientEvents;
  readonly server: ScriptedServer;
}

export async function startTestClient(
  t: Cleanup,
  spec: Partial<McpClientSpec> = {},
  server: ScriptedServer = new ScriptedServer(),
  options: Partial<SystemOptions> = {},
): Promise<TestClient> {
  const name = systemName();
  const events = new ClientEvents(t, name);
  const child = mcpClient('c', { transport: server.transport, chance: () => 0, ...spec });
  const system = await startTestSystem(t, { name, onSend: deepFreeze, ...options, children: [child] });
  return { ...system, client: clientOf(system.system, 'c'), events, server };
}

/** A client that has agreed on a revision with the server: a session, or none. */
export async function startReadyClient(
  t: Cleanup,
  era: 'sessions' | 'stateless',
  spec: Partial<McpClientSpec> = {},
  server: ScriptedServer = new ScriptedServer(),
): Promise<TestClient> {
  const test = await startTestClient(t, { negotiation: era === 'sessions' ? 'legacy' : 'auto', ...spec }, server);
  if (era === 'sessions') await server.initialize({}, server.kind === 'http' ? { 'mcp-session-id': 's-1' } : {});
  else await server.discover();
  await test.events.state('ready');
  return test;
}
