import type { Pid, Ref } from '../kernel/pid.ts';

/**
 * How a table keeps its rows (ets, "Insert"):
 *
 * - `'set'`: one value per key; keys are compared as in a `Map`.
 * - `'ordered_set'`: one value per key, in the order of terms; keys that are equal in that order, as 1 and 1n, are one.
 * - `'bag'`: several values per key, none twice.
 * - `'duplicate_bag'`: several values per key.
 */
export type TableType = 'set' | 'ordered_set' | 'bag' | 'duplicate_bag';

/** Identifies a table while its system lives: plain data, the only way to a table that has no name (ets: tid()). */
export type Tid = Ref;

/** Options of `ctx.newTable` (ets:new/2). */
export interface TableOptions {
  /** Default `'set'`. */
  readonly type?: TableType;
  /**
   * `'protected'` (default): others read, the owner writes. `'public'`: all processes write. `'private'`: only the
   * owner reads and writes.
   */
  readonly access?: 'protected' | 'public' | 'private';
  /**
   * Whether others find the table by its name, which is then taken (ets: named_table). Default true; false: several
   * tables may have this name, and others need the `tid`.
   */
  readonly namedTable?: boolean;
  /** Who inherits the table when its owner exits; told by an info message `'ETS-TRANSFER'`. Default nobody. */
  readonly heir?: Pid;
  /** What that message carries as `data`. */
  readonly heirData?: unknown;
}

/** What there is to know about a table (ets:info/1). */
export interface TableInfo {
  readonly tid: Tid;
  readonly name: string;
  readonly namedTable: boolean;
  readonly type: TableType;
  readonly access: 'protected' | 'public' | 'private';
  readonly owner: Pid;
  readonly heir: Pid | undefined;
  /** How many rows; a bag counts each value. */
  readonly size: number;
}

/** The payload of `'ETS-TRANSFER'`: `ctx.table(table)` is now the receiver's. */
export interface TableTransfer {
  /** Its name, or its tid if it has none. */
  readonly table: string | Tid;
  /** Who had it before. */
  readonly from: Pid;
  /** What `giveAway` or `heirData` gave. */
  readonly data: unknown;
}

/** What all kinds of rows have. */
export interface TableRows {
  readonly size: number;
  clear(): void;
}

/** One table; each process that uses it has a handle of its own on it. */
export interface TableData<Rows extends TableRows = TableRows> {
  readonly tid: Tid;
  readonly namedTable: boolean;
  readonly type: TableType;
  readonly access: 'protected' | 'public' | 'private';
  readonly rows: Rows;
  name: string;
  owner: Pid;
  heir: Pid | null;
  heirData: unknown;
  deleted: boolean;
  /** Deleted or private: reading needs a closer look. One field, since every read asks. */
  guarded: boolean;
}
