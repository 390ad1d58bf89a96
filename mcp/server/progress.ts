/** When the progress of a request is worth a notification (2025-11-25 and 2026-07-28, progress). Pure. */

import { notificationMessage } from '../json-rpc.ts';
import type { McpLimits } from '../limits.ts';

/** What was last sent for a request. */
export interface ProgressSent {
  readonly progress: number;
  readonly atMs: number;
}

/**
 * The notification to send, or undefined: progress that does not grow must not be sent, and what follows the last too
 * quickly is dropped, unless it is the end (`progress` has reached `total`).
 */
export function progressNotification(
  token: string | number,
  { progress, total, message }: { readonly progress: number; readonly total?: number; readonly message?: string },
  last: ProgressSent | undefined,
  nowMs: number,
  { progressPauseMs }: McpLimits,
): object | undefined {
  if (!Number.isFinite(progress)) return undefined;
  if (last !== undefined) {
    if (progress <= last.progress) return undefined;
    const ends = total !== undefined && progress >= total;
    if (!ends && nowMs - last.atMs < progressPauseMs) return undefined;
  }
  return notificationMessage('notifications/progress', {
    progressToken: token,
    progress,
    ...(total === undefined || !Number.isFinite(total) ? {} : { total }),
    // The schema has texts only, and a notification that cannot be sent would cost the connection.
    ...(typeof message === 'string' ? { message } : {}),
  });
}
