import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DefinitionError } from '../../mcp/errors.ts';
import { MCP_LIMITS, type McpLimits, mcpLimits } from '../../mcp/limits.ts';

test('limits are the defaults with some replaced', () => {
  assert.deepEqual(mcpLimits(), MCP_LIMITS);
  assert.deepEqual(mcpLimits({ sessionsMax: 3 }), { ...MCP_LIMITS, sessionsMax: 3 });
  assert.equal(MCP_LIMITS.requestTimeoutMs, 60_000);
  assert.equal(MCP_LIMITS.sessionIdleMs, 30 * 60 * 1_000);
  assert.equal(MCP_LIMITS.sessionsMax, 10_000);
});

test('an unknown limit and one that is no positive whole number are refused by name', () => {
  const wrong: readonly [Record<string, unknown>, RegExp][] = [
    [{ sessionMax: 3 }, /no such limit: sessionMax; there are .*sessionsMax/],
    [{ toString: 3 }, /no such limit: toString/],
    [{ batchMax: 0 }, /batchMax must be a positive whole number, not 0/],
    [{ batchMax: 1.5 }, /not 1.5/],
    [{ batchMax: '5' }, /batchMax/],
    [{ batchMax: Number.POSITIVE_INFINITY }, /not Infinity/],
    [{ batchMax: undefined }, /not undefined/],
  ];
  for (const [overrides, message] of wrong) {
    assert.throws(
      () => mcpLimits(overrides as Partial<McpLimits>),
      (error) => error instanceof DefinitionError && error.code === 'ERR_LIMIT' && message.test(error.message),
    );
  }
});
