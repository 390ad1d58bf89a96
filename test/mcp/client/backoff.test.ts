import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { backoffMs, failuresAfter, isCrashLoop } from '../../../mcp/client/backoff.ts';
import { CLIENT_LIMITS, clientLimits } from '../../../mcp/client/limits.ts';

test('without jitter the waits double from 1 s to 30 s', () => {
  const waits = [1, 2, 3, 4, 5, 6, 7, 100, 10_000].map((failures) => backoffMs(failures, 0, CLIENT_LIMITS));
  assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000, 30_000]);
});

test('property: a wait lies between the least and the longest, whatever the chance', () => {
  const chances = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000 }), chances, (failures, chance) => {
      const waitMs = backoffMs(failures, chance, CLIENT_LIMITS);
      assert.ok(waitMs >= CLIENT_LIMITS.backoffMinMs && waitMs <= CLIENT_LIMITS.backoffMaxMs);
    }),
  );
});

test('only a connection that has lasted makes the failures before it forgotten', () => {
  assert.equal(failuresAfter(4, undefined, CLIENT_LIMITS), 5);
  assert.equal(failuresAfter(4, 59_999, CLIENT_LIMITS), 5);
  assert.equal(failuresAfter(4, 60_000, CLIENT_LIMITS), 1);
});

test('so many failures in a row are a crash loop', () => {
  assert.deepEqual(
    [4, 5, 6].map((failures) => isCrashLoop(failures, CLIENT_LIMITS)),
    [false, true, true],
  );
});

test('a limit that does not exist, or is no positive whole number, is refused', () => {
  assert.throws(() => clientLimits({ nope: 1 } as object), { code: 'ERR_LIMIT', message: /nope/ });
  assert.throws(() => clientLimits({ pagesMax: 0 }), { code: 'ERR_LIMIT', message: /pagesMax must be a positive/ });
  assert.equal(clientLimits({ pagesMax: 7 }).pagesMax, 7);
});
