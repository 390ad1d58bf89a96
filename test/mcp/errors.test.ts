import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorObject, McpError, quoted } from '../../mcp/errors.ts';

test('an McpError carries an integer code and data', () => {
  const error = new McpError(-32021, 'needs sampling', { requiredCapabilities: { sampling: {} } });
  assert.equal(error.code, -32021);
  assert.deepEqual(error.data, { requiredCapabilities: { sampling: {} } });
  assert.throws(() => new McpError(1.5, 'no'), /must be an integer, not 1.5/);
  assert.deepEqual(errorObject(1, 'm'), { code: 1, message: 'm' });
  assert.deepEqual(errorObject(1, 'm', null), { code: 1, message: 'm', data: null });
});

test('texts of the other side are quoted on one short line', () => {
  assert.equal(quoted('a"\n'), '"a\\"\\n"');
  assert.ok(quoted('x'.repeat(1_000_000)).length < 80);
});
