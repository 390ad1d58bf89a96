import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { mcpLimits } from '../../../mcp/limits.ts';
import { LogBudget } from '../../../mcp/server/log-budget.ts';
import { type Send, SessionLog, type Sink } from '../../../mcp/server/session-log.ts';

const limits = mcpLimits({ sessionEventsMax: 5 });
const sink: Sink = { connection: 'a' as never, exchange: 1 };
const said = (log: SessionLog): unknown[] =>
  (log.attach(sink) as Send[]).flatMap(({ outbound }) => (outbound.message === undefined ? [] : [outbound.message]));

test('property: the logs of a node keep no more than they may together, and free what they held', () => {
  const event = fc.record({
    log: fc.nat(3),
    stream: fc.constantFrom('own', 'r1', 'r2'),
    length: fc.nat(40),
    end: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), fc.integer({ min: 1, max: 200 }), (events, most) => {
      const budget = new LogBudget(most);
      const logs = Array.from({ length: 4 }, () => new SessionLog(limits, budget));
      for (const [n, { log, stream, length, end }] of events.entries()) {
        const message = { n, text: 'x'.repeat(length) };
        if (stream === 'own') logs[log]!.notify(message);
        else logs[log]!.record({ stream, n, message, end, pid: 'p' as never, requestId: 1 });
        assert.ok(budget.chars <= most, `${budget.chars} of ${most}`);
      }
      for (const log of logs) log.dispose();
      assert.equal(budget.chars, 0);
    }),
  );
});

test('past the bound of all, the session that was told nothing for the longest time loses its oldest', () => {
  const note = (n: number): object => ({ n });
  const { length } = JSON.stringify(note(1));
  const budget = new LogBudget(4 * length);
  const [first, second] = [new SessionLog(limits, budget), new SessionLog(limits, budget)];
  first.notify(note(1));
  first.notify(note(2));
  second.notify(note(3));
  second.notify(note(4));
  second.notify(note(5));
  assert.deepEqual([said(first), said(second)], [[note(2)], [note(3), note(4), note(5)]]);
});
