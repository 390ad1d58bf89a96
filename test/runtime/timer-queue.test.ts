import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Ref } from '../../runtime/index.ts';
import { TIMER_QUEUES_MAX } from '../../runtime/limits.ts';
import { openProcess, startTestSystem, tagsOf } from '../support/test-system.ts';

test('timers of one delay share one timer of the clock, which is gone with the last of them', async (t) => {
  const system = await startTestSystem(t);
  const a = await openProcess(system);
  const refs: Ref[] = [];
  for (let i = 0; i < 100; i++) {
    refs.push(a.ctx.sendAfter(100, `${i}`));
    if (i % 10 === 9) await system.clock.advance(1);
  }
  assert.equal(system.clock.pending, 1);
  for (const [i, ref] of refs.entries()) if (i % 2 === 0) assert.equal(a.ctx.cancelTimer(ref), 90 + Math.floor(i / 10));
  await system.clock.advance(94);
  // Set within the first five milliseconds, and not cancelled.
  assert.deepEqual(
    await tagsOf(a),
    Array.from({ length: 25 }, (_, i) => `${2 * i + 1}`),
  );
  assert.equal(system.clock.pending, 1);
  for (const ref of refs) a.ctx.cancelTimer(ref);
  assert.equal(system.clock.pending, 0);
});

test('timers of more delays than may share fire all the same, and each can be cancelled', async (t) => {
  const system = await startTestSystem(t);
  const a = await openProcess(system);
  const count = TIMER_QUEUES_MAX * 3;
  const refs = Array.from({ length: count }, (_, i) => a.ctx.sendAfter(1 + i, `${i}`));
  for (const [i, ref] of refs.entries()) if (i % 3 === 0) assert.equal(a.ctx.cancelTimer(ref), 1 + i);
  await system.clock.advance(count);
  const left = Array.from({ length: count }, (_, i) => i).filter((i) => i % 3 !== 0);
  assert.deepEqual(await tagsOf(a), left.map(String));
  assert.equal(system.clock.pending, 0);
});

const step = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), delayMs: fc.constantFrom(1, 5, 7.5, 10, 10, 10) }),
  fc.record({ kind: fc.constant('cancel' as const), which: fc.nat(20) }),
  fc.record({ kind: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 12 }) }),
);

test('whatever is set and cancelled, each timer fires once, in its time', async (t) => {
  const system = await startTestSystem(t);
  const a = await openProcess(system);
  let last = 0;
  const run = async (
    steps: readonly (typeof step extends fc.Arbitrary<infer Step> ? Step : never)[],
  ): Promise<void> => {
    const pending = new Map<string, { readonly ref: Ref; readonly at: number }>();
    let now = 0;
    for (const each of [...steps, { kind: 'advance' as const, ms: 12 }]) {
      if (each.kind === 'set') {
        const tag = `${++last}`;
        pending.set(tag, { ref: a.ctx.sendAfter(each.delayMs, tag), at: now + each.delayMs });
      } else if (each.kind === 'cancel') {
        const chosen = [...pending][each.which];
        if (chosen === undefined) continue;
        assert.notEqual(a.ctx.cancelTimer(chosen[1].ref), false);
        pending.delete(chosen[0]);
      } else {
        await system.clock.advance(each.ms);
        now += each.ms;
        const due = [...pending].filter(([, { at }]) => at <= now).map(([tag]) => tag);
        assert.deepEqual((await tagsOf(a)).sort(), due.sort());
        for (const tag of due) pending.delete(tag);
      }
    }
    assert.equal(pending.size, 0);
    assert.equal(system.clock.pending, 0);
  };
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 30 }), run), { numRuns: 200 });
});
