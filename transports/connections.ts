import { type Behaviour, type ChildSpec, child, type Name, name, supervisor } from '../runtime/index.ts';
import type { ConnectionStart } from './connection.ts';
import { DRAIN_MARGIN_MS } from './limits.ts';

export const connectionsName = (id: string): Name => name(`${id}_connections`);

/**
 * The supervisor of the connections of a listener. `connection` gets `common` and, from the listener, the peer. A
 * connection is never restarted: its client connects again.
 */
export function connectionSupervisor(id: string, connection: Behaviour<any, any>, common: ConnectionStart): ChildSpec {
  const template = child(connection, common as never, {
    restart: 'temporary',
    shutdown: common.limits.drainTimeoutMs + DRAIN_MARGIN_MS,
  });
  return supervisor('connections', { strategy: 'simple_one_for_one', name: connectionsName(id) }, [template]);
}
