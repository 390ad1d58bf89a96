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

/** The round in which a thread was seen, and when first. */
interface Seen {
  readonly beat: number;
  readonly sinceMs: number;
}

/** The threads that there are, and which one is next. */
export class Directory {
  private readonly groups = new Map<string, Group>();
  private readonly memories = new Map<number, ThreadMemory>();
  private readonly described = new Map<number, ThreadDescription>();
  private readonly seen = new Map<number, Seen>();
  /** Threads that were seen not to yield. */
  private readonly busy = new Set<number>();
  private readonly busyMs: number;
  private readonly now: () => number;

  constructor(placements: Readonly<Record<string, Placement>>, busyMs: number, now: () => number) {
    this.busyMs = busyMs;
    this.now = now;
    for (const [name, placement] of Object.entries(placements)) {
      this.groups.set(name, { placement, threads: [], next: 0 });
    }
  }

  add(description: ThreadDescription): void {
    const { thread, group, position, memory } = description;
    this.vacate(thread);
    this.described.set(thread, description);
    this.memories.set(thread, new ThreadMemory(memory));
    const of = group === null ? undefined : this.groups.get(group);
    if (of !== undefined) of.threads[position] = thread;
  }

  /** One that helps out is the last of its group, but not the first: it leaves its place, or takes another one. */
  private vacate(thread: number): void {
    const { group = null, position = 0 } = this.described.get(thread) ?? {};
    const threads = group === null ? undefined : this.groups.get(group)?.threads;
    if (threads === undefined || position === 0 || position !== threads.length - 1) return;
    if (threads[position] === thread) threads.pop();
  }

  /** Of a thread that has died; its place in the group was taken before by `add`, if it is to be taken. */
  remove(thread: number): void {
    this.vacate(thread);
    this.memories.delete(thread);
    this.described.delete(thread);
    this.seen.delete(thread);
    this.busy.delete(thread);
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

  get groupNames(): string[] {
    return [...this.groups.keys()];
  }

  /** Whether processes are placed there; else it was started for one, or has died. */
  isInGroup(thread: number): boolean {
    return thread === 0 || (this.described.get(thread)?.group ?? null) !== null;
  }

  /** The thread of a group that is to have the next process. */
  place(name: string): number {
    const group = this.groups.get(name);
    if (group === undefined) {
      const names = ['main', ...this.groups.keys()].map((each) => `'${each}'`).join(', ');
      throw new BadArgError(`there is no thread group '${name}': this system has ${names}`);
    }
    return group.placement === 'round_robin' ? this.inTurn(group) : this.leastLoaded(group);
  }

  /** How many threads a group has now. */
  sizeOf(name: string): number {
    return this.groups.get(name)?.threads.length ?? 0;
  }

  setBusy(thread: number, is: boolean): void {
    if (is) this.busy.add(thread);
    else this.busy.delete(thread);
  }

  /** Whether a thread has been in one and the same round for long: what comes there would wait. */
  isBusy(thread: number): boolean {
    if (this.busyMs === 0) return false;
    if (this.busy.has(thread)) return true;
    const beat = this.memories.get(thread)?.beat ?? 0;
    if (beat % 2 === 0) return false;
    const seen = this.seen.get(thread);
    if (seen?.beat === beat) return this.now() - seen.sinceMs >= this.busyMs;
    this.seen.set(thread, { beat, sinceMs: this.now() });
    return false;
  }

  /** The next in turn, but not one that does not yield if there is another. */
  private inTurn(group: Group): number {
    const { threads, next } = group;
    let place = next % threads.length;
    for (let i = 0; i < threads.length; i++) {
      const at = (next + i) % threads.length;
      if (this.isBusy(threads[at] as number)) continue;
      place = at;
      break;
    }
    group.next = (place + 1) % threads.length;
    return threads[place] as number;
  }

  private leastLoaded(group: Group): number {
    let best = this.inTurn(group);
    let least = this.loadOf(best);
    for (const thread of group.threads) {
      if (this.isBusy(thread)) continue;
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
