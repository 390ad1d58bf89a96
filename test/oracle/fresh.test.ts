/** New scenarios in every run, here and in the Erlang/OTP of this machine: what was recorded is not all that holds. */

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { erlangTerm } from './erlang-terms.ts';
import { compareFresh } from './fresh.ts';
import { missingEngine } from './otp.ts';

const seed = fromEnvironment('ORACLE_SEED', randomInt(1_000_000));
/** Of each of the 17 classes 15 scenarios. */
const count = fromEnvironment('ORACLE_COUNT', 255);

test(`${count} new scenarios go as they do in Erlang/OTP`, async (t) => {
  if (skipped(t)) return;
  t.diagnostic(`seed ${seed}; the same again: npm run oracle -- --fresh ${count} --seed ${seed}`);
  const { text, total, allEqual } = await compareFresh(seed, count, 0);
  assert.ok(allEqual, text);
  assert.equal(total, count);
});

test('delays change nothing, neither here nor there', async (t) => {
  if (skipped(t)) return;
  const few = Math.ceil(count / 5);
  t.diagnostic(`seed ${seed}; the same again: npm run oracle -- --fresh ${few} --seed ${seed} --jitter ${1 + seed}`);
  const { text, allEqual } = await compareFresh(seed, few, 1 + seed);
  assert.ok(allEqual, text);
});

test('a scenario is written as Erlang reads it', () => {
  assert.equal(erlangTerm({ a: ["it's", 1, true], 'b c': {}, d: undefined }), "#{'a'=>['it\\'s',1,true],'b c'=>#{}}");
  assert.equal(erlangTerm('back\\slash'), "'back\\\\slash'");
  for (const wrong of [null, 1.5, 'ü', 'line\n', 'x'.repeat(256)]) assert.throws(() => erlangTerm(wrong), /no Erlang/);
});

/** Without an engine there is nothing to compare with: a visible skip, a failure where engines are required. */
function skipped(t: TestContext): boolean {
  const missing = missingEngine();
  if (missing === undefined) return false;
  assert.notEqual(process.env['REQUIRE_ENGINES'], '1', missing);
  t.skip(missing);
  return true;
}

function fromEnvironment(name: string, otherwise: number): number {
  const text = process.env[name] ?? String(otherwise);
  assert.match(text, /^\d{1,9}$/, `${name} must be a whole number`);
  return Number(text);
}
