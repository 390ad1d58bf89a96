import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MCP_LIMITS } from '../../../mcp/limits.ts';
import { progressNotification } from '../../../mcp/server/progress.ts';

const pause = MCP_LIMITS.progressPauseMs;

test('progress is sent with what is known of it', () => {
  const sent = progressNotification('t', { progress: 1, total: 4, message: 'm' }, undefined, 0, MCP_LIMITS);
  assert.deepEqual(sent, {
    jsonrpc: '2.0',
    method: 'notifications/progress',
    params: { progressToken: 't', progress: 1, total: 4, message: 'm' },
  });
  const bare = progressNotification(0, { progress: 0, total: Number.NaN }, undefined, 0, MCP_LIMITS);
  assert.deepEqual(bare, {
    jsonrpc: '2.0',
    method: 'notifications/progress',
    params: { progressToken: 0, progress: 0 },
  });
});

test('progress that does not grow, is no number or follows too quickly is dropped, the last is not', () => {
  const last = { progress: 2, atMs: 1_000 };
  const at = (progress: number, nowMs: number, total?: number): boolean =>
    progressNotification('t', { progress, ...(total === undefined ? {} : { total }) }, last, nowMs, MCP_LIMITS) !==
    undefined;
  assert.equal(at(3, 1_000 + pause), true);
  assert.equal(at(3, 999 + pause), false);
  assert.equal(at(4, 1_000, 4), true, 'the end');
  for (const progress of [2, 1, -1, Number.NaN, Number.POSITIVE_INFINITY]) assert.equal(at(progress, 9_999), false);
});
