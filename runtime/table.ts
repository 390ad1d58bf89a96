import { BadArgError, ExitedError } from './errors.ts';
import type { Kernel } from './kernel.ts';
import { Message } from './message.ts';
import type { Pid } from './pid.ts';
import type { Process } from './process.ts';

export interface TableOptions {
  /** `'protected'` (default): others read, the owner writes. `'public'`: all processes write. */
  readonly access?: 'protected' | 'public';
  /** Who inherits the table when its owner exits; told by an info message `'ETS-TRANSFER'` `{ table, from }`. */
  readonly heir?: Pid;
}

interface TableData {
  readonly name: string;
  readonly access: 'protected' | 'public';
  readonly heir: Pid | null;
  readonly rows: Map<unknown, unknown>;
  owner: Pid;
}

/**
 * A named table that all processes of a system read without a message (ets, type `set`, `named_table`). Values are
 * shared, not
 * copied: treat them as frozen. It is deleted when its owner exits, unless it has an heir. Writing to a protected table
 * of another process, or to a deleted one, throws `BadArgError`.
 */
export class Table<K = unknown, V = unknown> {
  private readonly kernel: Kernel;
  private readonly data: TableData;
  private readonly user: Pid;

  constructor(kernel: Kernel, data: TableData, user: Pid) {
    this.kernel = kernel;
    this.data = data;
    this.user = user;
  }

  get name(): string {
    return this.data.name;
  }

  get size(): number {
    return this.data.rows.size;
  }

  get(key: K): V | undefined {
    return this.data.rows.get(key) as V | undefined;
  }

  has(key: K): boolean {
    return this.data.rows.has(key);
  }

  /** The rows in the order of their first insertion. */
  entries(): IterableIterator<[K, V]> {
    return (this.data.rows as Map<K, V>).entries();
  }

  set(key: K, value: V): void {
    this.writable().set(key, value);
  }

  /** Inserts unless the key is there (ets:insert_new/2); says whether it did. */
  insertNew(key: K, value: V): boolean {
    const rows = this.writable();
    if (rows.has(key)) return false;
    rows.set(key, value);
    return true;
  }

  /** Says whether the key was there. */
  delete(key: K): boolean {
    return this.writable().delete(key);
  }

  private writable(): Map<unknown, unknown> {
    const { data } = this;
    if (this.kernel.find(this.user) === undefined) throw new ExitedError(`${this.user} has exited: it cannot write`);
    if (this.kernel.tables.named(data.name) !== data) throw new BadArgError(`table '${data.name}' is deleted`);
    if (data.access === 'protected' && data.owner !== this.user) {
      throw new BadArgError(`table '${data.name}' is protected: only its owner ${data.owner} writes to it`);
    }
    return data.rows;
  }
}

/** The tables of one system. */
export class Tables {
  private readonly byName = new Map<string, TableData>();
  private readonly kernel: Kernel;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  named(name: string): TableData | undefined {
    return this.byName.get(name);
  }

  create<K, V>(owner: Process, name: string, options: TableOptions): Table<K, V> {
    if (this.byName.has(name)) throw new BadArgError(`table '${name}' exists already`);
    const data: TableData = {
      name,
      access: options.access ?? 'protected',
      heir: options.heir ?? null,
      rows: new Map(),
      owner: owner.pid,
    };
    this.byName.set(name, data);
    owner.tables ??= new Set();
    owner.tables.add(name);
    return new Table(this.kernel, data, owner.pid);
  }

  open<K, V>(user: Pid, name: string): Table<K, V> | undefined {
    const data = this.byName.get(name);
    return data === undefined ? undefined : new Table(this.kernel, data, user);
  }

  /** The owner exits: its tables go to their heirs or away. */
  ownerExited(owner: Process): void {
    if (owner.tables === null) return;
    for (const name of owner.tables) {
      const data = this.byName.get(name) as TableData;
      const heir = data.heir === null ? undefined : this.kernel.find(data.heir);
      if (heir === undefined) {
        this.byName.delete(name);
        continue;
      }
      data.owner = heir.pid;
      heir.tables ??= new Set();
      heir.tables.add(name);
      this.kernel.deliver(heir, new Message('info', 'ETS-TRANSFER', { table: name, from: owner.pid }));
    }
    owner.tables = null;
  }
}
