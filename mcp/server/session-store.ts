import { type GenServer, genServer } from '../../runtime/index.ts';
import type { Negotiated } from './methods/outcome.ts';
import { nodeNames } from './node-names.ts';

/** All that is to be known of a session: plain data, from which its process can be made again. */
export interface SessionRecord extends Negotiated {
  readonly id: string;
  /** Which server of the node it is with. */
  readonly server: string;
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
      return ctx.newTable<string, SessionRecord>(nodeNames(node).sessionTable, { access: 'public' });
    },
  },
);
