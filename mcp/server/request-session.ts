/** The session that a request is of, to the process of the request. */

import { CallError, type Context, type Pid, type Ref } from '../../runtime/index.ts';
import type { RequestId } from '../json-rpc.ts';
import { nodeNames, sessionName } from './node-names.ts';
import type { SessionProtocol } from './session.ts';

/** The session must know of it, to not be idle; and it must know of the end of the session. */
export function joinSession(session: Pid<any>, id: RequestId, ctx: Context<any>): Ref {
  ctx.cast(session as Pid<SessionProtocol>, 'busy', { pid: ctx.self, id });
  return ctx.monitor(session);
}

/**
 * The process of the session has crashed: it is made again. `ended`: there is no such session any more; undefined: it
 * cannot be made now, and the request goes on without it.
 */
export async function rejoinSession(
  node: string,
  id: string,
  requestId: RequestId,
  ctx: Context<any>,
): Promise<{ readonly pid: Pid<SessionProtocol>; readonly ref: Ref } | 'ended' | undefined> {
  const restored = await ctx.call(nodeNames(node).sessionManager, 'restore', id).catch((error: unknown) => {
    if (error instanceof CallError) return { error: error.reason };
    throw error;
  });
  if (restored !== 'ok' && restored.error === 'not_found') return 'ended';
  const pid = ctx.whereis(sessionName(node, id));
  return pid === undefined ? undefined : { pid, ref: joinSession(pid, requestId, ctx) };
}
