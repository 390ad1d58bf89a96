import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BadArgError, Pid } from '../../runtime/index.ts';
import { TERM_DEPTH_MAX } from '../../runtime/limits.ts';
import { compareTerms, ownTerm } from '../../runtime/table/term-order.ts';

/** From low to high; no two are equal. The kinds follow each other as in Erlang: number, atom, pid, map, list. */
const ascending: readonly unknown[] = [
  Number.NEGATIVE_INFINITY,
  -1n,
  0,
  1n,
  1.5,
  2n ** 53n,
  Number(2n ** 53n) + 2,
  Number.POSITIVE_INFINITY,
  false,
  null,
  true,
  undefined,
  '',
  'B',
  'a',
  'aa',
  'b',
  new Pid('s', 0, 9, 1),
  new Pid('s', 0, 1, 2),
  new Pid('t', 0, 1, 2),
  new Pid('s', 1, 0, 1),
  {},
  { b: 1 },
  { b: 2 },
  { c: 0 },
  { a: 9, b: 9 },
  [],
  [0],
  [0, 'x'],
  [1],
  ['a', 1],
  [[]],
];

test('terms of all kinds have one order, that of Erlang', () => {
  for (const [i, a] of ascending.entries()) {
    for (const [j, b] of ascending.entries()) {
      assert.equal(Math.sign(compareTerms(a, b)), Math.sign(i - j), `${String(i)} against ${String(j)}`);
    }
  }
});

test('numbers compare by value, whatever their type, also inside other terms', () => {
  for (const [a, b] of [
    [1, 1n],
    [0, -0],
    [
      [1, 'x'],
      [1n, 'x'],
    ],
    [{ a: 1 }, { a: 1n }],
    [2 ** 60, 2n ** 60n],
  ] as const) {
    assert.equal(compareTerms(a, b), 0);
    assert.equal(compareTerms(b, a), 0);
  }
  assert.ok(compareTerms(2n ** 53n + 1n, 2 ** 53) > 0, 'beyond the exact numbers too');
});

test('the fields of an object have no order of their own', () => {
  assert.equal(compareTerms({ a: 1, b: 2 }, { b: 2, a: 1 }), 0);
});

test('property: the order is total', () => {
  const number = fc.oneof(fc.double({ noNaN: true }), fc.bigInt());
  const leaf = fc.oneof(number, fc.string(), fc.boolean(), fc.constantFrom(null, undefined));
  const term = fc.oneof(
    leaf,
    fc.array(leaf, { maxLength: 3 }),
    fc.dictionary(fc.string({ maxLength: 2 }), leaf, { maxKeys: 2 }),
  );
  fc.assert(
    fc.property(term, term, term, (a, b, c) => {
      assert.equal(compareTerms(a, a), 0);
      assert.equal(Math.sign(compareTerms(a, b)), -Math.sign(compareTerms(b, a)) + 0);
      if (compareTerms(a, b) <= 0 && compareTerms(b, c) <= 0) assert.ok(compareTerms(a, c) <= 0);
      assert.equal(compareTerms(ownTerm(a), a), 0);
    }),
    { numRuns: 2_000 },
  );
});

test('what has no place in the order is refused, on either side and inside', () => {
  const strangers = [Number.NaN, Symbol('s'), () => {}, new Map(), new Date(0), Object.create({})];
  for (const stranger of strangers) {
    for (const attempt of [
      () => compareTerms(stranger, 1),
      () => compareTerms(1, stranger),
      () => compareTerms(stranger, stranger),
      () => compareTerms([stranger], [stranger]),
      () => ownTerm(stranger),
      () => ownTerm({ a: [stranger] }),
    ]) {
      assert.throws(attempt, BadArgError);
    }
  }
});

test('a key that is an array or object becomes a frozen copy', () => {
  const key = ['a', { b: [1] }] as const;
  const own = ownTerm(key) as typeof key;
  assert.deepEqual(own, key);
  assert.notEqual(own, key);
  for (const part of [own, own[1], own[1].b]) assert.ok(Object.isFrozen(part));
  assert.deepEqual(Object.keys(ownTerm(JSON.parse('{"__proto__":1}')) as object), ['__proto__']);
  const pid = new Pid('s', 0, 0, 1);
  assert.equal(ownTerm(pid), pid);
});

test('a key that is nested too deeply, or circular, is refused', () => {
  let deep: unknown = 1;
  for (let i = 0; i < TERM_DEPTH_MAX; i++) deep = [deep];
  assert.equal(compareTerms(ownTerm(deep), deep), 0);
  assert.throws(() => ownTerm([deep]), BadArgError);
  const circle: unknown[] = [];
  circle.push(circle);
  assert.throws(() => ownTerm(circle), /circular/);
});
