import type { Pid } from './pid.ts';

/** A set of pids that costs nothing while empty and one field while it holds one: most processes have one link. */
export type PidSet = null | Pid | Set<Pid>;

export function pidSetAdd(set: PidSet, pid: Pid): PidSet {
  if (set === null || set === pid) return pid;
  if (set instanceof Set) return set.add(pid);
  return new Set([set, pid]);
}

export function pidSetDelete(set: PidSet, pid: Pid): PidSet {
  if (set === pid) return null;
  if (set instanceof Set) set.delete(pid);
  return set;
}

export function pidSetHas(set: PidSet, pid: Pid): boolean {
  return set === pid || (set instanceof Set && set.has(pid));
}

export function pidSetValues(set: PidSet): Iterable<Pid> {
  if (set === null) return [];
  return set instanceof Set ? set : [set];
}
