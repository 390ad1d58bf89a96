/** What the servers of both official SDKs offer to clients of ours. */

import { z } from 'zod';

export const kinds = [
  { type: 'text' as const, text: 'a text' },
  { type: 'image' as const, data: 'AAAA', mimeType: 'image/png' },
  { type: 'audio' as const, data: 'AAAA', mimeType: 'audio/wav' },
  { type: 'resource' as const, resource: { uri: 'test://text', text: 'inside' } },
  { type: 'resource_link' as const, uri: 'test://text', name: 'a link' },
];
export const described = {
  title: 'Described',
  annotations: { readOnlyHint: true, idempotentHint: true },
  inputSchema: z.object({ n: z.number() }),
  outputSchema: z.object({ twice: z.number() }),
};
export const twice = ({ n }: { n: number }) => ({
  structuredContent: { twice: 2 * n },
  content: [{ type: 'text' as const, text: JSON.stringify({ twice: 2 * n }) }],
});
export const completeId = (value: string) => [`${value}1`, `${value}2`];
