import { badArgument, checkFunction, checkPid } from '../kernel/arguments.ts';
import { BadArgError, ExitedError } from '../kernel/errors.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Pid } from '../kernel/pid.ts';
import type { TableData, TableInfo, TableRows, TableType, Tid } from './table-data.ts';
import { type RowMatch, TableContinuation, type TablePage } from './table-pages.ts';

/**
 * What one process sees of one table, whatever its type. Every method is atomic and isolated, since nothing else of the
 * thread runs meanwhile. A method that the process has no right to, or of a table that is deleted, throws
 * `BadArgError`; one that writes throws `ExitedError` once the process has exited.
 */
export abstract class TableHandle<K, V, Rows extends TableRows> {
  // Declared only: a handle is made for nearly every read, and field initialisers of a base class double its price.
  declare protected readonly kernel: Kernel;
  declare protected readonly data: TableData<Rows>;
  /** Null: the system itself looks, which may only read. */
  declare private readonly user: Pid | null;

  constructor(kernel: Kernel, data: TableData<Rows>, user: Pid | null) {
    this.kernel = kernel;
    this.data = data;
    this.user = user;
  }

  get name(): string {
    return this.data.name;
  }

  get tid(): Tid {
    return this.data.tid;
  }

  get type(): TableType {
    return this.data.type;
  }

  /** How many rows there are; a bag counts each value. */
  get size(): number {
    return this.readable().size;
  }

  /** Also for private tables of others; undefined if the table is deleted (ets:info/1). */
  info(): TableInfo | undefined {
    const { tid, name, namedTable, type, access, owner, heir, rows, deleted } = this.data;
    if (deleted) return undefined;
    return { tid, name, namedTable, type, access, owner, heir: heir ?? undefined, size: rows.size };
  }

  /**
   * All rows, one after another, while the table may change: a row that stays is shown once, one that comes or goes
   * meanwhile perhaps.
   */
  abstract entries(): IterableIterator<[K, V]>;

  /** Removes the rows that match and says how many; if `match` throws, none (ets:select_delete/2). */
  abstract selectDelete(match: RowMatch<K, V>): number;

  /** The rows that match (ets:select/2, match_object/2). */
  select(match: RowMatch<K, V>): [K, V][] {
    checkFunction(match, 'match');
    const rows: [K, V][] = [];
    for (const row of this.entries()) if (match(row[0], row[1])) rows.push(row);
    return rows;
  }

  /** How many rows match (ets:select_count/2). */
  selectCount(match: RowMatch<K, V>): number {
    checkFunction(match, 'match');
    let count = 0;
    for (const [key, value] of this.entries()) if (match(key, value)) count++;
    return count;
  }

  /**
   * The first rows that match, at most `limit`, and how to go on; `'$end_of_table'` if there are none (ets:select/3).
   * The table may change between two pages, as it may during `entries`.
   */
  selectPage(match: RowMatch<K, V>, limit: number): TablePage<K, V> | '$end_of_table' {
    return new TableContinuation(this.data, this.entries(), match, limit).next(this.data);
  }

  /** The next page; `'$end_of_table'` if there is none (ets:select/1). */
  selectMore(continuation: TablePage<K, V>['continuation']): TablePage<K, V> | '$end_of_table' {
    this.readable();
    if (continuation !== '$end_of_table' && !(continuation instanceof TableContinuation))
      throw badArgument('the continuation', 'that of a page', continuation);
    return continuation === '$end_of_table' ? continuation : continuation.next(this.data);
  }

  /** Removes all rows (ets:delete_all_objects/1). */
  clear(): void {
    this.writable().clear();
  }

  /** Deletes the table; who may write may do this too (ets:delete/1). */
  deleteTable(): void {
    this.writable();
    this.kernel.tables.delete(this.data);
  }

  /** Gives the table another name; `BadArgError` if that is taken (ets:rename/2). */
  rename(name: string): void {
    this.writable();
    this.kernel.tables.rename(this.data, name);
  }

  /**
   * Makes another process the owner; it gets `'ETS-TRANSFER'` with `data`. The heir stays (ets:give_away/3).
   * `BadArgError` if it is not alive, or is the owner already.
   */
  giveAway(pid: Pid, data?: unknown): void {
    const from = this.owned();
    checkPid(pid, 'pid');
    const receiver = this.kernel.find(pid);
    if (receiver === undefined) throw new BadArgError(`table '${this.name}' cannot go to ${pid}: it is not alive`);
    if (receiver.pid === from) throw new BadArgError(`table '${this.name}' is ${pid}'s own`);
    this.kernel.tables.transfer(this.data, receiver, data);
  }

  /** Names another heir, or none with null (ets:setopts/2). */
  setHeir(heir: Pid | null, heirData?: unknown): void {
    this.owned();
    this.kernel.tables.setHeir(this.data, heir, heirData);
  }

  protected readable(): Rows {
    const { data } = this;
    if (data.guarded) this.checkReader();
    return data.rows;
  }

  protected writable(): Rows {
    const { data } = this;
    const user = this.living();
    if (data.access !== 'public' && data.owner !== user) {
      throw new BadArgError(`table '${data.name}' is ${data.access}: only its owner ${data.owner} writes to it`);
    }
    return data.rows;
  }

  /** A value goes into the table: it is shared from here on, like a message. */
  protected share<T>(value: T): T {
    this.kernel.share(value);
    return value;
  }

  private owned(): Pid {
    const { data } = this;
    const user = this.living();
    if (data.owner === user) return user;
    throw new BadArgError(`table '${data.name}' is not ${user}'s: only its owner ${data.owner} may do this`);
  }

  /** The process, if it lives and the table does too. */
  private living(): Pid {
    const { data, user } = this;
    if (user === null) throw new BadArgError(`table '${data.name}' was opened to be read only`);
    if (this.kernel.find(user) === undefined) throw new ExitedError(`${user} has exited: it cannot write`);
    if (data.deleted) throw new BadArgError(`table '${data.name}' is deleted`);
    return user;
  }

  private checkReader(): void {
    const { data } = this;
    if (data.deleted) throw new BadArgError(`table '${data.name}' is deleted`);
    if (data.owner !== this.user) {
      throw new BadArgError(`table '${data.name}' is private: only its owner ${data.owner} reads it`);
    }
  }
}
