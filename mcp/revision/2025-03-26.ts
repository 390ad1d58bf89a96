/** MCP 2025-03-26: as 2025-06-18, with batches, without titles, structured content, resource links and elicitation. */

import type { ContentBlock } from '../content.ts';
import { isJsonObject } from '../json-rpc.ts';
import { revision20250618 } from './2025-06-18.ts';
import type { Implementation, Revision } from './contract.ts';
import { only, without } from './members.ts';

export const revision20250326: Revision = {
  ...revision20250618,
  version: '2025-03-26',
  batches: true,
  clientCapabilities: ['roots', 'sampling', 'experimental'],

  listedTool: (tool) => only(tool, ['name', 'description', 'inputSchema', 'annotations']),
  listed: (item) => {
    const { arguments: args, annotations, ...rest } = without(item, ['title', 'icons', '_meta']) as Listed;
    return {
      ...rest,
      ...(annotations && { annotations: without(annotations, ['lastModified']) }),
      ...(args && { arguments: args.map((each) => without(each, ['title'])) }),
    };
  },
  content: olderBlock,
  serverInfo: (info) => only<Implementation, 'name' | 'version' | 'title'>(info, ['name', 'version']),
  toolResult: ({ structuredContent: _, content, ...result }) => ({ ...result, content: content.map(olderBlock) }),
};

interface Listed {
  readonly arguments?: readonly object[];
  readonly annotations?: object;
}

/** A link becomes a text that says where it leads: the model can still read it. */
function olderBlock(block: ContentBlock): ContentBlock {
  if (block.type === 'resource_link') {
    const { name, title = name, uri, description } = block;
    const described = description === undefined ? '' : `: ${description}`;
    return { type: 'text', text: `${title} <${uri}>${described}` };
  }
  const { annotations, ...rest } = without(block, ['_meta']) as ContentBlock;
  if (!isJsonObject(annotations)) return rest as ContentBlock;
  return { ...rest, annotations: without(annotations, ['lastModified']) } as ContentBlock;
}
