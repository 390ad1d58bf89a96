/** MCP 2025-06-18: as 2025-11-25, without icons, tasks and what later revisions let a server say of itself. */

import { revision20251125 } from './2025-11-25.ts';
import type { Implementation, Revision } from './contract.ts';
import { only, without } from './members.ts';
import { toolCallProblem } from './params.ts';

export const revision20250618: Revision = {
  ...revision20251125,
  version: '2025-06-18',
  resumption: 'events',
  tasks: undefined,
  requests: new Map([
    ...[...revision20251125.requests].filter(([method]) => !method.startsWith('tasks/')),
    ['tools/call', { problem: toolCallProblem, capability: 'tools' }],
  ]),
  serverNotifications: new Set(
    [...revision20251125.serverNotifications].filter((method) => method !== 'notifications/tasks/status'),
  ),
  clientCapabilities: ['roots', 'sampling', 'elicitation', 'experimental'],

  listedTool: (tool) => without(revision20251125.listedTool(tool), ['icons', 'execution']),
  listed: (item) => without(item, ['icons']),
  content: (block) => without(block, ['icons']),
  serverInfo: (info) => only<Implementation, 'name' | 'version' | 'title'>(info, ['name', 'version', 'title']),
  toolResult: (result, server) =>
    revision20251125.toolResult({ ...result, content: result.content.map(revision20250618.content) }, server),
};
