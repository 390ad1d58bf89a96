import { type GenServer, genServer, name, type Pid } from '../../runtime/index.ts';
import type { Pin } from '../era.ts';
import type { LogLevel } from '../request-context.ts';
import type { Negotiated } from './methods/outcome.ts';
import { nodeNames } from './node-names.ts';

/** All that is to be known of a session: plain data, from which its process can be made again. */
export interface SessionRecord extends Negotiated {
  readonly id: string;
  /** Which server of the node it is with. */
  readonly server: string;
  /** The connection of the stream that it ends with; over HTTP a session belongs to no connection. */
  readonly stream?: Pid;
  /** From which level on the client wants log messages, if it has said so. */
  readonly logLevel?: LogLevel;
}

/** What a stream that outlives its connection has decided: its era, and its session. */
export interface StreamRecord {
  readonly pin: Pin;
  readonly session: string | undefined;
}

/**
 * Keeps the records of the sessions, so that they outlive their processes and the session manager. It does nothing
 * else: a process that handles no message has nothing that could fail.
 */
export const SessionStore: GenServer<Record<never, never>, { readonly node: string }> = genServer(
  import.meta,
  'SessionStore',
  {
    init({ node }, ctx) {
      ctx.setLabel(`session store of ${node}`);
      const { sessionTable, streamTable } = nodeNames(node);
      const heir = ctx.whereis(name('init'));
      // The records belong to the node, not to this process: the first process of the system keeps them for its
      // successor.
      for (const table of [sessionTable, streamTable]) {
        if (ctx.table(table) === undefined) ctx.newTable(table, { access: 'public', ...(heir && { heir }) });
      }
      return { node };
    },
  },
);
