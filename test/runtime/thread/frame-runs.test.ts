/** Frames in a row to one process cross as one, and arrive as they were. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Encoder } from '../../../runtime/thread/codec.ts';
import { fromRuns, intoRuns } from '../../../runtime/thread/frame-runs.ts';

const few = fc.constantFrom<unknown>(0, 1, -1, Number.NaN, 'tag', undefined, null);
const frame = fc.tuple(fc.nat({ max: 2 }), fc.array(few, { maxLength: 4 })).map(([op, rest]) => [op, ...rest]);

test('frames that went into runs come out as they were, in their order', () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 40 }), (frames) => {
      const before = structuredClone(frames);
      const runs = intoRuns(frames).map((run) => [...run]);
      assert.deepEqual(fromRuns(runs), before);
      assert.deepEqual(frames, before, 'the frames of the sender are not touched');
    }),
  );
});

test('frames that differ in their last field only are one run, whatever that field is', () => {
  const payloads = [1, 'two', { three: 3 }, undefined, [-4]];
  const frames = payloads.map((payload) => [3, 70_000, 2 ** 36 + 1, 0, 'add', payload]);
  assert.deepEqual(intoRuns(frames), [[-6, 3, 70_000, 2 ** 36 + 1, 0, 'add', ...payloads]]);
  assert.deepEqual(intoRuns([...frames, [3, 70_001, 2 ** 36 + 1, 0, 'add', 1]]).length, 2, 'another process');
  assert.deepEqual(intoRuns([...frames, [3, 70_000, 2 ** 36 + 1, 0, 'sub', 1]]).length, 2, 'another tag');
});

test('a message of a run costs the bytes of its payload', () => {
  const burst = (length: number): number =>
    new Encoder({}).encode(
      Array.from({ length }, () => [3, 70_000, 2 ** 36 + 1, 0, 'add', 1]),
      false,
    ).length;
  assert.equal(burst(200) - burst(100), 100);
});
