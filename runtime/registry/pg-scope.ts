import type { Context } from '../kernel/context.ts';
import type { Pid, Ref } from '../kernel/pid.ts';
import type { Call } from '../kernel/protocol.ts';
import { type GenServer, sealedServer } from '../server/gen-server.ts';
import { noreply, reply } from '../server/server-result.ts';
import type { Table } from '../table/table.ts';

interface Membership {
  readonly group: string;
  readonly pids: readonly Pid[];
}

/** What the functions of `pg.ts` ask of a scope. */
export interface PgScopeProtocol {
  readonly call: {
    readonly join: Call<Membership, 'ok'>;
    readonly leave: Call<Membership, 'ok' | 'not_joined'>;
    readonly monitor: Call<string, { readonly ref: Ref; readonly members: readonly Pid[] }>;
    readonly monitorScope: Call<void, { readonly ref: Ref; readonly groups: ReadonlyMap<string, readonly Pid[]> }>;
    readonly demonitor: Call<Ref, boolean>;
  };
}

/**
 * A group that has members: each of them once for every time that it joined. The scope alone changes the list; the
 * functions of `pg.ts`, which read it through the table, copy it.
 */
export class PgGroup {
  readonly pids: Pid[];

  constructor(first: Pid) {
    this.pids = [first];
  }
}

interface Member {
  readonly ref: Ref;
  /** Once for every time that it joined. */
  readonly groups: string[];
}

interface Scope {
  readonly groups: Table<string, PgGroup>;
  readonly members: Map<Pid, Member>;
  /** Who is told of changes, by the ref that was returned: of one group, or of all. */
  readonly groupWatchers: Map<string, Map<Ref, Pid>>;
  readonly watchedGroups: Map<Ref, string>;
  readonly scopeWatchers: Map<Ref, Pid>;
}

export const pgTable = (scope: string): string => `pg:${scope}`;

/**
 * One scope of process groups. It writes the groups into a table that all read, and monitors the members, so that those
 * that exit leave. If it crashes its groups are empty: members have to join again, as in OTP.
 */
export const PgScope: GenServer<PgScopeProtocol, string> = sealedServer(import.meta, 'PgScope', {
  init: (scope: string, ctx): Scope => {
    ctx.setLabel(`pg scope ${scope}`);
    const groups = ctx.newTable<string, PgGroup>(pgTable(scope));
    return { groups, members: new Map(), groupWatchers: new Map(), watchedGroups: new Map(), scopeWatchers: new Map() };
  },
  handleCall: {
    join: (scope, { group, pids }, ctx) => {
      for (const pid of pids) join(scope, group, pid, ctx);
      notify(scope, 'join', group, pids, ctx);
      return reply('ok', scope);
    },
    leave: (scope, { group, pids }, ctx) => {
      const gone = pids.filter((pid) => leave(scope, group, pid, ctx));
      notify(scope, 'leave', group, gone, ctx);
      return reply(gone.length === 0 ? 'not_joined' : 'ok', scope);
    },
    monitor: (scope, group, ctx) => {
      const ref = ctx.monitor(ctx.from.pid);
      const watchers = scope.groupWatchers.get(group) ?? new Map<Ref, Pid>();
      scope.groupWatchers.set(group, watchers.set(ref, ctx.from.pid));
      scope.watchedGroups.set(ref, group);
      return reply({ ref, members: [...(scope.groups.get(group)?.pids ?? [])] }, scope);
    },
    monitorScope: (scope, _nothing, ctx) => {
      const ref = ctx.monitor(ctx.from.pid);
      scope.scopeWatchers.set(ref, ctx.from.pid);
      const groups = new Map<string, readonly Pid[]>();
      for (const [group, { pids }] of scope.groups.entries()) groups.set(group, [...pids]);
      return reply({ ref, groups }, scope);
    },
    demonitor: (scope, ref, ctx) => {
      if (!unwatch(scope, ref)) return reply(false, scope);
      ctx.demonitor(ref, { flush: true });
      return reply(true, scope);
    },
  },
  handleInfo: {
    DOWN: (scope, { ref, object }, ctx) => {
      const member = scope.members.get(object as Pid);
      if (member?.ref === ref) memberExited(scope, object as Pid, member, ctx);
      else unwatch(scope, ref);
      return noreply(scope);
    },
  },
});

function join({ groups, members }: Scope, group: string, pid: Pid, ctx: Context): void {
  const member = members.get(pid) ?? { ref: ctx.monitor(pid), groups: [] };
  members.set(pid, member);
  member.groups.push(group);
  const known = groups.get(group);
  if (known === undefined) groups.set(group, new PgGroup(pid));
  else known.pids.push(pid);
}

/** Ends one of the pid's memberships in the group; false if it has none. */
function leave(scope: Scope, group: string, pid: Pid, ctx: Context): boolean {
  const member = scope.members.get(pid);
  if (member === undefined || !removeOne(member.groups, group)) return false;
  if (member.groups.length === 0) {
    ctx.demonitor(member.ref, { flush: true });
    scope.members.delete(pid);
  }
  removeFromGroup(scope, group, pid);
  return true;
}

/** It leaves each of its groups as often as it had joined. */
function memberExited(scope: Scope, pid: Pid, { groups }: Member, ctx: Context): void {
  scope.members.delete(pid);
  for (const group of new Set(groups)) {
    const gone = groups.filter((each) => each === group).map(() => pid);
    for (const each of gone) removeFromGroup(scope, group, each);
    notify(scope, 'leave', group, gone, ctx);
  }
}

/** A group without members is none. */
function removeFromGroup({ groups }: Scope, group: string, pid: Pid): void {
  const { pids } = groups.get(group) as PgGroup;
  removeOne(pids, pid);
  if (pids.length === 0) groups.delete(group);
}

/** False if nobody watches by this ref. */
function unwatch({ scopeWatchers, groupWatchers, watchedGroups }: Scope, ref: Ref): boolean {
  const group = watchedGroups.get(ref);
  if (group === undefined) return scopeWatchers.delete(ref);
  const watchers = groupWatchers.get(group);
  watchers?.delete(ref);
  if (watchers?.size === 0) groupWatchers.delete(group);
  return watchedGroups.delete(ref);
}

function notify(scope: Scope, type: 'join' | 'leave', group: string, pids: readonly Pid[], ctx: Context): void {
  if (pids.length === 0) return;
  for (const watchers of [scope.scopeWatchers, scope.groupWatchers.get(group)]) {
    for (const [ref, pid] of watchers ?? []) ctx.send(pid, 'pg', { ref, type, group, pids });
  }
}

function removeOne<T>(list: T[], item: T): boolean {
  const index = list.indexOf(item);
  if (index >= 0) list.splice(index, 1);
  return index >= 0;
}
