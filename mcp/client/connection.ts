import {
  type CallContext,
  type CallResult,
  type Context,
  continueWith,
  type ExitReason,
  type GenServer,
  genServer,
  type HandlerResult,
  type InitOk,
  initOk,
  noreply,
  type Pid,
  reply,
} from '../../runtime/index.ts';
import type { JsonObject } from '../json-rpc.ts';
import { authorized } from './authorize.ts';
import { connect, connectionEnded, openStream } from './connect.ts';
import {
  type Connection,
  type ConnectionStart,
  newConnection,
  report,
  statusOf,
  transmit,
} from './connection-state.ts';
import { failed, type Reply } from './failure.ts';
import { handleEnd, handleHead } from './http-exchanges.ts';
import { handleText } from './incoming.ts';
import { answerDeadline, answered, answererDown } from './questions.ts';
import type { ClientStatus, ConnectionProtocol, Pending } from './request-call.ts';
import {
  abandonExchange,
  acceptRequest,
  deadlinePassed,
  dispatch,
  giveUp,
  listenerDown,
  notifyServer,
  ownSessionHeaders,
  settle,
} from './requests.ts';
import { relisten, setLevel, subscribe, unsubscribe } from './subscriptions.ts';
import { answerTask, poll } from './tasks.ts';

type Ctx = Context<ConnectionProtocol>;
type Result = HandlerResult<Connection>;

/**
 * The process of a client: it makes the connection, keeps it, correlates requests and answers, and tells what the
 * server says. It runs no function of the user.
 */
export const ClientConnection: GenServer<ConnectionProtocol, ConnectionStart> = genServer(
  import.meta,
  'ClientConnection',
  {
    init(start, ctx): InitOk<Connection> {
      ctx.trapExit(true); // so that a stop ends the session
      ctx.setLabel(`mcp client ${start.name}`);
      return initOk(newConnection(start, ctx), continueWith('connect'));
    },
    handleContinue: { connect: (c) => then(c, connect(c)) },
    handleCall: {
      request: (c, call, ctx) => then(c, acceptRequest(c, call, ctx.from)),
      status: (c): CallResult<ClientStatus, Connection> => reply(statusOf(c), c),
      ready: (c, _payload, ctx) => {
        const { from } = ctx;
        const tell = (status: ClientStatus): void => {
          const failures = `${status.failures} attempts in a row have failed to connect to ${status.target}`;
          const why = `${failures}, last: ${JSON.stringify(status.lastEnd)}`;
          const code = status.state === 'unauthorized' ? 'ERR_MCP_AUTH' : 'ERR_MCP_UNAVAILABLE';
          ctx.replyTo(from, status.state === 'ready' ? { ok: status } : failed(code, why));
        };
        if (c.phase === 'connecting' || c.phase === 'waiting') c.waitingForReady.push(tell);
        else tell(statusOf(c));
        return noreply(c);
      },
      subscribe: (c, uri, ctx) => {
        subscribe(c, uri, answerTo(ctx));
        return noreply(c);
      },
      unsubscribe: (c, uri, ctx) => {
        unsubscribe(c, uri, answerTo(ctx));
        return noreply(c);
      },
      setLevel: (c, level, ctx) => {
        setLevel(c, level, answerTo(ctx));
        return noreply(c);
      },
    },
    handleCast: {
      cancel: (c, { token, reason }) => {
        const pending = c.requests.get(token);
        if (pending !== undefined) {
          const message = `${pending.call.method} was cancelled: ${reason}`;
          giveUp(c, pending, reason, failed('ERR_MCP_CANCELLED', message));
        }
        return noreply(c);
      },
      notify: (c, { method, params }) => {
        if (c.phase === 'ready') notifyServer(c, method, params);
        return noreply(c);
      },
      reconnect: (c) => {
        if (c.phase === 'connecting' || c.phase === 'ready') return noreply(c);
        c.failures = 0;
        c.insists = true;
        return then(c, connect(c));
      },
      answered: (c, answer) => {
        answered(c, answer);
        return noreply(c);
      },
    },
    handleInfo: {
      carrier_text: (c, text) => {
        if (text.carrier !== c.carrier?.pid) return noreply(c);
        c.ctx.cast(c.carrier.pid, 'taken', 1);
        return then(c, handleText(c, text));
      },
      carrier_head: (c, head) => {
        if (head.carrier === c.carrier?.pid) handleHead(c, head);
        return noreply(c);
      },
      carrier_end: (c, end) => {
        if (end.carrier === c.carrier?.pid) handleEnd(c, end);
        return noreply(c);
      },
      carrier_log: (c, { text }) => {
        report(c, { event: 'log', text });
        return noreply(c);
      },
      deadline: (c, { token, hard }) => {
        deadlinePassed(c, token, hard);
        return noreply(c);
      },
      resend: (c, token) => {
        const pending = c.requests.get(token);
        if (pending !== undefined && pending.id === undefined && c.phase === 'ready') dispatch(c, pending);
        return noreply(c);
      },
      connect: (c, attempt) => {
        const due = attempt === c.attempt && (c.phase === 'waiting' || c.phase === 'crash_loop');
        return due ? then(c, connect(c)) : noreply(c);
      },
      fall_back: (c, attempt) => (attempt === c.attempt && c.phase === 'connecting' ? then(c, connect(c)) : noreply(c)),
      connect_deadline: (c, attempt) => {
        // Whoever authorizes has a time of its own.
        if (attempt === c.attempt && c.phase === 'connecting' && c.authorizing === undefined) {
          connectionEnded(c, { connect_timeout: c.start.limits.connectTimeoutMs });
        }
        return noreply(c);
      },
      resume: (c, resumption) => {
        openStream(c, resumption);
        return noreply(c);
      },
      relisten: (c, attempt) => {
        if (attempt === c.attempt && c.listen === undefined) relisten(c);
        return noreply(c);
      },
      answer_deadline: (c, answerer) => {
        answerDeadline(c, answerer);
        return noreply(c);
      },
      poll: (c, token) => {
        poll(c, token);
        return noreply(c);
      },
      abandon: (c, exchange) => {
        abandonExchange(c, exchange);
        return noreply(c);
      },
      task_asks: (c, token) => then(c, answerTask(c, token)),
      RESPONSE: (c, response) => {
        authorized(c, response);
        return noreply(c);
      },
      DOWN: (c, down) => handleDown(c, down.object as Pid, down.ref, down.reason),
      EXIT: (c) => noreply(c),
    },
    terminate,
    formatStatus: (c) => ({ ...statusOf(c), subscriptions: [...c.subscriptions] }),
  },
);

