import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { BadArgError, type Bag, type Context, type OrderedTable, type Table } from '../../runtime/index.ts';
import { openProcess, startTestSystem } from '../support/test-system.ts';

async function ownerOfTables(t: TestContext): Promise<Context> {
  return (await openProcess(await startTestSystem(t))).ctx;
}

type Rows<K, V> = Table<K, V> | Bag<K, V>;
const all = <K, V>(table: Rows<K, V>): [K, V][] => [...table.entries()];

test('setAll puts all rows or none', async (t) => {
  const table = (await ownerOfTables(t)).newTable<unknown, number>('t');
  table.set('a', 0);
  table.setAll([
    ['a', 1],
    ['b', 2],
    ['b', 3],
  ]);
  assert.deepEqual(all(table), [
    ['a', 1],
    ['b', 3],
  ]);
  const failing = function* (): Generator<[string, number]> {
    yield ['c', 4];
    throw new Error('half way');
  };
  assert.throws(() => table.setAll(failing()), /half way/);
  assert.throws(() => table.setAll([['c', 4], 'd' as never]), BadArgError);
  assert.equal(table.size, 2);
});

test('insertNewAll puts all rows, or none if one of their keys is there', async (t) => {
  const table = (await ownerOfTables(t)).newTable<string, number>('t');
  table.set('a', 0);
  const fresh = [
    ['b', 1],
    ['a', 1],
  ] as const;
  assert.deepEqual([table.insertNewAll(fresh), all(table)], [false, [['a', 0]]]);
  table.delete('a');
  assert.deepEqual([table.insertNewAll(fresh), table.insertNewAll(fresh), table.size], [true, false, 2]);
  assert.equal(table.insertNewAll([]), true);
  assert.equal(table.insertNewAll([['x', 1] as const, ['x', 2] as const]), true, 'the last of equal keys stays');
  assert.equal(table.get('x'), 2);
});

test('take removes a row and returns its value; deleteObject only one with an equal value', async (t) => {
  const table = (await ownerOfTables(t)).newTable<string, unknown>('t');
  table.set('a', { n: [1] });
  assert.deepEqual(
    [table.deleteObject('a', { n: [2] }), table.deleteObject('b', undefined), table.size],
    [false, false, 1],
  );
  assert.deepEqual([table.deleteObject('a', { n: [1] }), table.size], [true, 0]);
  table.set('a', 1);
  assert.deepEqual([table.take('a'), table.take('a'), table.size], [1, undefined, 0]);
  table.set('a', 1);
  table.clear();
  assert.deepEqual(all(table), []);
});

test('an ordered set keeps its rows in the order of keys; 1 and 1n are one key there, two in a set', async (t) => {
  const ctx = await ownerOfTables(t);
  const ordered = ctx.newTable<unknown, string>('o', { type: 'ordered_set' });
  for (const key of ['b', 10, [1, 2], 9, 'a', null, [1], 1n]) ordered.set(key, String(key));
  assert.deepEqual(
    all(ordered).map(([key]) => key),
    [1n, 9, 10, null, 'a', 'b', [1], [1, 2]],
  );
  ordered.set(1, 'number');
  assert.deepEqual([ordered.size, ordered.get(1n), ordered.first()], [8, 'number', 1]);
  assert.equal(ordered.insertNew(1n, 'x'), false);
  assert.equal(ordered.get([1, 2]), '1,2', 'arrays are equal by what they hold');
  const set = ctx.newTable<unknown, string>('s');
  set.set(1, 'number');
  set.set(1n, 'bigint');
  assert.deepEqual([set.size, set.get(1), set.get(1n)], [2, 'number', 'bigint']);
});

test('an ordered set has first, last, next and prev, also from a key that is not there', async (t) => {
  const table = (await ownerOfTables(t)).newTable<number, string>('t', { type: 'ordered_set' });
  const end = '$end_of_table';
  assert.deepEqual([table.first(), table.last(), table.next(1), table.prev(1)], [end, end, end, end]);
  for (let key = 1; key <= 5; key++) table.set(key, `v${key}`);
  assert.deepEqual([table.first(), table.last(), table.next(2), table.prev(2)], [1, 5, 3, 1]);
  assert.deepEqual([table.next(2.5), table.prev(2.5), table.next(5), table.prev(1)], [3, 2, end, end]);
  assert.deepEqual(
    [...table.entries({ from: 2, to: 4 })].map(([key]) => key),
    [2, 3],
  );
  assert.deepEqual(
    [...table.entries({ from: 2, reverse: true })].map(([key]) => key),
    [5, 4, 3, 2],
  );
});

test('a key without a place in the order is refused before anything is put', async (t) => {
  const table: OrderedTable<unknown, number> = (await ownerOfTables(t)).newTable('t', { type: 'ordered_set' });
  assert.throws(() => table.set(Number.NaN, 1), BadArgError);
  assert.throws(
    () =>
      table.setAll([
        ['good', 1],
        [new Map(), 1],
      ]),
    BadArgError,
  );
  assert.throws(() => table.get(() => {}), BadArgError);
  assert.equal(table.size, 0);
});

