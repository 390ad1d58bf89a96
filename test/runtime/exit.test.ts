import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { describeExit, isErrorExit, isNormalExit } from '../../runtime/index.ts';
import { errorExit } from '../../runtime/kernel/exit.ts';

test('an error becomes plain data with its name, message, code and causes', () => {
  const cause = new RangeError('inner', { cause: 'root' });
  const error = Object.assign(new TypeError('outer', { cause }), { code: 'E_X', extra: 'left out' });
  const exit = errorExit(error);
  assert.deepEqual(exit.error, {
    name: 'TypeError',
    message: 'outer',
    code: 'E_X',
    cause: { name: 'RangeError', message: 'inner', cause: 'root' },
  });
  assert.match(exit.stack, /TypeError: outer/);
  assert.deepEqual(structuredClone(exit), exit, 'it can cross a thread');
});

test('a chain of causes that is circular is cut', () => {
  const error = new Error('loop');
  error.cause = error;
  assert.ok(JSON.stringify(errorExit(error)).length < 10_000);
});

test('a thrown value that is no Error is kept as it is', () => {
  for (const thrown of ['text', 42, null, undefined, { any: 'term' }]) {
    assert.deepEqual(errorExit(thrown), { error: thrown, stack: '' });
  }
});

test('which exits are orderly, and which are errors', () => {
  const reasons = [
    'normal',
    'shutdown',
    { shutdown: 1 },
    'killed',
    'noproc',
    null,
    undefined,
    errorExit(new Error('x')),
  ];
  assert.deepEqual(reasons.map(isNormalExit), [true, true, true, false, false, false, false, false]);
  assert.deepEqual(reasons.map(isErrorExit), [false, false, false, false, false, false, false, true]);
});

test('describeExit gives one line for people, for any reason', () => {
  assert.equal(describeExit('shutdown'), 'shutdown');
  assert.equal(describeExit(errorExit(new TypeError('x is not a function'))), 'TypeError: x is not a function');
  assert.equal(describeExit(errorExit('text')), 'thrown text');
  assert.equal(describeExit({ shutdown: 'x' }), '{"shutdown":"x"}');
  assert.equal(describeExit(undefined), 'undefined');
  assert.equal(describeExit(10n), '10');
  const wrong = { invalid_child_spec: undefined, also: [Symbol('s')] };
  assert.equal(describeExit(wrong), '{"invalid_child_spec":"undefined","also":["Symbol(s)"]}', 'nothing is left out');
  const loop: { self?: unknown } = {};
  loop.self = loop;
  assert.equal(typeof describeExit(loop), 'string');
  fc.assert(fc.property(fc.anything(), (reason) => typeof describeExit(reason) === 'string'));
});
