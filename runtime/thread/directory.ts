import { BadArgError } from '../kernel/errors.ts';
import { ThreadMemory } from './thread-memory.ts';

/** One thread of a system, as the others know it. */
export interface ThreadDescription {
  readonly thread: number;
  /** The group it is in; null if it was started for one process. */
  readonly group: string | null;
  /** Which of its group: whoever comes after it has the same. */
  readonly position: number;
  readonly memory: SharedArrayBuffer;
}

/** Which thread of a group gets the next process: each in turn, or the one with the fewest processes. */
export type Placement = 'round_robin' | 'least_loaded';

interface Group {
  readonly placement: Placement;
  readonly threads: number[];
  next: number;
}

/** The threads that there are, and which one is next. */
export class Directory {
  private readonly groups = new Map<string, Group>();
  private readonly memories = new Map<number, ThreadMemory>();
  private readonly described = new Map<number, ThreadDescription>();

  constructor(placements: Readonly<Record<string, Placement>>) {
    for (const [name, placement] of Object.entries(placements)) {
      this.groups.set(name, { placement, threads: [], next: 0 });
    }
  }

  add(description: ThreadDescription): void {
    const { thread, group, position, memory } = description;
    this.described.set(thread, description);
    this.memories.set(thread, new ThreadMemory(memory));
    const of = group === null ? undefined : this.groups.get(group);
    if (of !== undefined) of.threads[position] = thread;
  }

  /** Of a thread that has died; its place in the group is taken by `add`. */
  remove(thread: number): void {
    this.memories.delete(thread);
    this.described.delete(thread);
  }

  get descriptions(): ThreadDescription[] {
    return [...this.described.values()];
  }

  memoryOf(thread: number): ThreadMemory | undefined {
    return this.memories.get(thread);
  }

  get threads(): Iterable<number> {
    return this.memories.keys();
  }

  hasGroup(name: string): boolean {
    return this.groups.has(name);
  }

  /** The thread of a group that is to have the next process. */
  place(name: string): number {
    const group = this.groups.get(name);
    if (group === undefined) {
      const names = ['main', ...this.groups.keys()].map((each) => `'${each}'`).join(', ');
      throw new BadArgError(`there is no thread group '${name}': this system has ${names}`);
    }
    return group.placement === 'round_robin' ? inTurn(group) : this.leastLoaded(group);
  }

  private leastLoaded(group: Group): number {
    let best = inTurn(group);
    let least = this.loadOf(best);
    for (const thread of group.threads) {
      const load = this.loadOf(thread);
      if (load < least) {
        best = thread;
        least = load;
      }
    }
    return best;
  }

  private loadOf(thread: number): number {
    return this.memories.get(thread)?.processCount ?? Number.POSITIVE_INFINITY;
  }
}

function inTurn(group: Group): number {
  const thread = group.threads[group.next % group.threads.length] as number;
  group.next = (group.next + 1) % group.threads.length;
  return thread;
}
