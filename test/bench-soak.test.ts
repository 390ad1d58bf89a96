import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FaultPlan, KINDS, PARTS, partPath, randomFrom } from '../bench/soak/faults.ts';
import { Ledger } from '../bench/soak/ledger.ts';
import { slope } from '../bench/soak/slope.ts';
import { measured } from './support/bench-command.ts';

test('the workload soak loses no request in some seconds of faults on every transport', () => {
  const rows = measured('soak', 'ours', '--minutes', '0.1', '--seed', '20');
  assert.deepEqual(rows.get('lost: ours'), [0]);
  assert.ok((rows.get('answers: ours')?.[0] ?? 0) > 0);
  for (const gauge of ['resident memory', 'live', 'descriptors', 'processes', 'timers']) {
    assert.equal(rows.get(`${gauge}: ours`)?.length, 1, gauge);
  }
});

test('the same seed brings the same faults, and all kinds of them', () => {
  const faults = (seed: number): string[] => {
    const plan = new FaultPlan(randomFrom(seed));
    return Array.from({ length: 2_000 }, () => JSON.stringify(plan.next()));
  };
  assert.deepEqual(faults(5), faults(5));
  assert.notDeepEqual(faults(5), faults(6));
  const kinds = new Set(faults(5).map((text) => text.replace(/,?"(choice|over|of)":("\w+"|\d+)/g, '')));
  assert.equal(kinds.size, 5 + 5, [...kinds].join(' '));
  assert.equal(new Set(PARTS.map(partPath)).size, 2 + 3 * KINDS.length);
});

test('a kill answers for one request that it could hit, a dead thread for all that ran, nothing for a hang', () => {
  const found: string[] = [];
  const ledger = new Ledger((what) => found.push(what));
  ledger.fault({ kill: 'connection', of: 'tcp', choice: 1 }, 1_000);
  ledger.loss('closed', 'grpc', 900, 'another transport');
  ledger.loss('hung', 'tcp', 900, 'a hang');
  assert.deepEqual([ledger.lost, ledger.failed], [2, 0]);
  ledger.loss('closed', 'tcp', 900, 'hit');
  ledger.loss('closed', 'tcp', 900, 'one more');
  assert.deepEqual([ledger.lost, ledger.failed], [3, 1]);
  const over = ledger.fault({ call: 'exits', over: 'http' }, 2_000);
  for (const kind of KINDS) ledger.loss('error', kind, 2_100, 'on that thread');
  over(2_200);
  ledger.loss('error', 'tcp', 2_300, 'later');
  ledger.loss('closed', 'tcp', 2_100, 'a connection has no part in it');
  assert.deepEqual([ledger.lost, ledger.failed], [5, 1 + KINDS.length]);
  assert.deepEqual(found.at(-1), 'tcp: closed: a connection has no part in it');
});

test('the slope is that of the line that fits best', () => {
  assert.equal(slope([7, 7, 7]), 0);
  assert.equal(slope([1, 3, 5, 7]), 2);
  assert.equal(slope([0, 1, 0, 1, 0]), 0);
  assert.equal(slope([4]), 0);
});
