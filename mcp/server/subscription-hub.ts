import {
  type Context,
  type GenServer,
  genServer,
  noreply,
  type Pid,
  type Ref,
  type Table,
} from '../../runtime/index.ts';
import type { ConnectionProtocol } from '../../transports/transport.ts';
import { notificationMessage, type RequestId } from '../json-rpc.ts';
import type { McpLimits } from '../limits.ts';
import { revisionOf } from '../revision/registry.ts';
import type { Catalog } from './catalog.ts';
import { coreTask } from './core-task.ts';
import { type NodeNames, nodeNames, sessionName } from './node-names.ts';
import { logOf, type SessionRecord } from './session-store.ts';
import {
  type ChangedList,
  changedLists,
  type ListDigests,
  type ListenFilter,
  listenNotification,
  wants,
} from './subscriptions.ts';
import { detailedTask, type TaskRecord } from './task-record.ts';

/** A `subscriptions/listen` that goes on. Plain data. */
export interface Listen {
  readonly connection: Pid<ConnectionProtocol>;
  readonly exchange: number;
  readonly id: RequestId;
  readonly server: string;
  readonly filter: ListenFilter;
  /** The key of who listens. */
  readonly principal?: string;
}

export interface SubscriptionHubProtocol {
  readonly cast: {
    /** The catalog of a server has changed. */
    readonly changed: string;
    /** A task has changed. */
    readonly task: TaskRecord;
    readonly updated: { readonly server: string; readonly uri: string };
    /** A record of that connection is in the table of listens. */
    readonly listening: Pid<ConnectionProtocol>;
  };
}

export interface SubscriptionHubStart {
  readonly node: string;
  readonly limits: McpLimits;
}

interface State {
  readonly node: string;
  readonly limits: McpLimits;
  readonly names: NodeNames;
  /** The connections that listen. */
  readonly connections: Set<Pid<ConnectionProtocol>>;
  /** The same, by their monitors. */
  readonly watched: Map<Ref, Pid<ConnectionProtocol>>;
}

/**
 * Tells clients what has changed: sessions on their own stream, stateless clients on their `subscriptions/listen`. Who
 * has subscribed to what is in tables that outlive it, and so is what was announced last: its crash costs nobody a
 * subscription, and nobody the news of a list. It waits for nobody: a client that reads too slowly is disconnected by
 * its connection.
 */
export const SubscriptionHub: GenServer<SubscriptionHubProtocol, SubscriptionHubStart> = genServer(
  import.meta,
  'SubscriptionHub',
  {
    init({ node, limits }, ctx): State {
      ctx.setLabel(`subscription hub of ${node}`);
      const state: State = { node, limits, names: nodeNames(node), watched: new Map(), connections: new Set() };
      for (const { connection } of listensOf(state, ctx)) {
        if (!state.connections.has(connection)) watch(state, connection, ctx);
      }
      for (const [server] of catalogsOf(state, ctx)?.entries() ?? []) announce(state, server, ctx);
      return state;
    },
    handleCast: {
      changed: (state, server, ctx) => {
        announce(state, server, ctx);
        return noreply(state);
      },
      updated: (state, { server, uri }, ctx) => {
        const method = 'notifications/resources/updated';
        toSessions(state, server, method, { uri }, ({ subscriptions }) => subscriptions?.includes(uri) === true, ctx);
        toListens(
          state,
          server,
          method,
          { uri },
          (filter) => filter.resourceSubscriptions?.includes(uri) === true,
          ctx,
        );
        return noreply(state);
      },
      task: (state, record, ctx) => {
        const { session } = record.request;
        if (session !== undefined) {
          const message = notificationMessage('notifications/tasks/status', coreTask(record));
          ctx.cast(sessionName(state.node, session.id), 'tell', message);
          return noreply(state);
        }
        const chosen = ({ taskIds }: ListenFilter): boolean => taskIds?.includes(record.id) === true;
        toListens(state, record.server, 'notifications/tasks', detailedTask(record), chosen, ctx);
        return noreply(state);
      },
      listening: (state, connection, ctx) => {
        if (!state.connections.has(connection)) watch(state, connection, ctx);
        return noreply(state);
      },
    },
    handleInfo: {
      DOWN: (state, { ref }, ctx) => {
        const connection = state.watched.get(ref);
        state.watched.delete(ref);
        if (connection === undefined) return noreply(state);
        state.connections.delete(connection);
        for (const listen of [...listensOf(state, ctx)]) {
          if (listen.connection === connection) ctx.table(state.names.listenTable)?.delete(listenKey(listen));
        }
        return noreply(state);
      },
    },
  },
);

function watch({ connections, watched }: State, connection: Pid<ConnectionProtocol>, ctx: Context): void {
  connections.add(connection);
  watched.set(ctx.monitor(connection), connection);
}

export function listenKey({ connection, exchange }: Pick<Listen, 'connection' | 'exchange'>): string {
  return `${connection}/${exchange}`;
}

/** Tells of the lists that are not as they were when they were last told of. */
function announce(state: State, server: string, ctx: Context): void {
  const announced: Table<string, ListDigests> | undefined = ctx.table(state.names.announcedTable);
  const digests = catalogsOf(state, ctx)?.get(server)?.digests;
  if (announced === undefined || digests === undefined) return;
  const before = announced.get(server);
  announced.set(server, digests);
  // The first look: nobody has seen another list.
  for (const list of before === undefined ? [] : changedLists(before, digests)) tell(state, server, list, ctx);
}

function tell(state: State, server: string, list: ChangedList, ctx: Context): void {
  const method = `notifications/${list}/list_changed`;
  toSessions(state, server, method, undefined, () => true, ctx);
  toListens(state, server, method, undefined, (filter) => wants(filter, list), ctx);
}

function toSessions(
  { node, limits, names }: State,
  server: string,
  method: string,
  params: object | undefined,
  chosen: (record: SessionRecord) => boolean,
  ctx: Context,
): void {
  const message = notificationMessage(method, params);
  for (const [id, record] of ctx.table<string, SessionRecord>(names.sessionTable)?.entries() ?? []) {
    if (record.server !== server || !chosen(record)) continue;
    if (revisionOf(record.version)?.serverNotifications.has(method) !== true) continue;
    const pid = ctx.whereis(sessionName(node, id));
    if (pid !== undefined) {
      ctx.cast(pid, 'notify', message);
      continue;
    }
    // Its process has crashed, and is made again if somebody listens; else the message waits for the next who does.
    const sends = logOf(names, id, limits, ctx)?.notify(message) ?? [];
    for (const { to, outbound } of sends) ctx.cast(to, 'send', outbound);
  }
}

function toListens(
  state: State,
  server: string,
  method: string,
  params: object | undefined,
  chosen: (filter: ListenFilter) => boolean,
  ctx: Context,
): void {
  for (const listen of listensOf(state, ctx)) {
    if (listen.server !== server || !chosen(listen.filter)) continue;
    const message = listenNotification(listen.id, method, params);
    ctx.cast(listen.connection, 'send', { exchange: listen.exchange, message, end: false });
  }
}

function* listensOf({ names }: State, ctx: Context): Iterable<Listen> {
  for (const [, listen] of ctx.table<string, Listen>(names.listenTable)?.entries() ?? []) yield listen;
}

function catalogsOf({ names }: State, ctx: Context): Table<string, Catalog> | undefined {
  return ctx.table(names.catalogTable);
}
