/** A client of ours in a system of its own, connected to whatever server, and what that has told it. */

import {
  type ClientHandlers,
  clientOf,
  type McpClient,
  type McpClientSpec,
  mcpClient,
  type ServerNotification,
} from '../../mcp/client/index.ts';
import { type System, startSystem } from '../../runtime/index.ts';
import { deepFreeze } from '../../runtime/testing.ts';
import type { ClientTransport } from '../../transports/client-transport.ts';
import { ClientEvents } from './mcp-client-events.ts';
import { type Cleanup, killSystem, systemName } from './test-system.ts';

export interface Connected {
  readonly client: McpClient;
  readonly system: System;
  readonly events: ClientEvents;
  readonly told: ServerNotification[];
  /** Resolves when the server has said that. */
  heard(method: string): Promise<void>;
}

export async function connect(
  t: Cleanup,
  transport: ClientTransport,
  more: Partial<McpClientSpec> = {},
): Promise<Connected> {
  const name = systemName();
  const events = new ClientEvents(t, name);
  const told: ServerNotification[] = [];
  const waiting = new Set<() => void>();
  const handlers: ClientHandlers = {
    roots: () => [{ uri: 'file:///here' }],
    sampling({ maxTokens, tools }) {
      const text = tools === undefined ? `${maxTokens}` : `with ${(tools as { name: string }[])[0]!.name}`;
      return { role: 'assistant', content: { type: 'text', text }, model: 'm' };
    },
    elicitation: ({ mode }) => (mode === 'url' ? { action: 'accept' } : { action: 'accept', content: {} }),
    notification: (notification) => {
      told.push(notification);
      for (const look of [...waiting]) look();
    },
  };
  const system = await startSystem({
    name,
    onSend: deepFreeze,
    children: [mcpClient('c', { transport, handlers, capabilities: { sampling: { tools: {} } }, ...more })],
  });
  t.after(() => killSystem(system));
  const heard = (method: string): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (told.some((each) => each.method === method)) resolve();
      };
      waiting.add(look);
      look();
    });
  return { client: clientOf(system, 'c'), system, events, told, heard };
}
