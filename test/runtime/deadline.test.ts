import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Deadline, Deadlines } from '../../runtime/kernel/deadline.ts';
import { simulatedClock } from '../../runtime/testing.ts';

class Noted extends Deadline {
  readonly id: number;
  readonly expired: (id: number) => void;

  constructor(id: number, expired: (id: number) => void) {
    super();
    this.id = id;
    this.expired = expired;
  }

  expire(): void {
    this.expired(this.id);
  }
}

type Step =
  | { readonly kind: 'add'; readonly durationMs: number }
  | { readonly kind: 'done'; readonly index: number }
  | { readonly kind: 'advance'; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('add' as const), durationMs: fc.constantFrom(0, 1, 10, 10, 50) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('done' as const), index: fc.nat(30) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.integer({ min: 0, max: 20 }) }) },
);

test('a deadline expires once, at its time, unless it is done before', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const clock = simulatedClock();
      const deadlines = new Deadlines(clock);
      const expired: { id: number; at: number }[] = [];
      const all: { deadline: Noted; doneAt: number }[] = [];
      for (const each of steps) {
        if (each.kind === 'add') {
          const deadline = new Noted(all.length, (id) => expired.push({ id, at: clock.now() }));
          deadlines.add(deadline, each.durationMs);
          all.push({ deadline, doneAt: Number.POSITIVE_INFINITY });
        } else if (each.kind === 'done') {
          const known = all[each.index];
          if (known !== undefined && !known.deadline.done) {
            known.deadline.done = true;
            known.doneAt = clock.now();
          }
        } else {
          await clock.advance(each.ms);
        }
      }
      await clock.advance(100);
      const expected = all
        .filter(({ doneAt }) => doneAt === Number.POSITIVE_INFINITY)
        .map(({ deadline }) => ({ id: deadline.id, at: deadline.at }));
      const byTime = (a: { id: number; at: number }, b: { id: number; at: number }): number =>
        a.at - b.at || a.id - b.id;
      assert.deepEqual([...expired].sort(byTime), expected.sort(byTime));
      assert.equal(clock.pending, 0, 'no timer is left');
      assert.equal((deadlines as unknown as { queues: Map<number, unknown> }).queues.size, 0, 'no queue is left');
    }),
    { numRuns: 100 },
  );
});

test('deadlines of one duration share one timer of the clock', async () => {
  const clock = simulatedClock();
  const deadlines = new Deadlines(clock);
  const expired: number[] = [];
  for (let i = 0; i < 1_000; i++) deadlines.add(new Noted(i, (id) => expired.push(id)), 10);
  assert.equal(clock.pending, 1);
  await clock.advance(10);
  assert.equal(expired.length, 1_000);
  assert.deepEqual(expired.slice(0, 3), [0, 1, 2]);
});

test('clear forgets all deadlines and their timers', async () => {
  const clock = simulatedClock();
  const deadlines = new Deadlines(clock);
  const expired: number[] = [];
  for (const ms of [1, 2, 3]) deadlines.add(new Noted(ms, (id) => expired.push(id)), ms);
  deadlines.clear();
  assert.equal(clock.pending, 0);
  await clock.advance(10);
  assert.deepEqual(expired, []);
});
