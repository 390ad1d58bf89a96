/** Takes and frees names for ever, and is terminated meanwhile. Its data: the shared memory, and which thread it is. */

import assert from 'node:assert/strict';
import { workerData } from 'node:worker_threads';
import { SystemMemory } from '../../../runtime/thread/system-memory.ts';

const { shared, thread, counted, names } = workerData;
const memory = new SystemMemory(shared, thread);
const counter = new Int32Array(counted as SharedArrayBuffer);

for (let serial = 1; ; serial++) {
  const name = `name ${(serial * 7) % (names as number)}`;
  const place = { thread, slot: serial % 100, serial };
  const holder = memory.names.claim(name, place);
  if (holder === undefined) {
    assert.deepEqual(memory.names.holder(name), place, 'who has a name keeps it');
    memory.names.release(name, place);
    assert.notEqual(memory.names.holder(name)?.thread, thread);
  } else assert.notEqual(holder.thread, thread);
  Atomics.add(counter, 0, 1);
}
