import type { Readable, Writable } from 'node:stream';
import { type ChildSpec, child, type ExitReason, type GenServer, genServer } from '../runtime/index.ts';
import { type ConnectionStart, connectionServer } from './connection.ts';
import { DRAIN_MARGIN_MS, resolveLimits, STDIO_LIMITS, type TransportLimits } from './limits.ts';
import type { ConnectionMessages } from './peer.ts';
import { StdioPeer, type StdioStreams } from './stdio-peer.ts';
import type { EndpointSpec, Transport } from './transport.ts';

/** Options of `stdio`: streams and callback below, and any bound of `TransportLimits` (defaults in `STDIO_LIMITS`). */
export interface StdioOptions extends Partial<TransportLimits> {
  /** Default `'stdio'`. The connection process is registered as `<id>_connection`. */
  readonly id?: string;
  /** Where the peer's messages come from. Default `process.stdin`. */
  readonly input?: Readable;
  /** Where messages to the peer go. Default `process.stdout`; nothing else may write there. */
  readonly output?: Writable;
  /**
   * Called once when the connection process has exited: `'normal'` after the end of the input or when the reader has
   * gone, `'shutdown'` when a supervisor stopped it, else the reason of the failure. A program that serves its
   * standard streams stops its system here, unless the reason is `'shutdown'`.
   */
  readonly onClose?: (reason: ExitReason) => void;
}

type StdioStart = ConnectionStart & StdioStreams;

/** The one connection of a stdio transport. Internal: started from the child specification of `stdio`. */
export const StdioConnection: GenServer<ConnectionMessages, StdioStart> = genServer(
  import.meta,
  'StdioConnection',
  connectionServer<StdioStart>(
    (start) => new StdioPeer(start, start.limits),
    (start) => start,
  ),
);

/**
 * Messages as lines of JSON on a pair of streams (MCP, transports: stdio). One connection, which is `'temporary'`:
 * when it ends, whether the input came to its end or the endpoint failed, it is not restarted, since the answers that
 * the peer still waits for are lost; its end is the peer's signal to start the program anew. `onClose` tells of it.
 *
 * - The end of the input finishes what is open (up to `drainTimeoutMs`), then ends the connection.
 * - A reader who has closed the output (EPIPE) ends it at once; open exchanges are aborted.
 * - A line past `messageBytesMax`, or one that is not UTF-8, reaches the endpoint as a `fault`, which it answers as a
 *   parse error.
 * - Input is not read while the output is not taken, or while `openExchangesMax` exchanges are open.
 * - Streams given as options are closed with the connection; `process.stdin` and `process.stdout` are not.
 *
 * Throws `TransportOptionError` (`ERR_TRANSPORT_OPTION`) if a bound is no positive integer.
 */
export function stdio(options: StdioOptions = {}): Transport {
  const { id = 'stdio', input, output, onClose } = options;
  const limits = resolveLimits(STDIO_LIMITS, options);
  return {
    id,
    childSpec(endpoint: EndpointSpec): ChildSpec {
      return child(
        StdioConnection,
        { id, endpoint, limits, input, output, onClose },
        {
          id,
          name: `${id}_connection`,
          restart: 'temporary',
          shutdown: limits.drainTimeoutMs + DRAIN_MARGIN_MS,
        },
      );
    },
  };
}
