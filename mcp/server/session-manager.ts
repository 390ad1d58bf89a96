import { randomUUID } from 'node:crypto';
import {
  type Call,
  type Context,
  type GenServer,
  genServer,
  reply,
  startChild,
  type Table,
} from '../../runtime/index.ts';
import type { McpLimits } from '../limits.ts';
import type { Negotiated } from './methods/outcome.ts';
import { type NodeNames, nodeNames, sessionName } from './node-names.ts';
import type { SessionRecord } from './session-store.ts';

export interface SessionManagerProtocol {
  readonly call: {
    /** `error`: `'too_many_sessions'`, or why the process did not start. */
    readonly open: Call<{ readonly server: string; readonly negotiated: Negotiated }, OpenResult>;
    /** Makes the process of a known session again if it has none. */
    readonly restore: Call<string, 'ok' | { readonly error: unknown }>;
  };
}

export type OpenResult = { readonly ok: string } | { readonly error: unknown };

export interface SessionManagerStart {
  readonly node: string;
  readonly limits: McpLimits;
}

interface State extends SessionManagerStart {
  readonly names: NodeNames;
}

/**
 * Opens sessions and brings back those whose process has crashed. It keeps nothing itself: records are in the session
 * store's table, so its own crash costs nobody a session.
 */
export const SessionManager: GenServer<SessionManagerProtocol, SessionManagerStart> = genServer(
  import.meta,
  'SessionManager',
  {
    init(start, ctx): State {
      ctx.setLabel(`session manager of ${start.node}`);
      return { ...start, names: nodeNames(start.node) };
    },
    handleCall: {
      open: async (state, { server, negotiated }, ctx) => {
        const records = recordsOf(state, ctx);
        if (records === undefined) return reply<OpenResult, State>({ error: 'no_session_store' }, state);
        if (records.size >= state.limits.sessionsMax)
          return reply<OpenResult, State>({ error: 'too_many_sessions' }, state);
        const record: SessionRecord = { id: randomUUID(), server, ...negotiated };
        const started = await startChild(ctx, state.names.sessionSup, record);
        if ('error' in started) return reply<OpenResult, State>({ error: started.error }, state);
        records.set(record.id, record);
        return reply<OpenResult, State>({ ok: record.id }, state);
      },
      restore: async (state, id, ctx) => {
        if (ctx.whereis(sessionName(state.node, id)) !== undefined) return reply('ok' as const, state);
        const record = recordsOf(state, ctx)?.get(id);
        if (record === undefined) return reply({ error: 'not_found' as unknown }, state);
        const started = await startChild(ctx, state.names.sessionSup, record);
        return 'error' in started ? reply({ error: started.error }, state) : reply('ok' as const, state);
      },
    },
  },
);

function recordsOf({ names }: State, ctx: Context): Table<string, SessionRecord> | undefined {
  return ctx.table(names.sessionTable);
}
