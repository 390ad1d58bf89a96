import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { deepFreeze, settle, simulatedClock } from '../../runtime/testing.ts';

test('a simulated clock stands still until it is moved, and fires timers in the order of their times', async () => {
  const clock = simulatedClock();
  const fired: string[] = [];
  clock.setTimer(() => fired.push(`b at ${clock.now()}`), 20);
  clock.setTimer(() => fired.push(`a at ${clock.now()}`), 10);
  clock.setTimer(() => fired.push(`c at ${clock.now()}`), 20);
  const cancelled = clock.setTimer(() => fired.push('never'), 15);
  clock.clearTimer(cancelled);
  await settle();
  assert.deepEqual([clock.now(), clock.pending, fired.length], [0, 3, 0]);
  await clock.advance(15);
  assert.deepEqual([clock.now(), fired], [15, ['a at 10']]);
  await clock.advance(5);
  assert.deepEqual(fired, ['a at 10', 'b at 20', 'c at 20']);
});

test('a timer that a timer sets fires in the same advance if it falls due in it', async () => {
  const clock = simulatedClock();
  const fired: number[] = [];
  const again = (): void => {
    fired.push(clock.now());
    clock.setTimer(again, 10);
  };
  clock.setTimer(again, 10);
  await clock.advance(35);
  assert.deepEqual(fired, [10, 20, 30]);
});

test('what becomes runnable through a timer runs before the next timer', async () => {
  const clock = simulatedClock();
  const order: string[] = [];
  clock.setTimer(() => {
    void Promise.resolve()
      .then(() => undefined)
      .then(() => order.push('promise of the first'));
  }, 1);
  clock.setTimer(() => order.push('second'), 1);
  await clock.advance(1);
  assert.deepEqual(order, ['promise of the first', 'second']);
});

test('deepFreeze freezes plain data through and through, whatever its shape, and leaves what cannot be frozen', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      deepFreeze(value);
      const frozen = (part: unknown): boolean =>
        typeof part !== 'object' || part === null || (Object.isFrozen(part) && Object.values(part).every(frozen));
      return frozen(value);
    }),
  );
  const loop: { self?: unknown } = {};
  loop.self = loop;
  deepFreeze(loop);
  assert.ok(Object.isFrozen(loop));
  const message = { bytes: new Uint8Array(2), map: new Map() };
  deepFreeze(message);
  message.bytes[0] = 1;
  message.map.set(1, 1);
  assert.ok(Object.isFrozen(message));
});
