/** Who begins a piece of work: exactly one. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Claims } from '../../../mcp/server/claims.ts';

test('the first who takes a ticket has it, whoever looks through whichever claims of the same memory', () => {
  const here = new Claims();
  const there = new Claims(here.memory);
  const ticket = here.newTicket();
  assert.equal(there.isTaken(ticket), false);
  assert.equal(there.take(ticket), true);
  assert.deepEqual([here.take(ticket), there.take(ticket), here.isTaken(ticket)], [false, false, true]);
});

test('property: of any number of takers of any tickets in flight exactly one gets each', () => {
  const takes = fc.array(fc.nat(30), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(takes, (order) => {
      const claims = new Claims();
      const tickets = Array.from({ length: 31 }, () => claims.newTicket());
      const got = order.filter((index) => claims.take(tickets[index]!));
      assert.deepEqual(got.sort(), [...new Set(order)].sort());
    }),
  );
});

test('a ticket whose place was given to a later one is nobody’s', () => {
  const claims = new Claims();
  const old = claims.newTicket();
  for (let i = 0; i < 65_536; i++) claims.newTicket();
  assert.equal(claims.take(old), false);
});
