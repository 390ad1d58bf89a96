import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  BadArgError,
  type Bag,
  type Context,
  type Table,
  type TablePage,
  type TableType,
} from '../../runtime/index.ts';
import { openProcess, startTestSystem } from '../support/test-system.ts';

async function ownerOfTables(t: TestContext): Promise<Context> {
  return (await openProcess(await startTestSystem(t))).ctx;
}

const types: readonly TableType[] = ['set', 'ordered_set', 'bag', 'duplicate_bag'];

/** A table of each type with the rows 1 to 10; key and value are the same. */
function tenRows(ctx: Context, type: TableType): Table<number, number> | Bag<number, number> {
  if (type === 'bag' || type === 'duplicate_bag') {
    const bag = ctx.newTable<number, number>(type, { type });
    for (let i = 1; i <= 10; i++) bag.add(i, i);
    return bag;
  }
  const table =
    type === 'set'
      ? ctx.newTable<number, number>(type, { type })
      : ctx.newTable<number, number>(type, { type: 'ordered_set' });
  for (let i = 1; i <= 10; i++) table.set(i, i);
  return table;
}

const isEven = (key: number): boolean => key % 2 === 0;
const isAny = (): boolean => true;
const keysOf = (rows: readonly (readonly [number, number])[]): number[] => rows.map(([key]) => key);

for (const type of types) {
  test(`select, selectCount and selectDelete of a ${type}`, async (t) => {
    const table = tenRows(await ownerOfTables(t), type);
    assert.deepEqual(keysOf(table.select(isEven)), [2, 4, 6, 8, 10]);
    assert.equal(
      table.selectCount((_key, value) => value > 3),
      7,
    );
    assert.equal(table.selectDelete(isEven), 5);
    assert.deepEqual([keysOf([...table.entries()]), table.size], [[1, 3, 5, 7, 9], 5]);
    const faulty = (key: number): boolean => {
      if (key === 9) throw new Error('late');
      return true;
    };
    assert.throws(() => table.selectDelete(faulty), /late/);
    assert.equal(table.size, 5, 'a match that throws removes nothing');
  });

  test(`selectPage of a ${type} goes on where it stopped`, async (t) => {
    const table = tenRows(await ownerOfTables(t), type);
    const pages: number[][] = [];
    for (
      let page: TablePage<number, number> | '$end_of_table' = table.selectPage(isAny, 4);
      page !== '$end_of_table';
      page = table.selectMore(page.continuation)
    ) {
      pages.push(keysOf(page.rows));
    }
    assert.deepEqual(pages, [
      [1, 2, 3, 4],
      [5, 6, 7, 8],
      [9, 10],
    ]);
    assert.equal(table.selectMore('$end_of_table'), '$end_of_table');
    assert.equal(
      table.selectPage(() => false, 4),
      '$end_of_table',
    );
    for (const limit of [0, -1, 1.5, Number.NaN]) assert.throws(() => table.selectPage(isAny, limit), BadArgError);
  });

  test(`selectPage of a ${type} fits exactly: the page after the last is the end`, async (t) => {
    const table = tenRows(await ownerOfTables(t), type);
    const page = table.selectPage(isEven, 5) as TablePage<number, number>;
    assert.deepEqual(keysOf(page.rows), [2, 4, 6, 8, 10]);
    assert.notEqual(page.continuation, '$end_of_table');
    assert.equal(table.selectMore(page.continuation), '$end_of_table');
  });

  test(`the pages of a ${type} that changes: what stays is shown once, what has gone is not`, async (t) => {
    const table = tenRows(await ownerOfTables(t), type);
    const first = table.selectPage(isAny, 4) as TablePage<number, number>;
    for (const key of [4, 6]) table.delete(key);
    if ('set' in table) table.set(2.5, 0);
    const second = table.selectMore(first.continuation) as TablePage<number, number>;
    assert.deepEqual(
      [keysOf(first.rows), keysOf(second.rows)],
      [
        [1, 2, 3, 4],
        [5, 7, 8, 9],
      ],
    );
  });
}

test('a continuation is used once, and with its own table', async (t) => {
  const ctx = await ownerOfTables(t);
  const [table, other] = [tenRows(ctx, 'set'), tenRows(ctx, 'ordered_set')];
  const page = table.selectPage(isAny, 2) as TablePage<number, number>;
  assert.throws(() => other.selectMore(page.continuation), BadArgError);
  assert.notEqual(
    ctx.table<number, number>('set')?.selectMore(page.continuation),
    '$end_of_table',
    'any handle will do',
  );
  assert.throws(() => table.selectMore(page.continuation), BadArgError);
  const renamed = table.selectPage(isAny, 2) as TablePage<number, number>;
  table.rename('renamed');
  assert.notEqual(table.selectMore(renamed.continuation), '$end_of_table', 'the table is the same under another name');
  const next = table.selectPage(isAny, 2) as TablePage<number, number>;
  const successor = ctx.newTable<number, number>('set');
  assert.throws(() => successor.selectMore(next.continuation), BadArgError);
  table.deleteTable();
  assert.throws(() => table.selectMore(next.continuation), /deleted/);
});

test('selectReplace puts other values, all or none', async (t) => {
  const ctx = await ownerOfTables(t);
  for (const table of [tenRows(ctx, 'set'), tenRows(ctx, 'ordered_set')] as Table<number, number>[]) {
    assert.equal(
      table.selectReplace(isEven, (value, key) => value + key),
      5,
    );
    assert.deepEqual([...table.entries()].slice(0, 4), [
      [1, 1],
      [2, 4],
      [3, 3],
      [4, 8],
    ]);
    const faulty = (value: number, key: number): number => {
      if (key === 10) throw new Error('late');
      return value + 1;
    };
    assert.throws(() => table.selectReplace(isAny, faulty), /late/);
    assert.equal(table.get(1), 1);
  }
});

test('who may not write may not select to write', async (t) => {
  const system = await startTestSystem(t);
  const [owner, other] = [await openProcess(system), await openProcess(system)];
  tenRows(owner.ctx, 'set');
  const seen = other.ctx.table<number, number>('set')!;
  assert.equal(seen.selectCount(isAny), 10);
  assert.throws(() => seen.selectDelete(isAny), BadArgError);
  assert.throws(() => seen.selectReplace(isAny, () => 0), BadArgError);
  assert.equal(seen.size, 10);
});
