/** What becomes of requests that the server refuses for want of a token: they wait, all for the same one. */

import { CallError, checkResponse, describeExit, type Response } from '../../runtime/index.ts';
import { openStream } from './connect.ts';
import type { Connection, Exchange } from './connection-state.ts';
import { failed } from './failure.ts';
import type { Pending } from './request-call.ts';
import { again, pauseDeadline, settle, withdraw } from './requests.ts';

/** The token of an earlier connection, or of another client of the same server. */
export async function firstToken(c: Connection): Promise<void> {
  const { authorization } = c.start;
  if (authorization === undefined || c.token !== undefined) return;
  try {
    c.token = await c.ctx.call(authorization, 'current');
  } catch (error) {
    // Without one the server will say what it wants, and then it matters whether anybody keeps tokens.
    if (!(error instanceof CallError)) throw error;
  }
}

/** A request was refused. Says whether it now waits for a token. */
export function challenged(c: Connection, pending: Pending, exchange: Exchange): boolean {
  const { status, challenge } = exchange;
  // 403 without a challenge is a decision that no token changes.
  const isChallenge = status === 401 || (status === 403 && challenge !== undefined && /^Bearer\b/i.test(challenge));
  if (c.start.authorization === undefined || !isChallenge) return false;
  if (pending.authorizations >= c.start.limits.authorizationsMax) return false;
  pending.authorizations += 1;
  pending.held = true;
  withdraw(c, pending);
  pauseDeadline(c, pending);
  ask(c, exchange);
  return true;
}

/** The listening stream was refused. */
export function streamChallenged(c: Connection, exchange: Exchange): boolean {
  // A token that was new and refused all the same would be asked for again and again.
  if (c.start.authorization === undefined || exchange.failures > 0) return false;
  ask(c, exchange);
  return true;
}

function ask(c: Connection, { status, challenge, token }: Exchange): void {
  const { authorization } = c.start;
  if (c.authorizing !== undefined || authorization === undefined) return;
  const question = { status: status as 401 | 403, header: challenge, token, insists: c.insists };
  c.insists = false;
  c.authorizing = c.ctx.sendRequest(authorization, 'challenged', question);
}

/** The answer of who keeps the tokens: the requests that waited for it go on, or fail. */
export function authorized(c: Connection, response: Response): void {
  if (c.authorizing === undefined) return;
  const outcome = checkResponse(response, c.authorizing);
  if (outcome === 'no_reply') return;
  c.authorizing = undefined;
  const answer = 'reply' in outcome ? outcome.reply : { error: { message: describeExit(outcome.error) } };
  const held = [...c.requests.values()].filter((pending) => pending.held);
  for (const pending of held) pending.held = false;
  if ('error' in answer) {
    for (const pending of held) {
      const message = `${pending.call.method}: there is no authorization: ${answer.error.message}`;
      settle(c, pending, failed('ERR_MCP_AUTH', message));
    }
    return;
  }
  c.token = answer.ok;
  if (c.phase === 'connecting') c.ctx.sendAfter(c.start.limits.connectTimeoutMs, 'connect_deadline', c.attempt);
  for (const pending of held) again(c, pending);
  listenAgain(c);
}

function listenAgain(c: Connection): void {
  if (c.phase !== 'ready' || c.kind !== 'http' || c.agreed?.era !== 'sessions') return;
  const listens = [...c.exchanges.values()].some(({ kind, pending }) => kind === 'stream' && pending === undefined);
  if (listens) return;
  const { sessionId } = c;
  openStream(c, { sessionId, lastEventId: undefined, token: undefined, failures: 1, retryMs: undefined });
}
