import { type GenServer, genServer, noreply, type Pid, stop } from '../../runtime/index.ts';
import type { ConnectionProtocol, Outbound } from '../../transports/transport.ts';

export interface BatchStart {
  readonly connection: Pid<ConnectionProtocol>;
  /** The exchange in which the batch came. */
  readonly exchange: number;
  /** How many messages it has: their exchanges are 1, 2, 3 … */
  readonly parts: number;
}

interface State extends BatchStart {
  /** The messages that are not answered yet. */
  readonly open: Set<number>;
  /** Whether anything was sent: the exchange of a batch without requests ends without a message. */
  spoke: boolean;
}

/**
 * Stands for the connection to those who answer the messages of a batch (2025-03-26, basic, Batching). What they send
 * goes on in the exchange of the batch, which ends when each of them has ended its own.
 */
export const Batch: GenServer<ConnectionProtocol, readonly [object, BatchStart]> = genServer(import.meta, 'Batch', {
  init([, start], ctx): State {
    ctx.setLabel(`batch of ${start.parts} messages`);
    ctx.monitor(start.connection);
    return { ...start, open: new Set(Array.from({ length: start.parts }, (_, part) => part + 1)), spoke: false };
  },
  handleCast: {
    send: (state, { exchange: part, message, end }: Outbound, ctx) => {
      const { open, connection, exchange } = state;
      if (!open.has(part)) return noreply(state); // it has ended
      if (message !== undefined) {
        state.spoke = true;
        ctx.cast(connection, 'send', { exchange, message, end: false });
      }
      if (end) open.delete(part);
      if (open.size > 0) return noreply(state);
      ctx.cast(connection, 'send', { exchange, end: true, ...(state.spoke ? {} : { http: { status: 202 } }) });
      return stop('normal', state);
    },
    close: (state, reason) => stop(reason, state),
  },
  handleInfo: { DOWN: (state) => stop({ shutdown: 'connection_lost' }, state) },
});
