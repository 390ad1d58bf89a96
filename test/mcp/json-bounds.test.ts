import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { describeExcess, excessOf, mayNestDeeper } from '../../mcp/json-bounds.ts';

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

function nodesOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  return 1 + Object.values(value).reduce((sum: number, each) => sum + nodesOf(each), 0);
}

test('property: depth and nodes are counted exactly', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      const depth = depthOf(value);
      const nodes = nodesOf(value);
      assert.equal(excessOf(value, depth, nodes), undefined);
      if (depth > 0) assert.equal(excessOf(value, depth - 1, nodes), 'depth');
      if (depth > 0 && nodes > 1) assert.equal(excessOf(value, depth, nodes - 1), 'nodes');
    }),
  );
});

test('property: the quick look at the text is never below the true depth', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), fc.nat(6), (value, depthMax) => {
      if (depthOf(value) > depthMax) assert.equal(mayNestDeeper(JSON.stringify(value), depthMax), true);
    }),
  );
});

test('a value that contains itself is too deep, a bigint is none of JSON, and deep values do not overflow', () => {
  const loop: Record<string, unknown> = {};
  loop['self'] = [loop];
  assert.equal(excessOf(loop, 64, 1_000), 'depth');
  assert.equal(excessOf({ a: [1n] }, 64, 1_000), 'bigint');
  assert.equal(excessOf(1n, 64, 1_000), 'bigint');
  let deep: unknown = 0;
  for (let level = 0; level < 200_000; level += 1) deep = [deep];
  assert.equal(excessOf(deep, 200_000, 1_000_000), undefined);
  assert.equal(excessOf(deep, 64, 1_000_000), 'depth');
  assert.match(describeExcess('nodes', 64, 1_000), /more than 1000 values/);
  assert.match(describeExcess('bigint', 64, 1_000), /bigint/);
});
