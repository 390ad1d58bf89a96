import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Pid } from '../../runtime/index.ts';
import { IdMap } from '../../runtime/kernel/id-map.ts';

/** Of two threads, with the same serials. */
const pids = Array.from({ length: 40 }, (_, at) => new Pid('test', at % 2, at, at >> 1));
const keys = [...pids, ...Array.from({ length: 40 }, (_, at) => at * 16), 2 ** 40, 2 ** 40 + 1];

/** In runs, so that the map grows, is emptied and is tidied. */
const run = fc.record({
  adds: fc.boolean(),
  from: fc.nat(keys.length - 1),
  count: fc.integer({ min: 1, max: keys.length }),
});

test('a map by id behaves as a Map: set, get, has, delete, forEach, entries, size and order', () => {
  fc.assert(
    fc.property(fc.array(run, { maxLength: 30 }), (runs) => {
      const map = new IdMap<number | Pid, string>();
      const model = new Map<number | Pid, string>();
      for (const [step, { adds, from, count }] of runs.entries()) {
        for (let at = from; at < from + count; at++) {
          const key = keys[at % keys.length] as number | Pid;
          if (!adds) assert.equal(map.delete(key), model.delete(key));
          else {
            map.set(key, `${step}`);
            model.set(key, `${step}`);
          }
        }
        assert.equal(map.size, model.size);
        assert.deepEqual(map.entries(), [...model]);
        for (const key of keys) {
          assert.equal(map.get(key), model.get(key));
          assert.equal(map.has(key), model.has(key));
        }
      }
    }),
    { numRuns: 500 },
  );
});

test('a map by id keeps its order and its entries while many more come and go than it holds', () => {
  const map = new IdMap<number, number>();
  for (let ref = 0; ref < 100_000; ref++) {
    map.set(ref, -ref);
    if (ref >= 300) assert.ok(map.delete(ref - 300));
  }
  const left = Array.from({ length: 300 }, (_, at) => [99_700 + at, -99_700 - at]);
  assert.deepEqual(map.entries(), left);
});

test('an entry that is deleted while a map by id is gone through is left out', () => {
  const map = new IdMap<number, string>();
  for (const ref of [1, 2, 3, 4]) map.set(ref, `${ref}`);
  const seen: number[] = [];
  map.forEach((_value, ref) => {
    seen.push(ref);
    map.delete(ref + 1);
  });
  assert.deepEqual(seen, [1, 3]);
});

test('who looks for a number that has gone does not go through all that come after it', () => {
  const map = new IdMap<number, number>();
  for (let ref = 0; ref < 500; ref++) map.set(ref, ref);
  for (let ref = 0; ref < 250; ref++) map.delete(ref);
  const inside = map as unknown as { index: Int32Array };
  let looks = 0;
  inside.index = new Proxy(inside.index, {
    get: (index, key) => {
      looks++;
      return Reflect.get(index, key);
    },
  });
  for (let ref = 0; ref < 250; ref++) assert.equal(map.get(ref), undefined);
  assert.ok(looks <= 250 * 10, `${looks / 250} looks for each`);
});
