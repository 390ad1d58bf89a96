import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BadArgError } from '../../runtime/index.ts';
import { SortedMap, type SortedRange } from '../../runtime/table/sorted-map.ts';

type Step = { readonly op: 'set' | 'delete' | 'look'; readonly key: number };

const key: fc.Arbitrary<number> = fc.integer({ min: 0, max: 60 });
const step: fc.Arbitrary<Step> = fc.record({ op: fc.constantFrom('set', 'set', 'delete', 'look'), key });
const steps: fc.Arbitrary<Step[]> = fc.array(step, { maxLength: 200, size: 'max' });
const bound: fc.Arbitrary<number | undefined> = fc.option(key, { nil: undefined });

/** Blocks of four rows, so that few rows are split and merged often. */
function build(
  list: readonly Step[],
  check: (map: SortedMap<number, number>, model: Map<number, number>) => void,
): void {
  const map = new SortedMap<number, number>(4);
  const model = new Map<number, number>();
  for (const [value, { op, key: at }] of list.entries()) {
    if (op === 'set') {
      map.set(at, value);
      model.set(at, value);
    } else if (op === 'delete') {
      assert.equal(map.delete(at), model.delete(at));
    } else {
      assert.deepEqual([map.get(at), map.has(at)], [model.get(at), model.has(at)]);
    }
    assert.equal(map.size, model.size);
  }
  check(map, model);
}

const sorted = (model: ReadonlyMap<number, number>): [number, number][] => [...model].sort(([a], [b]) => a - b);

test('property: a sorted map holds what a map holds, in order', () => {
  fc.assert(
    fc.property(steps, (list) => {
      build(list, (map, model) => assert.deepEqual([...map.entries()], sorted(model)));
    }),
    { numRuns: 500 },
  );
});

test('property: a range, upwards and downwards, is what lies between its bounds', () => {
  fc.assert(
    fc.property(steps, bound, bound, fc.boolean(), (list, from, to, reverse) => {
      build(list, (map, model) => {
        const range: SortedRange<number> = {
          reverse,
          ...(from !== undefined && { from }),
          ...(to !== undefined && { to }),
        };
        const rows = sorted(model).filter(([at]) => at >= (from ?? at) && at < (to ?? at + 1));
        assert.deepEqual([...map.entries(range)], reverse ? rows.reverse() : rows);
      });
    }),
    { numRuns: 500 },
  );
});

test('property: first, last, next and prev find the neighbours of any key', () => {
  fc.assert(
    fc.property(steps, key, (list, at) => {
      build(list, (map, model) => {
        const keys = sorted(model).map(([each]) => each);
        const end = '$end_of_table';
        assert.deepEqual(
          [map.first(), map.last(), map.next(at), map.prev(at)],
          [
            keys.at(0) ?? end,
            keys.at(-1) ?? end,
            keys.find((each) => each > at) ?? end,
            keys.findLast((each) => each < at) ?? end,
          ],
        );
      });
    }),
    { numRuns: 500 },
  );
});

test('property: a walk over a map that changes shows each row that stays once, in order, and none that went', () => {
  fc.assert(
    fc.property(steps, steps, fc.boolean(), (list, changes, reverse) => {
      build(list, (map, model) => {
        const stay = new Set(model.keys());
        const shown: number[] = [];
        const pending = [...changes];
        for (const [at] of map.entries({ reverse })) {
          assert.ok(map.has(at), 'it is there when it is shown');
          shown.push(at);
          for (const { op, key: changed } of pending.splice(0, 3)) {
            if (op === 'set') map.set(changed, -1);
            else if (op === 'delete' && map.delete(changed)) stay.delete(changed);
          }
        }
        const ordered = [...new Set(shown)].sort((a, b) => (reverse ? b - a : a - b));
        assert.deepEqual(shown, ordered, 'in order, none twice');
        assert.deepEqual(
          [...stay].filter((at) => !shown.includes(at)),
          [],
        );
      });
    }),
    { numRuns: 500 },
  );
});

test('a hundred thousand rows, put in any order and taken out again', () => {
  const map = new SortedMap<number, number>();
  const count = 100_000;
  for (let i = 0; i < count; i++) map.set((i * 7919) % count, i);
  assert.deepEqual(
    [map.size, map.first(), map.last(), map.next(499.5), map.prev(0)],
    [count, 0, count - 1, 500, '$end_of_table'],
  );
  for (let i = 0; i < count; i++) if (i % 100 !== 0) assert.equal(map.delete(i), true);
  assert.deepEqual(
    [...map.entries({ from: 300, to: 700 })].map(([at]) => at),
    [300, 400, 500, 600],
  );
  map.clear();
  assert.deepEqual([map.size, map.first(), [...map.entries()]], [0, '$end_of_table', []]);
});

test('a key that equals one that is there takes its place', () => {
  const map = new SortedMap<number | bigint, string>();
  map.set(1, 'number');
  map.set(1n, 'bigint');
  assert.deepEqual([...map.entries()], [[1n, 'bigint']]);
  assert.deepEqual([map.get(1), map.has(1), map.delete(1), map.size], ['bigint', true, true, 0]);
});

test('what is no key is refused, also by an empty map, and nothing has changed', () => {
  const map = new SortedMap<unknown, number>();
  for (const attempt of [() => map.get(Number.NaN), () => map.has(Symbol('s')), () => map.set(new Map(), 1)]) {
    assert.throws(attempt, BadArgError);
  }
  map.set(1, 1);
  for (const attempt of [() => map.get(Number.NaN), () => map.delete(() => {}), () => map.set([Number.NaN], 1)]) {
    assert.throws(attempt, BadArgError);
  }
  assert.deepEqual([...map.entries()], [[1, 1]]);
});

test('a change to an array after it became a key does not touch the key', () => {
  const map = new SortedMap<number[], string>();
  const key = [1, 2];
  map.set(key, 'x');
  key[0] = 9;
  assert.deepEqual([...map.entries()], [[[1, 2], 'x']]);
});
