/** The names that all threads share: as a map would keep them, and whole whatever thread is terminated when. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { NAMES_MAX } from '../../../runtime/limits.ts';
import { NameTable, type Place } from '../../../runtime/thread/name-table.ts';
import { SharedLock } from '../../../runtime/thread/shared-lock.ts';
import { SystemMemory } from '../../../runtime/thread/system-memory.ts';

function table(): NameTable {
  const memory = NameTable.allocate();
  return new NameTable(memory, new SharedLock(NameTable.lockWords(memory), 0, new Int32Array(16), 0));
}

test('the table of names behaves as a map does', () => {
  const name = fc.oneof(fc.constantFrom('a', 'b', 'Aa', 'BB', ''), fc.string({ maxLength: 255, unit: 'binary' }));
  const place = fc.record(
    { thread: fc.nat(3), slot: fc.nat(3), serial: fc.integer({ min: 1, max: 2 ** 52 }) },
    { noNullPrototype: true },
  );
  const step = fc.record({ does: fc.constantFrom('claim', 'release', 'holder', 'releaseAll', 'slot'), name, place });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const names = table();
      const model = new Map<string, Place>();
      for (const each of steps) {
        const has = model.get(each.name);
        const { thread, slot, serial } = each.place;
        if (each.does === 'claim') {
          assert.deepEqual(names.claim(each.name, each.place), has);
          if (has === undefined) model.set(each.name, each.place);
        } else if (each.does === 'release') {
          const holder = has ?? each.place;
          names.release(each.name, { ...holder, serial: holder.serial + 1 });
          assert.deepEqual(names.holder(each.name), has, 'of another process nothing is freed');
          names.release(each.name, has ?? { thread, slot, serial });
          model.delete(each.name);
        } else if (each.does !== 'holder') {
          const one = each.does === 'slot' ? slot : undefined;
          names.releaseAll(thread, one);
          for (const [key, at] of model) {
            if (at.thread === thread && (one === undefined || at.slot === one)) model.delete(key);
          }
        }
        for (const [key, at] of model) assert.deepEqual(names.holder(key), at);
        assert.deepEqual(names.holder(each.name), model.get(each.name));
      }
    }),
    { numRuns: 60 },
  );
});

test('a name that is too long, and one more than there is room for, is refused and changes nothing', () => {
  const names = table();
  const place = { thread: 1, slot: 1, serial: 1 };
  assert.throws(() => names.claim('n'.repeat(256), place), { code: 'ERR_BADARG', message: /at most 255/ });
  assert.equal(names.holder('n'.repeat(256)), undefined);
  for (let i = 0; i < NAMES_MAX; i++) assert.equal(names.claim(`n${i}`, place), undefined);
  assert.throws(() => names.claim('one more', place), { code: 'ERR_BADARG', message: /no room for another name/ });
  names.release('n7', place);
  assert.equal(names.claim('one more', place), undefined);
  names.releaseAll(1);
  assert.equal(names.holder('n8'), undefined);
});

test('threads that are terminated while they take names break no chain, and leave no lock and no name', async (t) => {
  const names = 40;
  const memory = new SystemMemory(SystemMemory.allocate(), 0);
  const hammers: { readonly thread: number; readonly worker: Worker; readonly counter: Int32Array }[] = [];
  const errors: unknown[] = [];
  const start = (): void => {
    const thread = memory.newThread();
    const counted = new SharedArrayBuffer(4);
    const workerData = { shared: memory.shared, thread, counted, names };
    const worker = new Worker(new URL('./name-hammer.js', import.meta.url), { workerData });
    t.after(() => worker.terminate());
    worker.on('error', (error) => {
      if (!/is being terminated/.test(String(error))) errors.push(error);
    });
    hammers.push({ thread, worker, counter: new Int32Array(counted) });
  };
  start();
  start();
  for (let round = 0; round < 12; round++) {
    const { thread, worker, counter } = hammers.shift() as (typeof hammers)[0];
    while (Atomics.load(counter, 0) < 500) await new Promise((resolve) => setImmediate(resolve));
    // It may end by itself, by what it is told when it wants the lock.
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    memory.markDead(thread, false);
    const terminated = worker.terminate();
    memory.names.releaseAll(thread);
    // Beside the other one, which goes on.
    for (let i = 0; i < names; i++) {
      const own = { thread: 0, slot: i, serial: round * names + i + 1 };
      assert.notEqual(memory.names.holder(`name ${i}`)?.thread, thread);
      if (memory.names.claim(`name ${i}`, own) === undefined) memory.names.release(`name ${i}`, own);
    }
    await Promise.all([ended, terminated]);
    start();
  }
  for (const { thread, worker } of hammers) {
    memory.markDead(thread, false);
    await worker.terminate();
    memory.names.releaseAll(thread);
  }
  for (let i = 0; i < names; i++) assert.equal(memory.names.holder(`name ${i}`), undefined);
  assert.deepEqual(errors, []);
});
