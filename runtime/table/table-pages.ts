import { badArgument, checkCount, checkFunction } from '../kernel/arguments.ts';
import { BadArgError } from '../kernel/errors.ts';
import type { TableData } from './table-data.ts';

/** Chooses rows; it must not write to the table. */
export type RowMatch<K, V> = (key: K, value: V) => boolean;

/** Some of the rows that were asked for, and how to ask for more of them. */
export interface TablePage<K, V> {
  readonly rows: readonly (readonly [K, V])[];
  /** For `selectMore`; `'$end_of_table'` if these were the last. */
  readonly continuation: TableContinuation<K, V> | '$end_of_table';
}

/** Where a `selectPage` stands. It can be continued once, by any handle of the table in the same system. */
export class TableContinuation<K, V> {
  readonly #data: TableData;
  readonly #rows: Iterator<[K, V]>;
  readonly #match: RowMatch<K, V>;
  readonly #limit: number;
  #used = false;

  constructor(data: TableData, rows: Iterator<[K, V]>, match: RowMatch<K, V>, limit: number) {
    checkFunction(match, 'match');
    checkCount(limit, 'limit');
    this.#data = data;
    this.#rows = rows;
    this.#match = match;
    this.#limit = limit;
  }

  next(data: TableData): TablePage<K, V> | '$end_of_table' {
    if (data !== this.#data) throw new BadArgError(`the continuation is not of table '${data.name}'`);
    if (this.#used) throw new BadArgError('a continuation is used once: take the one of the latest page');
    this.#used = true;
    const rows: [K, V][] = [];
    while (rows.length < this.#limit) {
      const { done, value } = this.#rows.next();
      if (done === true) return rows.length === 0 ? '$end_of_table' : { rows, continuation: '$end_of_table' };
      if (this.#match(value[0], value[1])) rows.push(value);
    }
    return { rows, continuation: new TableContinuation(this.#data, this.#rows, this.#match, this.#limit) };
  }
}

/** The rows of a list, read to its end before the first is put. */
export function rowsOf<K, V>(table: string, rows: Iterable<readonly [K, V]>): (readonly [K, V])[] {
  if (typeof rows?.[Symbol.iterator] !== 'function') throw badArgument('rows', 'iterable', rows);
  return Array.from(rows, (row) => {
    if (Array.isArray(row) && row.length === 2) return row;
    throw new BadArgError(`a row of table '${table}' is [key, value]`);
  });
}
