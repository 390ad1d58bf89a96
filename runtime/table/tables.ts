import { badArgument, checkObject, checkOneOf, checkText } from '../kernel/arguments.ts';
import { BadArgError } from '../kernel/errors.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { Message } from '../kernel/message.ts';
import { Pid } from '../kernel/pid.ts';
import type { Process } from '../kernel/process.ts';
import { Bag } from './bag.ts';
import { BagRows } from './bag-rows.ts';
import { SortedMap } from './sorted-map.ts';
import { OrderedTable, Table } from './table.ts';
import type { TableData, TableOptions, TableRows, TableTransfer, TableType, Tid } from './table-data.ts';

type AnyTable = Table | OrderedTable | Bag;

const types: Readonly<Record<TableType, () => TableRows>> = {
  set: () => new Map(),
  ordered_set: () => new SortedMap(),
  bag: () => new BagRows(false),
  duplicate_bag: () => new BagRows(true),
};
const accesses = ['public', 'protected', 'private'];

/** What a handle of the asked type can be on: a set may turn out to be ordered, and a bag to take duplicates. */
const opens: Readonly<Record<TableType, readonly TableType[]>> = {
  set: ['set', 'ordered_set'],
  ordered_set: ['ordered_set'],
  bag: ['bag', 'duplicate_bag'],
  duplicate_bag: ['duplicate_bag'],
};

/** The tables of one system, and who owns them (ets). */
export class Tables {
  /** By tid, and by name if it is a named table. */
  private readonly byRef = new Map<string | Tid, TableData>();
  private readonly kernel: Kernel;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  create(owner: Process, name: string, options: TableOptions): AnyTable {
    checkObject(options, 'the options of a table');
    const { type = 'set', access = 'protected', namedTable = true, heir, heirData } = options;
    checkOneOf(type, 'the type of a table', Object.keys(types));
    checkOneOf(access, 'the access of a table', accesses);
    if (typeof namedTable !== 'boolean') throw badArgument('namedTable', 'true or false', namedTable);
    this.checkName(name, namedTable);
    const data: TableData = {
      tid: this.kernel.nextRef(),
      namedTable,
      type,
      access,
      rows: types[type](),
      name,
      owner: owner.pid,
      heir: null,
      heirData: undefined,
      deleted: false,
      guarded: access === 'private',
    };
    if (heir !== undefined) this.setHeir(data, heir, heirData);
    if (namedTable) this.byRef.set(name, data);
    this.byRef.set(data.tid, data);
    this.own(owner, data);
    return this.handle(data, owner.pid);
  }

  /** Requests read sets on their way: that case comes first. */
  open(user: Pid | null, table: string | Tid, type?: TableType): any {
    const data = this.byRef.get(table);
    if (data === undefined) return undefined;
    if (type === undefined && data.type === 'set')
      return new Table(this.kernel, data as TableData<Map<any, any>>, user);
    return this.openAs(user, data, type ?? 'set');
  }

  delete(data: TableData): void {
    this.kernel.find(data.owner)?.tables?.delete(data);
    this.forget(data);
  }

  rename(data: TableData, name: string): void {
    this.checkName(name, data.namedTable);
    if (data.namedTable) {
      this.byRef.delete(data.name);
      this.byRef.set(name, data);
    }
    data.name = name;
  }

  setHeir(data: TableData, heir: Pid | null, heirData: unknown): void {
    if (heir !== null && !(heir instanceof Pid))
      throw new BadArgError(`the heir of table '${data.name}' must be a pid`);
    data.heir = heir !== null && this.kernel.find(heir) !== undefined ? heir : null;
    data.heirData = heirData;
  }

  /** The receiver owns the table before it learns of it. */
  transfer(data: TableData, receiver: Process, gift: unknown): void {
    const from = data.owner;
    this.kernel.find(from)?.tables?.delete(data);
    data.owner = receiver.pid;
    this.own(receiver, data);
    const transfer: TableTransfer = { table: data.namedTable ? data.name : data.tid, from, data: gift };
    this.kernel.share(transfer);
    const message = new Message('info', 'ETS-TRANSFER', transfer);
    this.kernel.signal(from, receiver.pid, () => this.kernel.deliver(receiver, message));
  }

  /** The owner exits: its tables go to their heirs or away. */
  ownerExited(owner: Process): void {
    if (owner.tables === null) return;
    for (const data of owner.tables) {
      const heir = data.heir === null ? undefined : this.kernel.find(data.heir);
      if (heir === undefined) this.forget(data);
      else this.transfer(data, heir, data.heirData);
    }
    owner.tables = null;
  }

  private openAs(user: Pid | null, data: TableData, type: TableType): AnyTable {
    if (Object.hasOwn(opens, type) && opens[type].includes(data.type)) return this.handle(data, user);
    throw new BadArgError(`table '${data.name}' is a ${data.type}: open it with that type as the second argument`);
  }

  private own(owner: Process, data: TableData): void {
    owner.tables ??= new Set();
    owner.tables.add(data);
  }

  private forget(data: TableData): void {
    if (data.namedTable) this.byRef.delete(data.name);
    this.byRef.delete(data.tid);
    data.deleted = true;
    data.guarded = true;
    data.rows.clear();
  }

  private checkName(name: string, namedTable: boolean): void {
    checkText(name, 'the name of a table');
    if (namedTable && this.byRef.has(name)) throw new BadArgError(`table '${name}' exists already`);
  }

  private handle(data: TableData, user: Pid | null): AnyTable {
    switch (data.type) {
      case 'set':
        return new Table(this.kernel, data as TableData<Map<unknown, unknown>>, user);
      case 'ordered_set':
        return new OrderedTable(this.kernel, data as TableData<SortedMap>, user);
      default:
        return new Bag(this.kernel, data as TableData<BagRows>, user);
    }
  }
}
