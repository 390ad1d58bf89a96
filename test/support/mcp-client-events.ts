/** What the clients of a system report, kept and waited for. */

import { MCP_CLIENT_CHANNEL, type McpClientEvent } from '../../mcp/client/index.ts';
import { onEvent } from './supervision-trace.ts';
import type { Cleanup } from './test-system.ts';

export class ClientEvents {
  readonly all: McpClientEvent[] = [];
  private readonly waiting = new Set<() => void>();

  constructor(t: Cleanup, system: string) {
    onEvent<McpClientEvent>(t, MCP_CLIENT_CHANNEL, system, (event) => {
      this.all.push(event);
      for (const look of [...this.waiting]) look();
    });
  }

  /** Those of one kind, so far. */
  of(kind: McpClientEvent['event']): McpClientEvent[] {
    return this.all.filter(({ event }) => event === kind);
  }

  /** The first of a kind that passes, now or later. */
  until(
    kind: McpClientEvent['event'],
    accept: (event: McpClientEvent) => boolean = () => true,
  ): Promise<McpClientEvent> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = this.of(kind).find(accept);
        if (found === undefined) return;
        this.waiting.delete(look);
        resolve(found);
      };
      this.waiting.add(look);
      look();
    });
  }

  /** The state after that many changes of it. */
  state(name: string, count = 1): Promise<McpClientEvent> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = this.of('state').filter(({ state }) => state === name);
        if (found.length < count) return;
        this.waiting.delete(look);
        resolve(found[count - 1]!);
      };
      this.waiting.add(look);
      look();
    });
  }
}
