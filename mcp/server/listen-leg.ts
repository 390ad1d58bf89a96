/** `subscriptions/listen` at a connection (2026-07-28): its exchange stays open, the subscription hub writes to it. */

import type { Table } from '../../runtime/index.ts';
import type { ConnectionContext } from '../../transports/transport.ts';
import { type Principal, principalKey } from '../authorization/principal.ts';
import { errorObject, INTERNAL_ERROR } from '../errors.ts';
import { errorMessage, isJsonObject, type JsonObject, type RequestId, resultMessage } from '../json-rpc.ts';
import { type Revision, SUBSCRIPTION_KEY } from '../revision/contract.ts';
import { type Catalog, viewOf } from './catalog.ts';
import { answer, type ConnectionState, endExchange } from './connection-state.ts';
import { failed } from './methods/outcome.ts';
import { type Listen, listenKey } from './subscription-hub.ts';
import { type ListenFilter, listenNotification } from './subscriptions.ts';
import { taskJournal } from './task-journal.ts';
import { isTaskOf, knowsTasks, tasksRequired } from './task-record.ts';
import { endWithToken, forgetExpiry } from './token-expiry.ts';
import { tooMany } from './usage.ts';

interface Origin {
  readonly revision: Revision;
  readonly clientCapabilities: JsonObject;
  readonly principal: Principal | undefined;
}

export function startListen(
  state: ConnectionState,
  exchange: number,
  id: RequestId,
  asked: ListenFilter,
  { revision, clientCapabilities, principal }: Origin,
  ctx: ConnectionContext,
): void {
  const { config, names } = state;
  if (asked.taskIds !== undefined && !knowsTasks(clientCapabilities)) {
    const { error, status } = failed(tasksRequired('params.notifications.taskIds'), revision);
    answer(state, ctx, exchange, errorMessage(id, error), { status });
    return;
  }
  const listens = listensOf(state, ctx);
  if (listens === undefined || listens.size >= config.limits.listensMax) {
    const why =
      listens === undefined ? 'are being restarted' : `are ${config.limits.listensMax}, as many as there may be`;
    const error = errorObject(INTERNAL_ERROR, `the subscriptions of this server ${why}; try again`);
    answer(state, ctx, exchange, errorMessage(id, error), { status: 503 });
    return;
  }
  const owner = principalKey(principal);
  if (owner !== undefined && countOf(listens, owner) >= config.limits.principalListensMax) {
    const { error, status } = tooMany('subscriptions', 'principalListensMax', config.limits);
    answer(state, ctx, exchange, errorMessage(id, error), { status });
    return;
  }
  const filter =
    asked.taskIds === undefined ? asked : { ...asked, taskIds: knownTasks(state, asked.taskIds, principal, ctx) };
  const message = listenNotification(id, 'notifications/subscriptions/acknowledged', { notifications: filter });
  // Before the hub knows of it: the acknowledgement is the first message.
  ctx.cast(ctx.self, 'send', { exchange, message, end: false });
  const listen: Listen = {
    connection: ctx.self,
    exchange,
    id,
    server: config.server,
    filter,
    ...(owner !== undefined && { principal: owner }),
  };
  listens.set(listenKey(listen), listen);
  state.listens.set(exchange, { id, revision });
  endWithToken(state, exchange, principal, ctx);
  ctx.cast(names.subscriptionHub, 'listening', ctx.self);
}

function countOf(listens: Table<string, Listen>, owner: string): number {
  let count = 0;
  for (const [, { principal }] of listens.entries()) if (principal === owner) count += 1;
  return count;
}

/** Those that there are for whoever asks. */
function knownTasks(
  { config, names }: ConnectionState,
  ids: readonly string[],
  principal: Principal | undefined,
  ctx: ConnectionContext,
): string[] {
  const journal = taskJournal(names, ctx);
  return ids.filter((id) => {
    const record = journal?.read(id);
    return record !== undefined && isTaskOf(record, config.server, undefined, principal);
  });
}

/** `notifications/cancelled` of a stream: nothing more is sent for it. */
export function cancelListen(state: ConnectionState, params: unknown, ctx: ConnectionContext): void {
  const requestId = isJsonObject(params) ? params['requestId'] : undefined;
  for (const [exchange, { id }] of state.listens) {
    if (id !== requestId) continue;
    forgetListen(state, exchange, ctx);
    endExchange(state, ctx, exchange);
  }
}

/** Its peer has left the exchange. */
export function forgetListen(state: ConnectionState, exchange: number, ctx: ConnectionContext): void {
  if (!state.listens.delete(exchange)) return;
  forgetExpiry(state, exchange, ctx);
  listensOf(state, ctx)?.delete(listenKey({ connection: ctx.self, exchange }));
}

/** This connection ends in order: the clients are told that nothing more will come. */
export function endListens(state: ConnectionState, catalog: Catalog | undefined, ctx: ConnectionContext): void {
  for (const exchange of [...state.listens.keys()]) endListen(state, exchange, catalog, ctx);
}

/** The same of one exchange, if it listens: its token has come to its end. */
export function endListen(
  state: ConnectionState,
  exchange: number,
  catalog: Catalog | undefined,
  ctx: ConnectionContext,
): void {
  const listen = state.listens.get(exchange);
  if (listen === undefined) return;
  const { id, revision } = listen;
  const server =
    catalog === undefined ? { name: state.config.server, version: '' } : viewOf(catalog, revision).serverInfo;
  const result = revision.result({ _meta: { [SUBSCRIPTION_KEY]: id } }, server);
  forgetListen(state, exchange, ctx);
  answer(state, ctx, exchange, resultMessage(id, result));
}

function listensOf({ names }: ConnectionState, ctx: ConnectionContext): Table<string, Listen> | undefined {
  return ctx.table(names.listenTable);
}
