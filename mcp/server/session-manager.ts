import { randomUUID } from 'node:crypto';
import {
  type Call,
  CallError,
  type Context,
  type GenServer,
  genServer,
  noreply,
  type Pid,
  type Ref,
  reply,
  startChild,
  type Table,
} from '../../runtime/index.ts';
import type { McpLimits } from '../limits.ts';
import type { Negotiated } from './methods/outcome.ts';
import { type NodeNames, nodeNames, sessionName } from './node-names.ts';
import { forgetSession, logOf, type SessionRecord } from './session-store.ts';

export interface SessionManagerProtocol {
  readonly call: {
    /** `error`: `'too_many_sessions'`, `'too_many_of_principal'`, or why the process did not start. */
    readonly open: Call<OpenRequest, OpenResult>;
    /** Makes the process of a known session again if it has none. */
    readonly restore: Call<string, 'ok' | { readonly error: unknown }>;
  };
  readonly info: {
    /** A session whose process crashed has had its idle time. */
    readonly expire: string;
  };
}

export interface OpenRequest {
  readonly server: string;
  readonly negotiated: Negotiated;
  /** See `SessionRecord`. */
  readonly stream: Pid | undefined;
  /** See `SessionRecord`. */
  readonly principal: string | undefined;
}

export type OpenResult = { readonly ok: string } | { readonly error: unknown };

export interface SessionManagerStart {
  readonly node: string;
  readonly limits: McpLimits;
}

interface State extends SessionManagerStart {
  readonly names: NodeNames;
  /** The processes that are watched, by monitor. */
  readonly watched: Map<Ref, string>;
  /** Sessions without a process, and the timer that will end them. */
  readonly expiring: Map<string, Ref>;
}

/**
 * Opens sessions and brings back those whose process has crashed. Records are in a table that outlives it, so its own
 * crash costs nobody a session. It also forgets the sessions that nobody has asked for since their process crashed:
 * their idle time ran in that process.
 */
export const SessionManager: GenServer<SessionManagerProtocol, SessionManagerStart> = genServer(
  import.meta,
  'SessionManager',
  {
    init(start, ctx): State {
      ctx.setLabel(`session manager of ${start.node}`);
      const state: State = { ...start, names: nodeNames(start.node), watched: new Map(), expiring: new Map() };
      for (const [id] of recordsOf(state, ctx)?.entries() ?? []) {
        const pid = ctx.whereis(sessionName(state.node, id));
        if (pid === undefined) expireLater(state, id, ctx);
        else state.watched.set(ctx.monitor(pid), id);
      }
      return state;
    },
    handleCall: {
      open: async (state, { server, negotiated, stream, principal }, ctx) => {
        const records = recordsOf(state, ctx);
        if (records === undefined) return reply({ error: 'no_session_store' } as OpenResult, state);
        if (records.size >= state.limits.sessionsMax) return reply({ error: 'too_many_sessions' } as OpenResult, state);
        if (principal !== undefined && countOf(records, principal) >= state.limits.principalSessionsMax) {
          return reply({ error: 'too_many_of_principal' } as OpenResult, state);
        }
        const record: SessionRecord = {
          id: randomUUID(),
          server,
          ...negotiated,
          ...(stream && { stream }),
          ...(principal !== undefined && { principal }),
        };
        const result = await startSession(state, record, ctx);
        if (result !== 'ok') return reply(result as OpenResult, state);
        records.set(record.id, record);
        return reply({ ok: record.id } as OpenResult, state);
      },
      restore: async (state, id, ctx) => {
        if (ctx.whereis(sessionName(state.node, id)) !== undefined) return reply('ok' as const, state);
        const record = recordsOf(state, ctx)?.get(id);
        if (record === undefined) return reply({ error: 'not_found' as unknown }, state);
        return reply(await startSession(state, record, ctx), state);
      },
    },
    handleInfo: {
      DOWN: async (state, { ref }, ctx) => {
        const id = state.watched.get(ref);
        state.watched.delete(ref);
        if (id !== undefined && logOf(state.names, id, undefined, ctx)?.inUse === true) {
          // Somebody listens, and may never ask: it is made again at once.
          const record = recordsOf(state, ctx)?.get(id);
          if (record !== undefined && (await startSession(state, record, ctx)) === 'ok') return noreply(state);
        }
        // After an orderly end there is no record any more; after a crash its next request restores it.
        if (id !== undefined && recordsOf(state, ctx)?.has(id) === true) expireLater(state, id, ctx);
        return noreply(state);
      },
      expire: (state, id, ctx) => {
        // Not if it was restored when this message was already in the mailbox.
        if (state.expiring.delete(id)) {
          for (const { to, outbound } of logOf(state.names, id, undefined, ctx)?.close() ?? [])
            ctx.cast(to, 'send', outbound);
          forgetSession(state.names, id, ctx);
        }
        return noreply(state);
      },
    },
  },
);

/** Sessions end in several places: what is there is counted, not what was opened. */
function countOf(records: Table<string, SessionRecord>, principal: string): number {
  let count = 0;
  for (const [, record] of records.entries()) if (record.principal === principal) count += 1;
  return count;
}

async function startSession(
  state: State,
  record: SessionRecord,
  ctx: Context,
): Promise<'ok' | { readonly error: unknown }> {
  // Its supervisor may be away, being restarted: the client is told to try again.
  const started = await startChild(ctx, state.names.sessionSup, record).catch((error: unknown) => {
    if (error instanceof CallError) return { error: error.reason };
    throw error;
  });
  if ('error' in started) return { error: started.error };
  if (started.ok === undefined) return { error: 'ignored' };
  state.watched.set(ctx.monitor(started.ok), record.id);
  const expiry = state.expiring.get(record.id);
  if (expiry !== undefined) ctx.cancelTimer(expiry);
  state.expiring.delete(record.id);
  return 'ok';
}

function expireLater(state: State, id: string, ctx: Context): void {
  state.expiring.set(id, ctx.sendAfter(state.limits.sessionIdleMs, 'expire', id));
}

function recordsOf({ names }: State, ctx: Context): Table<string, SessionRecord> | undefined {
  return ctx.table(names.sessionTable);
}
