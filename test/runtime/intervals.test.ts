import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BadArgError, type Clock, type Context, name } from '../../runtime/index.ts';
import { settle } from '../../runtime/testing.ts';
import { mailboxOf, openProcess, startTestSystem, tagsOf } from '../support/test-system.ts';

test('sendInterval delivers at every period, not before, until it is cancelled', async (t) => {
  const system = await startTestSystem(t);
  const a = await openProcess(system);
  const ref = a.ctx.sendInterval(100, 'beat', { n: 1 });
  await system.clock.advance(99);
  assert.deepEqual(await tagsOf(a), []);
  await system.clock.advance(1);
  assert.deepEqual(await mailboxOf(a), [{ kind: 'info', tag: 'beat', payload: { n: 1 } }]);
  await system.clock.advance(350);
  assert.deepEqual(await tagsOf(a), ['beat', 'beat', 'beat']);
  assert.equal(a.ctx.readTimer(ref), 50);
  assert.equal(a.ctx.cancelTimer(ref), 50);
  assert.equal(a.ctx.readTimer(ref), false);
  assert.equal(a.ctx.cancelTimer(ref), false);
  await system.clock.advance(1_000);
  assert.deepEqual(await tagsOf(a), []);
  assert.equal(system.clock.pending, 0);
});

/** A clock whose timers fire when the test says so, as late as that may be. */
function lateClock(): Clock & { advance(ms: number): void; late(): void } {
  let now = 0;
  let timers: { readonly at: number; readonly callback: () => void }[] = [];
  return {
    now: () => now,
    setTimer: (callback, delayMs) => {
      const timer = { at: now + delayMs, callback };
      timers.push(timer);
      return timer;
    },
    clearTimer: (handle) => {
      timers = timers.filter((timer) => timer !== handle);
    },
    advance: (ms) => {
      now += ms;
    },
    late: () => {
      const due = timers.filter(({ at }) => at <= now);
      timers = timers.filter(({ at }) => at > now);
      for (const { callback } of due) callback();
    },
  };
}

test('an interval keeps its beat when a thread is busy: what it misses is left out', async (t) => {
  const clock = lateClock();
  const system = await startTestSystem(t, { clock });
  const a = await openProcess(system);
  const ref = a.ctx.sendInterval(100, 'beat');
  clock.advance(350); // the beats at 200 and 300 are missed
  clock.late();
  assert.deepEqual(await tagsOf(a), ['beat']);
  assert.equal(a.ctx.readTimer(ref), 50, 'the next one is that at 400');
  clock.advance(50);
  clock.late();
  assert.deepEqual(await tagsOf(a), ['beat']);
  assert.equal(a.ctx.readTimer(ref), 100);
});

test('an interval ends with its receiver, not with who started it', async (t) => {
  const system = await startTestSystem(t);
  const [a, b] = [await openProcess(system), await openProcess(system)];
  const ref = a.ctx.sendInterval(100, 'beat', undefined, b.pid);
  a.finish();
  await system.clock.advance(200);
  assert.deepEqual(await tagsOf(b), ['beat', 'beat']);
  b.finish();
  await settle();
  assert.equal(system.clock.pending, 0);
  assert.equal(system.opener.readTimer(ref), false);
});

test('a name is looked up when the interval starts: its next holder gets nothing', async (t) => {
  const system = await startTestSystem(t);
  const [a, first, second] = [await openProcess(system), await openProcess(system), await openProcess(system)];
  assert.throws(() => a.ctx.sendInterval(10, 'beat', undefined, name<any>('holder')), BadArgError);
  first.ctx.register(name('holder'));
  a.ctx.sendInterval(10, 'beat', undefined, name<any>('holder'));
  await system.clock.advance(10);
  assert.deepEqual(await tagsOf(first), ['beat']);
  first.finish();
  await settle();
  second.ctx.register(name('holder'));
  await system.clock.advance(100);
  assert.deepEqual(await tagsOf(second), []);
  assert.equal(system.clock.pending, 0);
});

test('to a pid that is dead nothing starts', async (t) => {
  const system = await startTestSystem(t);
  const [a, b] = [await openProcess(system), await openProcess(system)];
  b.finish();
  await settle();
  assert.equal(a.ctx.readTimer(a.ctx.sendInterval(10, 'beat', undefined, b.pid)), false);
  assert.equal(system.clock.pending, 0);
});

test('periods and delays that no timer can take throw BadArgError', async (t) => {
  const system = await startTestSystem(t);
  const a = await openProcess(system);
  const wrong = [-1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, 'x'] as number[];
  for (const ms of [0, 0.5, ...wrong])
    assert.throws(() => a.ctx.sendInterval(ms, 'beat'), { code: 'ERR_BADARG' }, String(ms));
  for (const ms of wrong) assert.throws(() => a.ctx.applyAfter(ms, () => {}, 1), { code: 'ERR_BADARG' }, String(ms));
  assert.equal(system.clock.pending, 0);
});

test('readTimer says what is left of a timer, and false when it fired, was cancelled or never was', async (t) => {
  const system = await startTestSystem(t);
  const a = await openProcess(system);
  const ref = a.ctx.sendAfter(100, 'tick');
  assert.equal(a.ctx.readTimer(ref), 100);
  await system.clock.advance(30);
  assert.equal(a.ctx.readTimer(ref), 70);
  assert.equal(a.ctx.readTimer(ref), 70, 'to read changes nothing');
  await system.clock.advance(70);
  assert.equal(a.ctx.readTimer(ref), false);
  assert.deepEqual(await tagsOf(a), ['tick']);
  assert.equal(a.ctx.readTimer(9_999_999 as never), false);
});

test('applyAfter runs a function as a process of its own, also if its starter has gone', async (t) => {
  const system = await startTestSystem(t);
  const a = await openProcess(system);
  const ran: unknown[] = [];
  const run = (arg: string, ctx: Context): void => {
    ran.push(arg, ctx.self !== a.pid);
  };
  const ref = a.ctx.applyAfter(100, run, 'x');
  assert.equal(a.ctx.readTimer(ref), 100);
  a.finish();
  await system.clock.advance(99);
  assert.deepEqual(ran, []);
  await system.clock.advance(1);
  await settle();
  assert.deepEqual(ran, ['x', true]);
  assert.equal(system.clock.pending, 0);
});

test('applyAfter can be cancelled; its failure hits nobody', async (t) => {
  const system = await startTestSystem(t);
  const a = await openProcess(system);
  const ran: unknown[] = [];
  const cancelled = a.ctx.applyAfter(100, () => ran.push('cancelled'), undefined);
  const fails = (): never => {
    ran.push('failed');
    throw new Error('of its own');
  };
  a.ctx.applyAfter(100, fails, undefined);
  assert.equal(a.ctx.cancelTimer(cancelled), 100);
  await system.clock.advance(200);
  await settle();
  assert.deepEqual(ran, ['failed']);
  assert.ok(system.system.isAlive(a.pid));
});
