import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RefMap } from '../../runtime/kernel/ref-map.ts';

type Step = { readonly kind: 'set' | 'delete'; readonly ref: number };

const step: fc.Arbitrary<Step> = fc.record({ kind: fc.constantFrom('set', 'delete'), ref: fc.nat(5) });

test('a map by ref behaves as a Map: set, get, has, delete, forEach, size and order', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const map = new RefMap<{ readonly at: number }>();
      const model = new Map<number, { readonly at: number }>();
      for (const [at, { kind, ref }] of steps.entries()) {
        if (kind === 'delete') assert.equal(map.delete(ref), model.delete(ref));
        else {
          map.set(ref, { at });
          model.set(ref, { at });
        }
        assert.equal(map.size, model.size);
        for (let each = 0; each <= 5; each++) {
          assert.deepEqual(map.get(each), model.get(each));
          assert.equal(map.has(each), model.has(each));
        }
        assert.deepEqual([...map], [...model]);
        const entries: [number, { readonly at: number }][] = [];
        map.forEach((value, ref) => {
          entries.push([ref, value]);
        });
        assert.deepEqual(entries, [...model]);
        assert.deepEqual([...map.values()], [...model.values()]);
      }
    }),
    { numRuns: 500 },
  );
});
