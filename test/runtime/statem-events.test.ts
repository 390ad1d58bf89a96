import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { StatemEvent, StatemEvents } from '../../runtime/statem/statem-events.ts';

/** What a machine does with its events: `insert` that many new ones, take the next one, postpone the one taken. */
type Operation = { readonly insert: number } | 'next' | 'postpone' | 'retry';

const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.nat(4).map((insert) => ({ insert })),
  fc.constantFrom('next' as const, 'next' as const, 'postpone' as const, 'retry' as const),
);

test('the events of a machine behave as two lists: inserted and retried ones come first, in their order', () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
      const events = new StatemEvents();
      let waiting: StatemEvent[] = [];
      let postponed: StatemEvent[] = [];
      let taken: StatemEvent | undefined;
      let made = 0;
      for (const each of operations) {
        if (each === 'next') {
          taken = waiting.shift();
          assert.equal(events.next(), taken);
        } else if (each === 'postpone') {
          if (taken === undefined) continue;
          postponed.push(taken);
          events.postpone(taken);
          taken = undefined;
        } else if (each === 'retry') {
          waiting = [...postponed, ...waiting];
          postponed = [];
          events.retry();
        } else {
          const inserted = Array.from({ length: each.insert }, () => new StatemEvent('cast', `${made++}`, null, null));
          waiting = [...inserted, ...waiting];
          events.insert(inserted);
        }
        assert.equal(events.size, waiting.length);
        assert.deepEqual(events.retained, postponed);
      }
    }),
  );
});
