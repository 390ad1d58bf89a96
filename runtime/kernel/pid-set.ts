import { IdMap } from './id-map.ts';
import { Pid } from './pid.ts';

/** A set of pids that costs nothing while empty and one field while it holds one: most processes have one link. */
export type PidSet = null | Pid | IdMap<Pid, true>;

export function pidSetAdd(set: PidSet, pid: Pid): PidSet {
  if (set === null || set === pid) return pid;
  let many: IdMap<Pid, true>;
  if (set instanceof Pid) {
    many = new IdMap();
    many.set(set, true);
  } else many = set;
  many.set(pid, true);
  return many;
}

export function pidSetDelete(set: PidSet, pid: Pid): PidSet {
  if (set === pid) return null;
  if (set instanceof IdMap) set.delete(pid);
  return set;
}

export function pidSetHas(set: PidSet, pid: Pid): boolean {
  return set === pid || (set instanceof IdMap && set.has(pid));
}

export function pidSetValues(set: PidSet): readonly Pid[] {
  if (set === null) return [];
  return set instanceof IdMap ? set.entries().map(([pid]) => pid) : [set];
}