test('a bag has several values per key, none twice; a duplicate bag all; in the order of insertion', async (t) => {
  const ctx = await ownerOfTables(t);
  for (const [type, expected] of [
    ['bag', ['a', 'b', { n: 1 }]],
    ['duplicate_bag', ['a', 'b', 'a', { n: 1 }, { n: 1 }]],
  ] as const) {
    const bag = ctx.newTable<string, unknown>(type, { type });
    bag.addAll([
      ['k', 'a'],
      ['k', 'b'],
      ['k', 'a'],
    ]);
    bag.add('k', { n: 1 });
    bag.add('k', { n: 1 });
    bag.add('other', 'a');
    assert.deepEqual([bag.get('k'), bag.size], [expected, expected.length + 1], type);
    assert.deepEqual(all(bag), [...expected.map((value) => ['k', value]), ['other', 'a']]);
    const before = bag.get('k');
    before.pop();
    bag.add('k', 'later');
    assert.deepEqual(bag.get('k'), [...expected, 'later'], 'what get returned is a list of its own');
  }
});

test('a walk over a bag shows the values that a key had when its turn came', async (t) => {
  const bag = (await ownerOfTables(t)).newTable<string, number>('b', { type: 'duplicate_bag' });
  bag.addAll([
    ['k', 1],
    ['k', 2],
    ['l', 1],
  ]);
  const shown: [string, number][] = [];
  for (const [key, value] of bag.entries()) {
    shown.push([key, value]);
    bag.add('k', value + 10);
  }
  assert.deepEqual(shown, [
    ['k', 1],
    ['k', 2],
    ['l', 1],
  ]);
});

test('a bag removes one value, the values of a key, or all', async (t) => {
  const ctx = await ownerOfTables(t);
  const bag = ctx.newTable<string, unknown>('d', { type: 'duplicate_bag' });
  for (const value of ['a', { n: 1 }, 'a', { n: 1 }, 'b']) bag.add('k', value);
  bag.add('l', 'a');
  assert.deepEqual([bag.deleteObject('k', { n: 1 }), bag.get('k'), bag.size], [true, ['a', 'a', 'b'], 4]);
  assert.deepEqual([bag.deleteObject('k', 'x'), bag.deleteObject('none', 'a'), bag.size], [false, false, 4]);
  assert.deepEqual([bag.take('k'), bag.take('k'), bag.has('k'), bag.size], [['a', 'a', 'b'], [], false, 1]);
  assert.deepEqual([bag.delete('l'), bag.delete('l'), bag.size], [true, false, 0]);
  bag.add('k', 1);
  bag.clear();
  assert.deepEqual([bag.size, bag.get('k'), bag.first()], [0, [], '$end_of_table']);
});

test('insertNew of a bag asks for the key, not for the value', async (t) => {
  const bag = (await ownerOfTables(t)).newTable<string, number>('b', { type: 'bag' });
  assert.deepEqual([bag.insertNew('k', 1), bag.insertNew('k', 2), bag.get('k')], [true, false, [1]]);
  const rows = (key: string): [string, number][] => [
    [key, 1],
    [key, 1],
    [key, 2],
  ];
  assert.deepEqual([bag.insertNewAll([...rows('m'), ['k', 3]]), bag.has('m')], [false, false]);
  assert.deepEqual([bag.insertNewAll(rows('m')), bag.get('m')], [true, [1, 2]]);
  assert.throws(() => bag.addAll([['n', 1], 5 as never]), BadArgError);
  assert.equal(bag.has('n'), false);
});

for (const type of ['set', 'bag'] as const) {
  test(`first and next walk over a ${type}, also over one that changes`, async (t) => {
    const ctx = await ownerOfTables(t);
    const table: Rows<string, number> = type === 'set' ? ctx.newTable('t', { type }) : ctx.newTable('t', { type });
    const put = (key: string): void => ('set' in table ? table.set(key, 1) : table.add(key, 1));
    for (const key of ['a', 'b', 'c', 'd']) put(key);
    const walk = (each: (key: string) => void): string[] => {
      const keys: string[] = [];
      for (let key = table.first(); key !== '$end_of_table'; key = table.next(key)) {
        keys.push(key);
        each(key);
      }
      return keys;
    };
    assert.deepEqual(
      walk(() => {}),
      ['a', 'b', 'c', 'd'],
    );
    assert.deepEqual([table.next('b'), table.next('b')], ['c', 'c'], 'from any key that is there');
    assert.deepEqual([table.next('d'), table.next('d')], ['$end_of_table', '$end_of_table']);
    assert.throws(() => table.next('x'), BadArgError);
    assert.deepEqual(
      walk((key) => table.delete(key)),
      ['a', 'b', 'c', 'd'],
      'though each key is removed before its next is asked for',
    );
    assert.equal(table.first(), '$end_of_table');
  });
}

test('a key that is not a number walks as well', async (t) => {
  const table = (await ownerOfTables(t)).newTable<unknown, number>('t');
  for (const key of [Number.NaN, undefined, {}]) table.set(key, 1);
  assert.equal(table.next(Number.NaN), undefined);
  assert.deepEqual(table.next(undefined), {});
});
