import assert from 'node:assert/strict';
import { test } from 'node:test';
import { notBuilt } from './not-built.ts';
import { type Check, judge, summarised, table, total } from './verdict.ts';

const ok: Check = { id: 'a', name: 'A', status: 'SUCCESS' };
const bad: Check = { id: 'b', name: 'B', status: 'FAILURE', errorMessage: 'expected 404, got 200' };
const warning: Check = { id: 'w', name: 'W', status: 'WARNING', errorMessage: 'should say so' };
const note: Check = { id: 'c', name: 'C', status: 'INFO' };

function verdicts(checks: readonly Check[], list: Parameters<typeof judge>[1]): string[] {
  return judge([{ scenario: 'ping', checks }], list).map((row) => `${row.verdict} ${row.reasons.join()}`.trim());
}

test('a scenario passes when something was checked and nothing failed', () => {
  assert.deepEqual(verdicts([ok, note], {}), ['pass']);
  assert.deepEqual(verdicts([ok, warning], {}), ['pass warning: W (w): should say so']);
  assert.deepEqual(verdicts([ok, bad], {}), ['FAIL B (b): expected 404, got 200']);
  assert.deepEqual(verdicts([note], {}), ['FAIL the suite checked nothing']);
  assert.deepEqual(verdicts([], {}), ['FAIL the suite checked nothing']);
});

test('a listed scenario must fail, or be known to prove nothing', () => {
  assert.deepEqual(verdicts([ok, bad], { ping: { needs: 'ping' } }), ['not built ping']);
  assert.deepEqual(verdicts([warning], { ping: { needs: 'ping' } }), ['not built ping']);
  assert.match(verdicts([ok], { ping: { needs: 'ping' } })[0]!, /^FAIL passes although/);
  assert.deepEqual(verdicts([ok], { ping: { needs: 'ping', passesWithoutIt: true } }), ['not built ping']);
});

test('a listed scenario that the suite does not have is stale', () => {
  const rows = judge([{ scenario: 'ping', checks: [ok] }], { pong: { needs: 'pong' } });
  assert.deepEqual(
    rows.map(({ scenario, verdict }) => [scenario, verdict]),
    [
      ['ping', 'pass'],
      ['pong', 'FAIL'],
    ],
  );
});

test('the summary of the suite names the scenarios', () => {
  const output =
    'Running…\n\n=== SUMMARY ===\n✓ ping: 2 passed, 0 failed\n✗ tools-list: 1 passed, 1 failed\n\nTotal: 3\n';
  assert.deepEqual(summarised(output), ['ping', 'tools-list']);
});

test('the table shows reasons, and the last line counts scenarios', () => {
  const rows = judge(
    [
      { scenario: 'ping', checks: [ok] },
      { scenario: 'tools-list', checks: [ok, bad] },
      { scenario: 'prompts-list', checks: [bad] },
    ],
    { 'prompts-list': { needs: 'prompts/list' } },
  );
  assert.match(table('2025-11-25', rows), /prompts-list .*not built {2}needs prompts\/list/);
  assert.match(table('2025-11-25', rows), /tools-list .*FAIL\n {6}B \(b\): expected 404, got 200/);
  assert.equal(total(rows), 'conformance: 1 passed, 1 failed, 1 not built');
});

test('both revisions have a list', () => {
  assert.deepEqual(Object.keys(notBuilt), ['2025-11-25', '2026-07-28']);
});
