import { badArgument, checkCount, checkFunction, checkObject, checkText, shown } from '../kernel/arguments.ts';
import { BadArgError } from '../kernel/errors.ts';
import { describeExit } from '../kernel/exit.ts';
import { type Name, name, Pid } from '../kernel/pid.ts';
import type { Protocol } from '../kernel/protocol.ts';
import { type ChildOptions, type ChildSpec, checkChildSpec, type SupervisorFlags } from './child-spec.ts';
import { supervisor } from './supervisor.ts';

/** Options of `partitionSupervisor`: what runs how often, and the flags of its supervisor. */
export interface PartitionOptions extends SupervisorFlags, Pick<ChildOptions, 'restart' | 'shutdown' | 'significant'> {
  /** What runs in each partition. Its id and name are replaced by those of the partition, so it must have no name. */
  readonly child: ChildSpec;
  /** How many: a whole number from 1 on. All run on one thread, so the number of cores says nothing about it. */
  readonly partitions: number;
  /** The start argument of one partition, from that of the child; default the same for all (`:with_arguments`). */
  readonly withArguments?: (arg: any, partition: number) => unknown;
}

/** What a message is sent to a partition by: the same key always leads to the same one. */
export type PartitionKey = string | number | bigint | Pid;

/** A supervisor of equal children, of which each serves its share of the keys. Plain data, of no system. */
export interface PartitionSupervisor<P extends Protocol = any> {
  /** For a supervisor or a system. The ids of the children are `'0'`, `'1'` … */
  readonly childSpec: ChildSpec;
  /** How many there are. */
  readonly partitions: number;
  /**
   * Which partition serves the key: whole numbers by remainder, other keys by hash. `BadArgError` for what is no key.
   */
  partitionOf(key: PartitionKey): number;
  /** The name of the process that serves the key, for `call`, `cast`, `send`, `startChild` … */
  dest(key: PartitionKey): Name<P>;
}

/**
 * Divides work that one process would have to do alone among several equal ones (Elixir's PartitionSupervisor): of the
 * same key all, in order, by one process. Registers `<id>_<partition>`. Throws `BadArgError` if an option is wrong, for
 * a child with the term of its supervisor as `reason`; flags are checked when the supervisor starts.
 *
 * Options: `child`, `partitions`, `withArguments`; the flags of `supervisor`; `restart`, `shutdown` and `significant`
 * of the supervisor itself.
 */
export function partitionSupervisor<P extends Protocol = any>(
  id: string,
  options: PartitionOptions,
): PartitionSupervisor<P> {
  checkText(id, 'the id of a partitionSupervisor');
  const owner = `partitionSupervisor '${id}'`;
  checkObject(options, `${owner}: its options`);
  const { child, partitions, withArguments = (arg: unknown) => arg, ...flags } = options;
  checkCount(partitions, `${owner}: partitions`);
  checkFunction(withArguments, `${owner}: withArguments`);
  const wrong = checkChildSpec(child, flags.autoShutdown ?? 'never');
  if (wrong !== undefined) throw new BadArgError(`${owner}: its child is refused with ${describeExit(wrong)}`, wrong);
  if (child.name !== undefined) {
    throw new BadArgError(`${owner}: its child has the name ${shown(child.name)}, but there are several`);
  }
  const names = Array.from({ length: partitions }, (_, partition) => name<P>(`${id}_${partition}`));
  const children = names.map((partitionName, partition): ChildSpec => {
    const { behaviour, arg } = child.start;
    const start = { behaviour, arg: withArguments(arg, partition) };
    return { ...child, id: String(partition), name: partitionName, start };
  });
  const partitionOf = (key: PartitionKey): number => remainder(key, partitions);
  return Object.freeze({
    childSpec: supervisor(id, { ...flags, name: id }, children),
    partitions,
    partitionOf,
    dest: (key) => names[partitionOf(key)] as Name<P>,
  } satisfies PartitionSupervisor<P>);
}

function remainder(key: PartitionKey, partitions: number): number {
  if (typeof key === 'bigint') return Number((key < 0n ? -key : key) % BigInt(partitions));
  if (typeof key === 'number' && Number.isSafeInteger(key)) return Math.abs(key) % partitions;
  if (typeof key === 'string') return hash(key) % partitions;
  if (key instanceof Pid) return key.serial % partitions;
  throw badArgument('the key of a partition', 'a string, a whole number or a pid', key);
}

/** FNV-1a over UTF-16 code units: the same in every run and every program. */
function hash(text: string): number {
  let hashed = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hashed = Math.imul(hashed ^ text.charCodeAt(i), 0x01000193);
  return hashed >>> 0;
}
