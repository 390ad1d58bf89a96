/** MCP 2025-06-18: as 2025-11-25, without icons, tasks and what later revisions let a server say of itself. */

import { revision20251125 } from './2025-11-25.ts';
import type { Implementation, Revision } from './contract.ts';
import { only, without } from './members.ts';

export const revision20250618: Revision = {
  ...revision20251125,
  version: '2025-06-18',
  resumption: 'events',
  clientCapabilities: ['roots', 'sampling', 'elicitation', 'experimental'],

  listedTool: (tool) => without(revision20251125.listedTool(tool), ['icons']),
  listed: (item) => without(item, ['icons']),
  content: (block) => without(block, ['icons']),
  serverInfo: (info) => only<Implementation, 'name' | 'version' | 'title'>(info, ['name', 'version', 'title']),
  toolResult: (result, server) =>
    revision20251125.toolResult({ ...result, content: result.content.map(revision20250618.content) }, server),
};
