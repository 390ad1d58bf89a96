import { badArgument, checkText } from '../kernel/arguments.ts';
import type { Context, Messaging, ReceivedMessage } from '../kernel/context.ts';
import { BadArgError } from '../kernel/errors.ts';
import { type Name, name, Pid, type Ref } from '../kernel/pid.ts';
import { type ChildSpec, child } from '../supervisor/child-spec.ts';
import type { Table } from '../table/table.ts';
import { type PgGroup, PgScope, type PgScopeProtocol, pgTable } from './pg-scope.ts';

/** The payload of the info message `'pg'`, which a process that monitors groups gets for each change. */
export interface PgEvent {
  /** What `monitor` or `monitorScope` returned. */
  readonly ref: Ref;
  readonly type: 'join' | 'leave';
  /** Which group has changed. */
  readonly group: string;
  /** Who joined or left; a process that exits leaves as often as it had joined. */
  readonly pids: readonly Pid[];
}

/** Who asks: a process or the system. */
type Reader = Pick<Messaging, 'table'>;
type Caller = Pick<Messaging, 'call'>;

/**
 * Process groups (pg): any process may be in any group, several times, and leaves when it exits. Groups belong to a
 * scope, a process of the tree; the functions take its name last, default `'pg'`. What asks for a change waits for the
 * scope, and rejects with `CallError` (`ERR_CALL_NOPROC`) if there is none; what reads does not wait. A member that has
 * exited is there until the scope has learnt of it. A scope is of its thread: on another one what reads throws
 * `BadArgError`.
 */
export interface Pg {
  /** The scope as a child of a supervisor or a system (pg:start_link/1). Its id and registered name are the scope. */
  childSpec(scope?: string): ChildSpec;
  /** Puts processes into a group, each once more (pg:join/3). */
  join(caller: Caller, group: string, pids: Pid | readonly Pid[], scope?: string): Promise<'ok'>;
  /** Takes each out once; `'not_joined'` if none of them was in it (pg:leave/3). */
  leave(caller: Caller, group: string, pids: Pid | readonly Pid[], scope?: string): Promise<'ok' | 'not_joined'>;
  /**
   * The members now, each as often as it has joined, in the order of joining; none if there is no such group or scope
   * (pg:get_members/2).
   */
  getMembers(reader: Reader, group: string, scope?: string): Pid[];
  /** Those of this node (pg:get_local_members/2): all, as long as a system is one node. */
  getLocalMembers(reader: Reader, group: string, scope?: string): Pid[];
  /** The groups that have members (pg:which_groups/1). `BadArgError` if there is no such scope. */
  whichGroups(reader: Reader, scope?: string): string[];
  /**
   * The members now, and from then on an info message `'pg'` (`PgEvent`) for each change of the group, also if it has
   * no members yet (pg:monitor/2).
   */
  monitor(
    ctx: Context,
    group: string,
    scope?: string,
  ): Promise<{ readonly ref: Ref; readonly members: readonly Pid[] }>;
  /** The same for all groups of the scope (pg:monitor_scope/1). */
  monitorScope(
    ctx: Context,
    scope?: string,
  ): Promise<{ readonly ref: Ref; readonly groups: ReadonlyMap<string, readonly Pid[]> }>;
  /**
   * Ends a monitor, and takes what it has sent out of the mailbox; false if there is no such monitor (pg:demonitor/2).
   */
  demonitor(ctx: Context, ref: Ref, scope?: string): Promise<'ok' | false>;
}

/** pg waits for its scope without a limit. */
const wait = { timeoutMs: 'infinity' } as const;

/** See `Pg`. */
export const pg: Pg = {
  childSpec: (scope = 'pg') => child(PgScope, scope, { id: scope, name: scope }),
  join: (caller, group, pids, scope) => caller.call(scopeName(scope), 'join', membership(group, pids), wait),
  leave: (caller, group, pids, scope) => caller.call(scopeName(scope), 'leave', membership(group, pids), wait),
  getMembers,
  getLocalMembers: getMembers,
  whichGroups(reader, scope = 'pg') {
    const table = tableOf(reader, scope);
    if (table === undefined) throw new BadArgError(`there is no pg scope '${scope}': start pg.childSpec('${scope}')`);
    return Array.from(table.entries(), ([group]) => group);
  },
  monitor(ctx, group, scope) {
    checkText(group, 'group');
    return ctx.call(scopeName(scope), 'monitor', group, wait);
  },
  monitorScope: (ctx, scope) => ctx.call(scopeName(scope), 'monitorScope', undefined, wait),
  async demonitor(ctx, ref, scope) {
    if (!(await ctx.call(scopeName(scope), 'demonitor', ref, wait))) return false;
    let sent: ReceivedMessage | 'timeout';
    do sent = await ctx.receive(({ tag, payload }) => tag === 'pg' && (payload as PgEvent).ref === ref, 0);
    while (sent !== 'timeout');
    return 'ok';
  },
};

function getMembers(reader: Reader, group: string, scope = 'pg'): Pid[] {
  return tableOf(reader, scope)?.get(group)?.pids.slice() ?? [];
}

function tableOf(reader: Reader, scope: string): Table<string, PgGroup> | undefined {
  checkText(scope, 'scope');
  return reader.table<string, PgGroup>(pgTable(scope));
}

function scopeName(scope = 'pg'): Name<PgScopeProtocol> {
  return name(scope);
}

function membership(group: string, pids: Pid | readonly Pid[]): { group: string; pids: readonly Pid[] } {
  checkText(group, 'group');
  const list = pids instanceof Pid ? [pids] : pids;
  if (Array.isArray(list) && list.every((pid) => pid instanceof Pid)) return { group, pids: list };
  throw badArgument('members of a group', 'a pid or an array of pids', pids);
}
