/** What a client has told a mounted server that its successor must be told again. */

import type { Context } from '../../runtime/index.ts';
import { isJsonObject } from '../json-rpc.ts';
import type { LogLevel } from '../request-context.ts';
import { nodeNames } from '../server/node-names.ts';
import type { SessionRecord } from '../server/session-store.ts';
import type { ForwardRequest } from './forward.ts';

/** The request has succeeded: what it has changed is kept in the record of its session. */
export function remember(node: string, { session, method, params }: ForwardRequest, ctx: Context): void {
  if (session === undefined || !isJsonObject(params)) return;
  const records = ctx.table<string, SessionRecord>(nodeNames(node).sessionTable);
  const record = records?.get(session.id);
  const changed = record && afterwards(record, method, params);
  if (changed !== undefined) records?.set(session.id, changed);
}

function afterwards(
  record: SessionRecord,
  method: string,
  { level, uri }: { readonly level?: unknown; readonly uri?: unknown },
): SessionRecord | undefined {
  if (method === 'logging/setLevel') return { ...record, logLevel: level as LogLevel };
  const others = (record.subscriptions ?? []).filter((each) => each !== uri);
  if (method === 'resources/subscribe') return { ...record, subscriptions: [...others, uri as string] };
  if (method === 'resources/unsubscribe') return { ...record, subscriptions: others };
  return undefined;
}
