import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { newStateKey, openState, type StateBinding, sealState } from '../../../mcp/server/request-state.ts';

const state = { expiresAt: 1_000, rounds: [{ who: { action: 'accept', content: { secret: 'x' } } }], partial: {} };
const binding: StateBinding = { principal: 'ada', server: 's', method: 'tools/call', params: ['t', { a: 1, b: [{}] }] };
const key = newStateKey();

test('what was sealed opens for the same request, and nothing of it can be read', () => {
  const sealed = sealState(state, binding, [key]);
  assert.match(sealed, /^[\w-]+$/);
  assert.equal(Buffer.from(sealed, 'base64url').includes('secret'), false);
  assert.deepEqual(openState(sealed, binding, [key], 1_000), state);
  assert.notEqual(sealState(state, binding, [key]), sealed, 'no two are the same');
  const reordered = { ...binding, params: ['t', { b: [{}], a: 1 }] };
  assert.deepEqual(openState(sealed, reordered, [key], 0), state, 'the order of members is nothing');
  assert.equal(openState(sealed, binding, [key], 1_001), 'expired');
  assert.equal(openState(sealed, binding, [newStateKey()], 0), 'invalid');
});

test('it opens for no other principal, server, method or parameters', () => {
  const sealed = sealState(state, binding, [key]);
  const others: readonly Partial<StateBinding>[] = [
    { principal: 'eve' },
    { principal: undefined },
    { server: 'other' },
    { method: 'prompts/get' },
    { params: ['u', { a: 1, b: [{}] }] },
    { params: ['t', { a: 2, b: [{}] }] },
    { params: ['t', { a: '1', b: [{}] }] },
    { params: ['t', { a: 1, b: [] }] },
    { params: ['t'] },
  ];
  for (const other of others) assert.equal(openState(sealed, { ...binding, ...other }, [key], 0), 'invalid');
});

test('whatever a client changes of it, it does not open', () => {
  const sealed = sealState(state, binding, [key]);
  fc.assert(
    fc.property(fc.nat(sealed.length - 1), fc.constantFrom(...'Aa0_-zZ9'), (at, character) => {
      const changed = `${sealed.slice(0, at)}${character}${sealed.slice(at + 1)}`;
      assert.equal(openState(changed, binding, [key], 0) === 'invalid', changed !== sealed);
    }),
  );
  fc.assert(fc.property(fc.string(), (text) => openState(text, binding, [key], 0) === 'invalid'));
});
