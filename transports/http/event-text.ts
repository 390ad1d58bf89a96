import { serialise } from '../serialise.ts';
import type { Outbound } from '../transport.ts';

/** A message as an event of an event stream (HTML standard, server-sent events). */
export function eventText(message: object | undefined, sse: Outbound['sse']): string {
  const { id, retryMs } = sse ?? {};
  const fields = `${id === undefined ? '' : `id: ${id}\n`}${retryMs === undefined ? '' : `retry: ${retryMs}\n`}`;
  // An event without data would be dropped by the client, id and all, if the field were not there.
  if (message === undefined) return `${fields}data: \n\n`;
  return `event: message\n${fields}data: ${serialise(message)}\n\n`;
}

/** A comment, which clients skip. */
export const KEEP_ALIVE_COMMENT = ': keep-alive\n\n';