/** What works on a connection changes it in place. */
function then(c: Connection, done: Promise<void>): Promise<Result> {
  return done.then(() => noreply(c));
}

function answerTo(ctx: CallContext<ConnectionProtocol, Reply<JsonObject>>): (reply: Reply<JsonObject>) => void {
  const { from } = ctx;
  return (result) => ctx.replyTo(from, result);
}

function handleDown(c: Connection, object: Pid, ref: number, reason: ExitReason): Result {
  if (ref === c.carrier?.ref) {
    c.carrier = undefined;
    c.exchanges.clear();
    connectionEnded(c, reason);
    return noreply(c);
  }
  if (answererDown(c, object, reason)) return noreply(c);
  const orphan = [...c.requests.values()].find(({ callerRef }) => callerRef === ref);
  if (orphan !== undefined) abandon(c, orphan);
  else listenerDown(c, object, reason);
  return noreply(c);
}

/** Who asked has gone: nobody wants the answer. */
function abandon(c: Connection, pending: Pending): void {
  giveUp(c, pending, 'the caller has ended', failed('ERR_MCP_CANCELLED', 'the caller has ended'));
}

async function terminate(_reason: ExitReason, c: Connection, ctx: Ctx): Promise<void> {
  const stopped = failed('ERR_MCP_CONNECTION_LOST', `client ${c.start.name} was stopped`);
  for (const pending of [...c.requests.values()]) settle(c, pending, stopped);
  if (c.kind !== 'http' || c.sessionId === undefined || c.carrier === undefined) return;
  const http = { method: 'DELETE', headers: ownSessionHeaders(c, 'DELETE') } as const;
  const exchange = transmit(c, { http }, { kind: 'end_session' });
  // A server that does not answer keeps nobody waiting: it will end the session itself.
  await ctx.receive(
    ({ tag, payload }) => tag === 'carrier_end' && (payload as { exchange: number }).exchange === exchange,
    c.start.limits.endSessionMs,
  );
}
