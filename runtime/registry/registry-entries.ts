import type { Pid } from '../kernel/pid.ts';

/** One registration. */
export interface RegistryEntry<Key, Value> {
  readonly key: Key;
  /** Who registered. */
  readonly pid: Pid;
  /** What it gave with the key; undefined if nothing. */
  readonly value: Value;
}

type Entry = RegistryEntry<unknown, unknown>;

/** What a process holds, and how to undo what ties it to the registry. */
interface Holder {
  readonly entries: Set<Entry>;
  readonly untie: () => void;
}

/** Who is registered under which key. It belongs to one registry process, and is of no use once that has exited. */
export class RegistryEntries {
  readonly owner: Pid;
  private closed = false;
  /** Most keys have one entry, and no set. */
  private readonly byKey = new Map<unknown, Entry | Set<Entry>>();
  private readonly holders = new Map<Pid, Holder>();
  private readonly onRegister: (entry: Entry) => void;
  private readonly onUnregister: (entry: Entry) => void;

  constructor(owner: Pid, onRegister: (entry: Entry) => void, onUnregister: (entry: Entry) => void) {
    this.owner = owner;
    this.onRegister = onRegister;
    this.onUnregister = onUnregister;
  }

  /** The owner has exited: nobody finds the entries any more, and those who hold some are about to end. */
  close(): void {
    this.closed = true;
  }

  /** The first entry of the key. */
  first(key: unknown): Entry | undefined {
    const found = this.byKey.get(key);
    if (!(found instanceof Set)) return found;
    const [first] = found;
    return first;
  }

  of(key: unknown): readonly Entry[] {
    const found = this.byKey.get(key);
    if (found === undefined) return [];
    return found instanceof Set ? [...found] : [found];
  }

  heldBy(pid: Pid): readonly Entry[] {
    return [...(this.holders.get(pid)?.entries ?? [])];
  }

  *all(): Generator<Entry, void, undefined> {
    for (const { entries } of this.holders.values()) yield* entries;
  }

  get size(): number {
    let size = 0;
    for (const { entries } of this.holders.values()) size += entries.size;
    return size;
  }

  /** `tie` is called for the first entry of a process, and what it returns when its last one goes. */
  add(entry: Entry, tie: () => () => void): void {
    const holder = this.holders.get(entry.pid) ?? { entries: new Set(), untie: tie() };
    this.holders.set(entry.pid, holder);
    holder.entries.add(entry);
    this.addToKey(entry);
    this.onRegister(entry);
  }

  /** The same process keeps the same place under the key. */
  replace(old: Entry, entry: Entry): void {
    const found = this.byKey.get(old.key);
    const holder = this.holders.get(old.pid);
    if (found === undefined || found instanceof Set || holder === undefined) return;
    this.byKey.set(old.key, entry);
    holder.entries.delete(old);
    holder.entries.add(entry);
  }

  remove(entry: Entry): void {
    const holder = this.holders.get(entry.pid);
    if (holder?.entries.delete(entry) !== true) return;
    this.removeFromKey(entry);
    if (holder.entries.size === 0) {
      this.holders.delete(entry.pid);
      holder.untie();
    }
    this.onUnregister(entry);
  }

  /** A process has exited. */
  forget(pid: Pid): void {
    const holder = this.holders.get(pid);
    if (holder === undefined || this.closed) return;
    this.holders.delete(pid);
    for (const entry of holder.entries) {
      this.removeFromKey(entry);
      this.onUnregister(entry);
    }
  }

  private addToKey(entry: Entry): void {
    const found = this.byKey.get(entry.key);
    if (found === undefined) this.byKey.set(entry.key, entry);
    else if (found instanceof Set) found.add(entry);
    else this.byKey.set(entry.key, new Set([found, entry]));
  }

  private removeFromKey(entry: Entry): void {
    const found = this.byKey.get(entry.key);
    if (found instanceof Set && found.delete(entry) && found.size > 0) return;
    this.byKey.delete(entry.key);
  }
}
