/** What is given to sys must not be async: nobody would wait for it, nor answer for its rejection. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Call, child, type GenServer, genServer, type Name, name, reply, sys } from '../../runtime/index.ts';
import { settle } from '../../runtime/testing.ts';
import { startTestSystem } from '../support/test-system.ts';

interface HolderProtocol {
  readonly call: { readonly get: Call<void, number> };
}

const holder: Name<HolderProtocol> = name('holder');

export const Holder: GenServer<HolderProtocol, number> = genServer(import.meta, 'Holder', {
  init: (start) => start,
  handleCall: { get: (state) => reply(state, state) },
});

export const Newer: GenServer<HolderProtocol, number> = genServer(import.meta, 'Newer', {
  init: (start) => start,
  handleCall: { get: (state) => reply(state, state) },
  codeChange: (async () => 5) as never,
});

const rejects = (): Promise<never> => Promise.reject(new Error('nobody waits for this'));

test('an async function is refused by replaceState, and its rejection goes nowhere', async (t) => {
  const { system } = await startTestSystem(t, { children: [child(Holder, 1, { name: holder })] });
  await assert.rejects(sys.replaceState(system, holder, rejects as never), { code: 'ERR_SYS_CALLBACK' });
  await settle();
  assert.equal(await system.call(holder, 'get'), 1);
});

test('an async codeChange is refused, and the state stays', async (t) => {
  const { system } = await startTestSystem(t, { children: [child(Holder, 1, { name: holder })] });
  await sys.suspend(system, holder);
  const changed = await sys.changeCode(system, holder, Newer, 1, undefined).catch((error: unknown) => error);
  assert.notEqual(changed, 'ok');
  await sys.resume(system, holder);
  assert.equal(await system.call(holder, 'get'), 1);
});

test('an async debug function is removed at its first event, and its rejection goes nowhere', async (t) => {
  const { system } = await startTestSystem(t, { children: [child(Holder, 1, { name: holder })] });
  assert.equal(await sys.install(system, holder, { id: 'async', func: rejects, state: undefined } as never), 'ok');
  assert.equal(await system.call(holder, 'get'), 1);
  await settle();
  assert.deepEqual((await sys.getStatus(system, holder)).debug, []);
});
