import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { BadArgError, type Table } from '../../runtime/index.ts';
import { openProcess, startTestSystem } from '../support/test-system.ts';

interface Row {
  readonly hits: number;
  readonly misses: number;
  readonly name: string;
}

async function newTable<V>(t: TestContext): Promise<Table<string, V>> {
  return (await openProcess(await startTestSystem(t))).ctx.newTable<string, V>('t');
}

test('updateCounter adds to a number and returns what it is then', async (t) => {
  const table = await newTable<number>(t);
  table.set('k', 10);
  assert.deepEqual([table.updateCounter('k', 5), table.updateCounter('k', -20), table.get('k')], [15, -5, -5]);
  assert.deepEqual([table.updateCounter('k', { increment: 1 }), table.updateCounter('k', 0)], [-4, -4]);
});

test('updateCounter adds to a field in a copy of the value', async (t) => {
  const table = await newTable<Row>(t);
  const row: Row = Object.freeze({ hits: 1, misses: 2, name: 'x' });
  table.set('k', row);
  assert.equal(table.updateCounter('k', { field: 'hits', increment: 5 }), 6);
  assert.deepEqual(table.get('k'), { hits: 6, misses: 2, name: 'x' });
  assert.equal(row.hits, 1, 'who holds the old value keeps it as it was');
});

test('updateCounter adds to a place of an array', async (t) => {
  const table = await newTable<readonly [string, number]>(t);
  table.set('k', Object.freeze(['x', 1] as const));
  assert.equal(table.updateCounter('k', { field: 1, increment: 2 }), 3);
  assert.deepEqual(table.get('k'), ['x', 3]);
});

/** Counter, increment, threshold, setValue -> the counter then; as ets:update_counter/3 of OTP 25 answers. */
const thresholds: readonly (readonly [number, number, number, number, number])[] = [
  [15, 1, 16, 0, 16],
  [16, 1, 16, 0, 0],
  [15, -5, 10, 99, 10],
  [10, -1, 10, 99, 99],
  [50, 0, 40, 1, 1],
  [50, 0, 60, 1, 50],
  [50, 20, 60, 100, 100],
];

for (const [counter, increment, threshold, setValue, expected] of thresholds) {
  test(`counter ${counter}, by ${increment}, threshold ${threshold}, setValue ${setValue}: ${expected}`, async (t) => {
    const table = await newTable<number>(t);
    table.set('k', counter);
    assert.equal(table.updateCounter('k', { increment, threshold, setValue }), expected);
    assert.equal(table.get('k'), expected);
  });
}

test('several updates are done in order, and return a counter each', async (t) => {
  const table = await newTable<Row>(t);
  table.set('k', { hits: 0, misses: 7, name: 'x' });
  const hit = { field: 'hits', increment: 1 } as const;
  assert.deepEqual(
    table.updateCounter('k', [hit, hit, { field: 'misses', increment: -7 }, { field: 'hits', increment: 0 }]),
    [1, 2, 0, 2],
  );
  assert.deepEqual(table.get('k'), { hits: 2, misses: 0, name: 'x' });
  assert.deepEqual(table.updateCounter('k', []), []);
});

test('an initial value is what a key that is not there begins with', async (t) => {
  const table = await newTable<number>(t);
  assert.throws(() => table.updateCounter('k', 1), BadArgError);
  assert.throws(() => table.updateCounter('k', []), BadArgError);
  assert.equal(table.has('k'), false);
  assert.deepEqual([table.updateCounter('k', 3, 10), table.updateCounter('k', 3, 10)], [13, 16]);
  assert.deepEqual([table.updateCounter('l', [], 10), table.get('l')], [[], 10]);
});

test('what is no whole number is refused, and nothing has changed', async (t) => {
  const table = await newTable<any>(t);
  const row = { hits: 1, name: 'x', part: 1.5 };
  table.set('row', row);
  table.set('part', 1.5);
  table.set('text', 'x');
  table.set('large', Number.MAX_SAFE_INTEGER);
  table.set('date', new Date(0));
  const attempts: readonly (() => unknown)[] = [
    () =>
      table.updateCounter('row', [
        { field: 'hits', increment: 1 },
        { field: 'name', increment: 1 },
      ]),
    () => table.updateCounter('row', { field: 'part', increment: 1 }),
    () => table.updateCounter('row', { field: 'none', increment: 1 }),
    () => table.updateCounter('row', { field: 'constructor', increment: 1 }),
    () => table.updateCounter('row', { field: 'hits', increment: 0.5 }),
    () => table.updateCounter('row', { field: 'hits', increment: 1, threshold: 0.5, setValue: 0 }),
    () => table.updateCounter('row', { field: 'hits', increment: 1, threshold: 0, setValue: Number.NaN }),
    () => table.updateCounter('row', { field: 'hits', increment: 1, threshold: 0 } as never),
    () => table.updateCounter('row', 1),
    () => table.updateCounter('part', 1),
    () => table.updateCounter('text', 1),
    () => table.updateCounter('text', '1' as never),
    () => table.updateCounter('large', 1),
    () => table.updateCounter('date', { field: 'x', increment: 1 }),
    () => table.updateCounter('new', 1, 'x'),
  ];
  for (const attempt of attempts) assert.throws(attempt, BadArgError, String(attempt));
  assert.equal(table.get('row'), row);
  assert.deepEqual([table.get('part'), table.get('large'), table.has('new')], [1.5, Number.MAX_SAFE_INTEGER, false]);
});

test('updateElement changes fields in a copy; false if there is no such key', async (t) => {
  const table = await newTable<Row>(t);
  const row: Row = Object.freeze({ hits: 1, misses: 2, name: 'x' });
  table.set('k', row);
  assert.deepEqual([table.updateElement('k', { hits: 9 }), table.updateElement('none', { hits: 9 })], [true, false]);
  assert.deepEqual([table.get('k'), row.hits, table.size], [{ ...row, hits: 9 }, 1, 1]);
  const other = await newTable<unknown>(t);
  for (const value of [7, null, new Map()]) {
    other.set('k', value);
    assert.throws(() => other.updateElement('k', { hits: 1 }), BadArgError);
  }
});

test('others count in a public table, and only its owner in a protected one', async (t) => {
  const system = await startTestSystem(t);
  const [owner, other] = [await openProcess(system), await openProcess(system)];
  owner.ctx.newTable<string, number>('open', { access: 'public' }).set('k', 0);
  owner.ctx.newTable<string, number>('guarded').set('k', 0);
  assert.equal(other.ctx.table<string, number>('open')?.updateCounter('k', 1), 1);
  assert.throws(() => other.ctx.table<string, number>('guarded')?.updateCounter('k', 1), BadArgError);
  assert.throws(() => other.ctx.table<string, Row>('guarded')?.updateElement('k', { hits: 1 }), BadArgError);
});
