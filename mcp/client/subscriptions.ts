/** What the client listens to: restored on every new connection, in the way of its era. */

import { isJsonObject, type JsonObject } from '../json-rpc.ts';
import { backoffMs } from './backoff.ts';
import { type Connection, report } from './connection-state.ts';
import type { Reply } from './failure.ts';
import { failed } from './failure.ts';
import { dispatch, giveUp, openInternal } from './requests.ts';

/** A new connection: the server knows nothing of what was asked of it before. */
export function restore(c: Connection): void {
  if (c.agreed?.era === 'stateless') {
    listen(c);
    return;
  }
  for (const uri of c.subscriptions) {
    send(c, 'resources/subscribe', { uri }, (reply) => {
      if ('error' in reply) report(c, { event: 'subscription_failed', text: uri, failure: reply.error });
    });
  }
  if (c.logLevel !== undefined && c.agreed?.capabilities['logging'] !== undefined) {
    send(c, 'logging/setLevel', { level: c.logLevel }, () => {});
  }
}

function send(c: Connection, method: string, params: JsonObject, settle: (reply: Reply<JsonObject>) => void): void {
  const pending = openInternal(c, method, params, settle);
  if (c.phase === 'ready') dispatch(c, pending);
}

export function subscribe(c: Connection, uri: string, done: (reply: Reply<JsonObject>) => void): void {
  const known = c.subscriptions.has(uri);
  c.subscriptions.add(uri);
  if (c.phase !== 'ready' || known) {
    // opened with the next connection
    done({ ok: {} });
    return;
  }
  if (c.agreed?.era === 'stateless') {
    relisten(c);
    done({ ok: {} });
    return;
  }
  send(c, 'resources/subscribe', { uri }, (reply) => {
    if ('error' in reply) c.subscriptions.delete(uri);
    done(reply);
  });
}

export function unsubscribe(c: Connection, uri: string, done: (reply: Reply<JsonObject>) => void): void {
  if (!c.subscriptions.delete(uri) || c.phase !== 'ready') {
    done({ ok: {} });
    return;
  }
  if (c.agreed?.era === 'stateless') {
    relisten(c);
    done({ ok: {} });
    return;
  }
  send(c, 'resources/unsubscribe', { uri }, done);
}

export function setLevel(c: Connection, level: string, done: (reply: Reply<JsonObject>) => void): void {
  c.logLevel = level;
  // Stateless requests name the level themselves.
  if (c.phase !== 'ready' || c.agreed?.era === 'stateless') {
    done({ ok: {} });
    return;
  }
  send(c, 'logging/setLevel', { level }, done);
}

/** What a server of the stateless era is asked to tell: only what somebody here wants to know. */
function wanted(c: Connection): JsonObject | undefined {
  const { agreed, start, subscriptions } = c;
  const heard = start.notify !== undefined || start.handlers.notification !== undefined;
  const offers = (capability: string, member: string): boolean => {
    const value = agreed?.capabilities[capability];
    return isJsonObject(value) && value[member] === true;
  };
  const lists = {
    ...(offers('tools', 'listChanged') ? { toolsListChanged: true } : {}),
    ...(heard && offers('prompts', 'listChanged') ? { promptsListChanged: true } : {}),
    ...(heard && offers('resources', 'listChanged') ? { resourcesListChanged: true } : {}),
  };
  const notifications = {
    ...(heard ? lists : {}),
    ...(subscriptions.size > 0 ? { resourceSubscriptions: [...subscriptions] } : {}),
  };
  return Object.keys(notifications).length === 0 ? undefined : { notifications };
}

/** Opens the stream that tells what changes; it is opened anew when it ends. */
function listen(c: Connection): void {
  const params = wanted(c);
  if (params === undefined) return;
  const pending = openInternal(c, 'subscriptions/listen', params, (reply) => {
    if (c.listen !== pending) return; // replaced by another
    c.listen = undefined;
    if ('error' in reply) {
      report(c, { event: 'subscription_failed', failure: reply.error });
      if (reply.error.code === 'ERR_MCP_RPC' || reply.error.code === 'ERR_MCP_UNSUPPORTED') return;
    }
    c.listenFailures += 1;
    c.ctx.sendAfter(backoffMs(c.listenFailures, c.start.chance(), c.start.limits), 'relisten', c.attempt);
  });
  c.listen = pending;
  if (c.phase === 'ready') dispatch(c, pending);
}

/** What is wanted has changed, or the stream has ended. */
export function relisten(c: Connection): void {
  const old = c.listen;
  c.listen = undefined;
  if (old !== undefined) giveUp(c, old, 'replaced', failed('ERR_MCP_CANCELLED', 'replaced by another'));
  if (c.phase === 'ready' && c.agreed?.era === 'stateless') listen(c);
}

/** The server has opened the stream, and says what of it it honours. */
export function acknowledged(c: Connection, params: JsonObject): void {
  c.listenFailures = 0;
  report(c, { event: 'listening' });
  const honoured = isJsonObject(params['notifications']) ? params['notifications'] : {};
  const uris = honoured['resourceSubscriptions'];
  for (const uri of c.subscriptions) {
    if (Array.isArray(uris) && uris.includes(uri)) continue;
    report(c, { event: 'subscription_failed', text: uri });
  }
}
