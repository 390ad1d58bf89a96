import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { allDistinct } from '../../../mcp/schema/unique-items.ts';

test('property: items are distinct exactly when no two are equal JSON', () => {
  const small = fc.jsonValue({ maxDepth: 2, stringUnit: fc.constantFrom('a', '"', '{', '1') });
  fc.assert(
    fc.property(fc.array(small, { maxLength: 6 }), (values) => {
      const items: unknown[] = JSON.parse(JSON.stringify(values));
      const equal = items.some((a, at) => items.some((b, other) => other > at && isDeepStrictEqual(a, b)));
      assert.equal(allDistinct(items), !equal);
    }),
    { numRuns: 2_000 },
  );
});

test('the order of keys makes no difference, kinds do', () => {
  assert.equal(
    allDistinct([
      { a: 1, b: [2] },
      { b: [2], a: 1 },
    ]),
    false,
  );
  assert.equal(allDistinct([1, '1', true, 'true', null, 'null', [], '[]', {}, '{}', [1], ['1']]), true);
});
