/** Lists in pages (2025-11-25 and 2026-07-28, pagination). Pure. */

import { createHash } from 'node:crypto';
import type { McpLimits } from '../limits.ts';
import type { Implementation, Revision } from '../revision/contract.ts';

/** The lists of a server, by the member that a page of them has. */
export const LISTS = ['tools', 'resources', 'resourceTemplates', 'prompts'] as const;
export type ListName = (typeof LISTS)[number];

/** Results by the cursor that asks for them; the first by undefined. */
export type Pages = ReadonlyMap<string | undefined, object>;

/** The same for the same JSON. */
export function digestOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64url');
}

/** A cursor names the list it is of and where to go on: one of another list, or made up, finds no page. */
export function pagesOf(
  list: ListName,
  shown: readonly object[],
  revision: Revision,
  serverInfo: Implementation,
  { listPageMax, listFreshMs }: McpLimits,
): Pages {
  const digest = digestOf([list, shown]).slice(0, 12);
  const cursorAt = (start: number): string => Buffer.from(`${digest}.${start}`).toString('base64url');
  const pages = new Map<string | undefined, object>();
  for (let start = 0; start === 0 || start < shown.length; start += listPageMax) {
    const end = start + listPageMax;
    const page = {
      [list]: shown.slice(start, end),
      ...(end < shown.length ? { nextCursor: cursorAt(end) } : {}),
    };
    const result = revision.result(page, serverInfo, { ttlMs: listFreshMs, cacheScope: 'public' });
    pages.set(start === 0 ? undefined : cursorAt(start), Object.freeze(result));
  }
  return pages;
}
