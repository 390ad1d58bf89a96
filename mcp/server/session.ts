import { type Context, type GenServer, genServer, noreply, type Pid, type Ref, stop } from '../../runtime/index.ts';
import type { McpLimits } from '../limits.ts';
import { nodeNames, sessionName } from './node-names.ts';
import type { SessionRecord } from './session-store.ts';

export interface SessionProtocol {
  readonly cast: {
    /** A message of the session came. */
    readonly touch: void;
    /** A request of the session runs: until it has ended the session is not idle. */
    readonly busy: Pid;
    /** The client, or the end of its stream, ends the session. */
    readonly end: void;
  };
  readonly info: { readonly idle: void };
}

export interface SessionStart {
  readonly node: string;
  readonly limits: McpLimits;
}

interface State {
  readonly node: string;
  readonly id: string;
  readonly sessionIdleMs: number;
  lastUsedMs: number;
  /** The requests that run, by monitor. */
  readonly running: Set<Ref>;
  readonly streamRef: Ref | undefined;
}

/**
 * One session of the eras that have them (2025-11-25, basic/lifecycle). It is temporary: after a crash the next request
 * makes it again from its record. Its orderly end is the end of the session: the record goes, and the requests that
 * still run see it and stop.
 */
export const Session: GenServer<SessionProtocol, readonly [SessionStart, SessionRecord]> = genServer(
  import.meta,
  'Session',
  {
    init([{ node, limits }, record], ctx): State {
      ctx.setLabel(`session ${record.id}`);
      ctx.register(sessionName(node, record.id));
      ctx.sendAfter(limits.sessionIdleMs, 'idle');
      return {
        node,
        id: record.id,
        sessionIdleMs: limits.sessionIdleMs,
        lastUsedMs: ctx.clock.now(),
        running: new Set(),
        streamRef: record.stream === undefined ? undefined : ctx.monitor(record.stream),
      };
    },
    handleCast: {
      touch: (state, _payload, ctx) => {
        state.lastUsedMs = ctx.clock.now();
        return noreply(state);
      },
      busy: (state, pid, ctx) => {
        state.running.add(ctx.monitor(pid));
        return noreply(state);
      },
      end: (state, _payload, ctx) => {
        forget(state, ctx);
        return stop({ shutdown: 'session_ended' }, state);
      },
    },
    handleInfo: {
      DOWN: (state, { ref }, ctx) => {
        if (ref === state.streamRef) {
          forget(state, ctx);
          return stop({ shutdown: 'stream_ended' }, state);
        }
        state.running.delete(ref);
        state.lastUsedMs = ctx.clock.now();
        return noreply(state);
      },
      // One timer for a whole idle time, however many requests come within it.
      idle: (state, _payload, ctx) => {
        const idleSinceMs = state.running.size > 0 ? ctx.clock.now() : state.lastUsedMs;
        const leftMs = idleSinceMs + state.sessionIdleMs - ctx.clock.now();
        if (leftMs > 0) {
          ctx.sendAfter(leftMs, 'idle');
          return noreply(state);
        }
        forget(state, ctx);
        return stop({ shutdown: 'session_idle' }, state);
      },
    },
  },
);

function forget({ node, id }: State, ctx: Context): void {
  ctx.table(nodeNames(node).sessionTable)?.delete(id);
}
