import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Mailbox } from '../../runtime/kernel/mailbox.ts';
import { Message } from '../../runtime/kernel/message.ts';

type Operation =
  | { readonly op: 'push' | 'pushFront' | 'shift' }
  /** Takes the first message whose number has this remainder by five. */
  | { readonly op: 'take'; readonly remainder: number };
type Simple = Exclude<Operation, { readonly op: 'take' }>;

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 5, arbitrary: fc.constant<Simple>({ op: 'push' }) },
  { weight: 1, arbitrary: fc.constant<Simple>({ op: 'pushFront' }) },
  { weight: 3, arbitrary: fc.constant<Simple>({ op: 'shift' }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('take' as const), remainder: fc.integer({ min: 0, max: 5 }) }) },
);

/** Applies the operations to a mailbox and to an array; they must agree after each. */
function compare(operations: readonly Operation[]): void {
  const mailbox = new Mailbox();
  const model: number[] = [];
  let next = 0;
  const numberOf = (message: Message | undefined): unknown => message?.payload;
  for (const step of operations) {
    if ('remainder' in step) {
      const matches = (n: number): boolean => n % 5 === step.remainder;
      const index = model.findIndex(matches);
      const expected = index < 0 ? undefined : model.splice(index, 1)[0];
      assert.equal(numberOf(mailbox.take((message) => matches(message.payload as number))), expected);
    } else if (step.op === 'push') {
      mailbox.push(new Message('info', 'm', next));
      model.push(next++);
    } else if (step.op === 'pushFront') {
      mailbox.pushFront(new Message('info', 'm', next));
      model.unshift(next++);
    } else {
      assert.equal(numberOf(mailbox.shift()), model.shift());
    }
    assert.equal(mailbox.queueLength, model.length);
  }
  while (model.length > 0) assert.equal(numberOf(mailbox.shift()), model.shift());
  assert.equal(mailbox.shift(), undefined);
}

test('a mailbox behaves as a list: push, pushFront, shift and selective take in any order', () => {
  fc.assert(fc.property(fc.array(operation, { maxLength: 300, size: 'max' }), compare), { numRuns: 500 });
});

test('a mailbox that grew large behaves the same after it was drained', () => {
  const push = Array.from({ length: 1_000 }, () => ({ op: 'push' }) as const);
  const shift = Array.from({ length: 1_000 }, () => ({ op: 'shift' }) as const);
  compare([...push, ...shift, ...push.slice(0, 3), ...shift.slice(0, 5), ...push, ...shift]);
});

test('take looks at the messages in order and stops at the first match', () => {
  const mailbox = new Mailbox();
  for (let i = 0; i < 5; i++) mailbox.push(new Message('info', 'm', i));
  const seen: unknown[] = [];
  mailbox.take(({ payload }) => {
    seen.push(payload);
    return payload === 2;
  });
  assert.deepEqual(seen, [0, 1, 2]);
});

test('a taken message moves those before it or those behind it, whichever are fewer', () => {
  const mailbox = new Mailbox();
  for (let i = 0; i < 1_001; i++) mailbox.push(new Message('info', 'm', i));
  const inside = mailbox as unknown as { ring: unknown[] };
  let writes = 0;
  inside.ring = new Proxy(inside.ring, {
    set: (ring, key, value) => {
      writes++;
      return Reflect.set(ring, key, value);
    },
  });
  for (const wanted of [2, 1_000, 4, 998]) {
    writes = 0;
    assert.equal(mailbox.take(({ payload }) => payload === wanted)?.payload, wanted);
    assert.ok(writes <= 5, `${writes} writes for ${wanted}`);
  }
});
