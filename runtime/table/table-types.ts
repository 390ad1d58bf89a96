import type { Bag } from './bag.ts';
import type { OrderedTable, Table } from './table.ts';
import type { TableOptions, Tid } from './table-data.ts';

/** Which kind of table the options ask for. */
export interface NewTable {
  <K, V>(name: string, options: TableOptions & { readonly type: 'ordered_set' }): OrderedTable<K, V>;
  <K, V>(name: string, options: TableOptions & { readonly type: 'bag' | 'duplicate_bag' }): Bag<K, V>;
  <K, V>(name: string, options?: TableOptions & { readonly type?: 'set' }): Table<K, V>;
}

/** Which kind of table the caller expects to find. */
export interface OpenTable {
  <K, V>(table: string | Tid, type: 'ordered_set'): OrderedTable<K, V> | undefined;
  <K, V>(table: string | Tid, type: 'bag' | 'duplicate_bag'): Bag<K, V> | undefined;
  <K, V>(table: string | Tid, type?: 'set'): Table<K, V> | undefined;
}
