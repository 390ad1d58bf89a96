import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Pid } from '../../runtime/kernel/pid.ts';
import { type PidSet, pidSetAdd, pidSetDelete, pidSetHas, pidSetValues } from '../../runtime/kernel/pid-set.ts';

const pids = Array.from({ length: 6 }, (_, i) => new Pid('test', 0, i, i));
const pid = fc.constantFrom(...pids);

test('a set of pids behaves as a Set: add, delete and has in any order', () => {
  const step = fc.record({ add: fc.boolean(), pid });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let set: PidSet = null;
      const model = new Set<Pid>();
      for (const { add, pid: one } of steps) {
        set = add ? pidSetAdd(set, one) : pidSetDelete(set, one);
        if (add) model.add(one);
        else model.delete(one);
        for (const each of pids) assert.equal(pidSetHas(set, each), model.has(each));
        assert.deepEqual(new Set(pidSetValues(set)), model);
        assert.equal([...pidSetValues(set)].length, model.size);
      }
    }),
    { numRuns: 500 },
  );
});

test('no pid costs nothing, and one pid is its own set', () => {
  const [one] = pids as [Pid];
  assert.equal(pidSetAdd(null, one), one);
  assert.equal(pidSetAdd(one, one), one);
  assert.equal(pidSetDelete(one, one), null);
});
