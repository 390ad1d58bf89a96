/** Which log messages a client wants, and how they look (2025-11-25 and 2026-07-28, server/utilities/logging). Pure. */

import { describeExcess, excessOf } from '../json-bounds.ts';
import { notificationMessage } from '../json-rpc.ts';
import type { McpLimits } from '../limits.ts';
import type { LogLevel } from '../request-context.ts';
import { LOG_LEVELS } from '../revision/params.ts';

/** What a session that has not asked for a level is sent. */
export const SESSION_LOG_LEVEL: LogLevel = 'info';

/** The notification to send, or undefined: the client wants none, or none of that level. */
export function logNotification(
  level: LogLevel,
  data: unknown,
  logger: string | undefined,
  wanted: LogLevel | undefined,
  limits: McpLimits,
): object | undefined {
  const grave = LOG_LEVELS.indexOf(level);
  if (wanted === undefined || grave === -1 || grave < LOG_LEVELS.indexOf(wanted)) return undefined;
  return notificationMessage('notifications/message', {
    level,
    ...(typeof logger === 'string' ? { logger } : {}),
    data: sendable(data, limits),
  });
}

/** A copy as JSON: a notification that cannot be written would cost the connection. */
function sendable(data: unknown, { valueDepthMax, valueNodesMax }: McpLimits): unknown {
  if (typeof data === 'string') return data;
  try {
    const excess = excessOf(data, valueDepthMax, valueNodesMax);
    if (excess !== undefined) return `(not sent: it ${describeExcess(excess, valueDepthMax, valueNodesMax)})`;
    const text = JSON.stringify(data);
    return text === undefined ? '(not sent: it is no JSON)' : JSON.parse(text);
  } catch {
    return '(not sent: it cannot be read)'; // a getter or a toJSON of it has thrown
  }
}
