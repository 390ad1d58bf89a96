import { type Channel, channel } from 'node:diagnostics_channel';
import type { ExitReason, Pid } from '../../runtime/index.ts';
import type { McpFailure } from './failure.ts';

/**
 * What a client reports on the channel `beamish:mcp-client`. `event`:
 *
 * - `'state'`: the connection is `'connecting'`, `'ready'`, `'waiting'`, in a `'crash_loop'` or `'unauthorized'`.
 * - `'log'`: a line that the server wrote to its standard error.
 * - `'malformed'`: the server sent what is no message; `problem` says why, `text` is its beginning.
 * - `'unknown_response'`: an answer to no request of ours. `'late_response'`: to one that has ended already; dropped.
 * - `'unknown_progress'`, `'unhandled_request'`: for a request that has ended; a method nobody handles here.
 * - `'handler_failed'`: a function of the user threw; only its process ended.
 * - `'retry'`: a request that is safe to repeat is sent again.
 * - `'older_transport'`: the server refuses Streamable HTTP, as `problem` says; HTTP+SSE is tried at its address.
 * - `'session_lost'`: the server does not know its session any more; a new one is opened.
 * - `'listening'`: a server of the stateless era has opened the stream that tells what changes.
 * - `'task_update_failed'`: a task could not be told of an answer or of its cancellation.
 * - `'subscription_failed'`: a subscription could not be opened again.
 */
export interface McpClientEvent {
  readonly system: string;
  readonly pid: Pid;
  readonly client: string;
  readonly event:
    | 'state'
    | 'log'
    | 'malformed'
    | 'unknown_response'
    | 'late_response'
    | 'unknown_progress'
    | 'unhandled_request'
    | 'handler_failed'
    | 'retry'
    | 'older_transport'
    | 'session_lost'
    | 'listening'
    | 'task_update_failed'
    | 'subscription_failed';
  readonly state?: string;
  readonly text?: string;
  readonly problem?: string;
  readonly id?: string | number;
  readonly method?: string;
  readonly reason?: ExitReason;
  readonly failure?: McpFailure;
  /** Until the next attempt to connect. */
  readonly delayMs?: number;
}

/** The name of the channel; subscribe with `node:diagnostics_channel`. */
export const MCP_CLIENT_CHANNEL = 'beamish:mcp-client';

export const mcpClientEvents: Channel = channel(MCP_CLIENT_CHANNEL);
