import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DescriptorGauge } from '../../transports/descriptors.ts';
import { DESCRIPTORS_RESERVED } from '../../transports/limits.ts';

test('descriptors are enough until those reserved are reached, and exhausted when half of these are gone', () => {
  const gauge = new DescriptorGauge(20_000);
  assert.equal(gauge.read(20_000 - DESCRIPTORS_RESERVED - 1), 'enough');
  assert.equal(gauge.read(20_000 - DESCRIPTORS_RESERVED), 'scarce');
  assert.equal(gauge.read(20_000 - DESCRIPTORS_RESERVED / 2 - 1), 'scarce');
  assert.equal(gauge.read(20_000 - DESCRIPTORS_RESERVED / 2), 'exhausted');
  assert.equal(gauge.read(undefined), 'enough');
  assert.equal(new DescriptorGauge(Number.POSITIVE_INFINITY).read(1e6), 'enough');
});

test('of few descriptors at least three quarters are for connections, and some are left', () => {
  const levels = ['enough', 'scarce', 'exhausted'];
  fc.assert(
    fc.property(fc.integer({ min: 16, max: 100_000 }), (limit) => {
      const gauge = new DescriptorGauge(limit);
      const read = Array.from({ length: Math.min(limit, 1_000) }, (_, n) => levels.indexOf(gauge.read(limit - 1 - n)));
      assert.deepEqual(read, [...read].sort().reverse());
      assert.equal(gauge.read(Math.floor(limit * 0.75) - 1), 'enough');
      assert.equal(gauge.read(limit - 1), 'exhausted');
    }),
  );
});
