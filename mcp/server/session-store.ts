import { type Context, type GenServer, genServer, name, type Pid, type Table } from '../../runtime/index.ts';
import { type Principal, principalKey } from '../authorization/principal.ts';
import type { Pin } from '../era.ts';
import type { McpLimits } from '../limits.ts';
import type { LogLevel } from '../request-context.ts';
import { LogBudget } from './log-budget.ts';
import type { Negotiated } from './methods/outcome.ts';
import { type NodeNames, nodeNames } from './node-names.ts';
import { SessionLog } from './session-log.ts';

/** All that is to be known of a session: plain data, from which its process can be made again. */
export interface SessionRecord extends Negotiated {
  readonly id: string;
  /** Which server of the node it is with. */
  readonly server: string;
  /** The connection of the stream that it ends with; over HTTP a session belongs to no connection. */
  readonly stream?: Pid;
  /** The key of who has opened it: it is of nobody else. */
  readonly principal?: string;
  /** From which level on the client wants log messages, if it has said so. */
  readonly logLevel?: LogLevel;
  /** The resources whose changes the client wants to hear of. */
  readonly subscriptions?: readonly string[];
}

/** The record of a session of that server, and of that principal: nobody learns of those of others. */
export function sessionOf(
  { sessionTable }: NodeNames,
  sessionId: string,
  server: string,
  principal: Principal | undefined,
  ctx: Context,
): SessionRecord | undefined {
  const records: Table<string, SessionRecord> | undefined = ctx.table(sessionTable);
  const record = records?.get(sessionId);
  return record?.server === server && record.principal === principalKey(principal) ? record : undefined;
}

/** The one row of the table of budgets. */
const everyLog = 'every log';

/** The event streams of a session; made if there are none, there are limits for them, and the session is there. */
export function logOf(
  { sessionTable, logTable, budgetTable }: NodeNames,
  sessionId: string,
  limits: McpLimits | undefined,
  ctx: Context,
): SessionLog | undefined {
  const logs: Table<string, SessionLog> | undefined = ctx.table(logTable);
  const known = logs?.get(sessionId);
  if (known !== undefined || limits === undefined || ctx.table(sessionTable)?.has(sessionId) !== true) return known;
  const budgets: Table<string, LogBudget> | undefined = ctx.table(budgetTable);
  const budget = budgets?.get(everyLog) ?? new LogBudget(limits.sessionLogsCharsMax);
  budgets?.set(everyLog, budget);
  const log = new SessionLog(limits, budget);
  logs?.set(sessionId, log);
  return log;
}

/** The session has ended: nothing is to be known of it any more. */
export function forgetSession(
  { sessionTable, logTable, taskManager }: NodeNames,
  sessionId: string,
  ctx: Context,
): void {
  if (ctx.table(sessionTable)?.delete(sessionId) !== true) return;
  const logs: Table<string, SessionLog> | undefined = ctx.table(logTable);
  logs?.get(sessionId)?.dispose();
  logs?.delete(sessionId);
  ctx.cast(taskManager, 'sessionEnded', sessionId);
}

/** What a stream that outlives its connection has decided: its era, and its session. */
export interface StreamRecord {
  readonly pin: Pin;
  readonly session: string | undefined;
}

/**
 * Keeps the records of sessions, subscriptions, tasks and callers, so that they outlive the processes that deal with
 * them. It does nothing else: a process that handles no message has nothing that could fail.
 */
export const SessionStore: GenServer<Record<never, never>, { readonly node: string }> = genServer(
  import.meta,
  'SessionStore',
  {
    init({ node }, ctx) {
      ctx.setLabel(`session store of ${node}`);
      const names = nodeNames(node);
      const heir = ctx.whereis(name('init'));
      // The records belong to the node, not to this process: the first process of the system keeps them for its
      // successor.
      const { sessionTable, streamTable, logTable, budgetTable, listenTable, announcedTable, taskTable } = names;
      const tables = [sessionTable, streamTable, logTable, budgetTable, listenTable, announcedTable, taskTable];
      for (const table of [...tables, names.callersTable]) {
        if (ctx.table(table) === undefined) ctx.newTable(table, { access: 'public', ...(heir && { heir }) });
      }
      return { node };
    },
  },
);
