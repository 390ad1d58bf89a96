/** MCP 2024-11-05, the first: as 2025-03-26, without batches, sounds and hints about tools. */

import type { ContentBlock } from '../content.ts';
import { revision20250326 } from './2025-03-26.ts';
import type { Revision } from './contract.ts';
import { only } from './members.ts';

export const revision20241105: Revision = {
  ...revision20250326,
  version: '2024-11-05',
  batches: false,
  resumption: 'none',

  listedTool: (tool) => only(tool, ['name', 'description', 'inputSchema']),
  content: silentBlock,
  toolResult: (result, server) =>
    revision20250326.toolResult({ ...result, content: result.content.map(silentBlock) }, server),
};

/** A sound cannot be sent; that there was one can. */
function silentBlock(block: ContentBlock): ContentBlock {
  if (block.type !== 'audio') return revision20250326.content(block);
  return { type: 'text', text: `(a sound of type ${block.mimeType}, which this revision cannot carry)` };
}
