import assert from 'node:assert/strict';
import { test } from 'node:test';
import { name } from '../../runtime/index.ts';
import { settle } from '../../runtime/testing.ts';
import { mailboxOf, openProcess, startTestSystem, tagsOf } from '../support/test-system.ts';

test('sendAfter delivers its message once, not before its time', async (t) => {
  const system = await startTestSystem(t);
  const a = await openProcess(system);
  a.ctx.sendAfter(100, 'tick', { n: 1 });
  await system.clock.advance(99);
  assert.deepEqual(await mailboxOf(a), []);
  await system.clock.advance(1);
  assert.deepEqual(await mailboxOf(a), [{ kind: 'info', tag: 'tick', payload: { n: 1 } }]);
  await system.clock.advance(1_000);
  assert.deepEqual(await mailboxOf(a), []);
});

test('startTimer delivers timeout with its ref and message', async (t) => {
  const system = await startTestSystem(t);
  const [a, b] = [await openProcess(system), await openProcess(system)];
  const ref = a.ctx.startTimer(100, 'mine');
  const toB = a.ctx.startTimer(100, 'yours', b.pid);
  await system.clock.advance(100);
  assert.deepEqual(await mailboxOf(a), [{ kind: 'info', tag: 'timeout', payload: { ref, message: 'mine' } }]);
  assert.deepEqual(await mailboxOf(b), [{ kind: 'info', tag: 'timeout', payload: { ref: toB, message: 'yours' } }]);
});

test('cancelTimer returns the milliseconds that were left; a second cancel returns false', async (t) => {
  const system = await startTestSystem(t);
  const a = await openProcess(system);
  const ref = a.ctx.sendAfter(1_000, 'tick');
  await system.clock.advance(400);
  assert.equal(a.ctx.cancelTimer(ref), 600);
  assert.equal(a.ctx.cancelTimer(ref), false);
  await system.clock.advance(2_000);
  assert.deepEqual(await mailboxOf(a), []);
  assert.equal(system.clock.pending, 0);
});

test('cancelTimer after expiry is false, and the message may be in the mailbox', async (t) => {
  const system = await startTestSystem(t);
  const a = await openProcess(system);
  const ref = a.ctx.startTimer(100);
  await system.clock.advance(100);
  assert.equal(a.ctx.cancelTimer(ref), false);
  const isIt = (m: { tag: string; payload: unknown }): boolean =>
    m.tag === 'timeout' && (m.payload as { ref: number }).ref === ref;
  assert.notEqual(await a.ctx.receive(isIt, 0), 'timeout', 'so it can be flushed');
  assert.equal(a.ctx.cancelTimer(9_999_999 as never), false, 'an unknown ref');
});

test('a timer to a pid dies with that process', async (t) => {
  const system = await startTestSystem(t);
  const [a, b] = [await openProcess(system), await openProcess(system)];
  const ref = a.ctx.sendAfter(100, 'tick', undefined, b.pid);
  b.finish();
  await settle();
  assert.equal(system.clock.pending, 0);
  assert.equal(a.ctx.cancelTimer(ref), false);
  assert.equal(a.ctx.cancelTimer(a.ctx.sendAfter(100, 'tick', undefined, b.pid)), false, 'to a dead pid');
});

test('a timer to a name looks the name up when it fires', async (t) => {
  const system = await startTestSystem(t);
  const [a, first, second] = [await openProcess(system), await openProcess(system), await openProcess(system)];
  first.ctx.register(name('holder'));
  a.ctx.sendAfter(100, 'tick', undefined, name<any>('holder'));
  a.ctx.sendAfter(50, 'lost', undefined, name<any>('nobody'));
  first.finish();
  await settle();
  second.ctx.register(name('holder'));
  await system.clock.advance(100);
  assert.deepEqual(await tagsOf(second), ['tick']);
});

test('the death of its creator does not cancel a timer to another process', async (t) => {
  const system = await startTestSystem(t);
  const [a, b] = [await openProcess(system), await openProcess(system)];
  a.ctx.sendAfter(100, 'tick', undefined, b.pid);
  a.finish();
  await settle();
  await system.clock.advance(100);
  assert.deepEqual(await tagsOf(b), ['tick']);
});

test('timers fire in the order of their times, equal ones in the order of their start', async (t) => {
  const system = await startTestSystem(t);
  const a = await openProcess(system);
  for (const [ms, tag] of [
    [30, 'd'],
    [10, 'a'],
    [20, 'b'],
    [20, 'c'],
    [0, 'now'],
  ] as const)
    a.ctx.sendAfter(ms, tag);
  await system.clock.advance(30);
  assert.deepEqual(await tagsOf(a), ['now', 'a', 'b', 'c', 'd']);
});

test('a time that no timer can take throws BadArgError', async (t) => {
  const system = await startTestSystem(t);
  const a = await openProcess(system);
  for (const ms of [-1, Number.NaN, Number.POSITIVE_INFINITY, 2_147_483_648, 'x']) {
    assert.throws(() => a.ctx.sendAfter(ms as number, 'tick'), { code: 'ERR_BADARG' }, String(ms));
    assert.throws(() => a.ctx.startTimer(ms as number), { code: 'ERR_BADARG' }, String(ms));
  }
  assert.equal(system.clock.pending, 0);
});

test('a time that no timer can take is refused by call and receive too', async (t) => {
  const system = await startTestSystem(t);
  const [a, b] = [await openProcess(system), await openProcess(system)];
  for (const ms of [-1, Number.NaN, Number.POSITIVE_INFINITY, 2_147_483_648, 'x']) {
    const timeoutMs = ms as number;
    await assert.rejects(
      async () => a.ctx.call(b.pid, 'x', undefined, { timeoutMs }),
      { code: 'ERR_BADARG' },
      `call ${ms}`,
    );
    await assert.rejects(async () => a.ctx.receive(() => true, timeoutMs), { code: 'ERR_BADARG' }, `receive ${ms}`);
  }
  assert.deepEqual(await mailboxOf(b), []);
});

test('names and timers of a dead incarnation are gone', async (t) => {
  const system = await startTestSystem(t);
  const a = await openProcess(system, { name: 'a' });
  for (let i = 1; i <= 20; i++) a.ctx.sendAfter(i, 'tick');
  const successor = openProcess(system);
  a.fail('boom');
  await successor;
  await settle();
  assert.equal(system.system.whereis(name('a')), undefined);
  assert.equal(system.clock.pending, 0);
  await system.clock.advance(50);
  assert.deepEqual(await mailboxOf(await successor), []);
});

test('what waits for a time is let go when its process exits', async (t) => {
  const system = await startTestSystem(t);
  const a = await openProcess(system);
  void a.ctx.receive(() => true, 1_000_000);
  a.finish();
  await settle();
  assert.equal(system.clock.pending, 0);
});
