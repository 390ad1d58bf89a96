import type { Context, Table } from '../../runtime/index.ts';
import type { NodeNames } from './node-names.ts';
import type { TaskRecord } from './task-record.ts';

/**
 * Where the records of tasks are kept. A record is written by one process at a time: the task manager before there is a
 * process and after it has ended, between that the process of the task.
 */
export interface TaskJournal {
  /** How many records there are. */
  readonly size: number;
  read(id: string): TaskRecord | undefined;
  /** When this is done, and not before, may anybody be told of what is in the record. */
  write(record: TaskRecord): void | Promise<void>;
  remove(id: string): void | Promise<void>;
  records(): Iterable<TaskRecord>;
}

/** The journal in memory: a table that outlives all processes of the node. Undefined while there is no table. */
export function taskJournal({ taskTable }: Pick<NodeNames, 'taskTable'>, ctx: Context): TaskJournal | undefined {
  const table: Table<string, TaskRecord> | undefined = ctx.table(taskTable);
  if (table === undefined) return undefined;
  return {
    get size() {
      return table.size;
    },
    read: (id) => table.get(id),
    write: (record) => {
      table.set(record.id, record);
    },
    remove: (id) => {
      table.delete(id);
    },
    records: function* () {
      for (const [, record] of table.entries()) yield record;
    },
  };
}
