/** The spare thread of a group: what it has imported when it takes the place of another. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BroadcastChannel } from 'node:worker_threads';
import { child, name, type Pid } from '../../../runtime/index.ts';
import { importModule, listenToImports } from '../../../runtime/kernel/imports.ts';
import { Announced, type AnnouncedProtocol, importsChannel } from '../../support/announced-import.ts';
import { startThreads, until } from '../../support/thread-system.ts';

const announced = name<AnnouncedProtocol>('announced');

test('a spare thread has imported what the threads of its group have, before it takes the place of one', async (t) => {
  const imports = new BroadcastChannel(importsChannel);
  t.after(() => imports.close());
  const threads: number[] = [];
  imports.onmessage = (event) => threads.push((event as { readonly data: number }).data);
  const served = child(Announced, undefined, { id: 'announced', name: 'announced', thread: 'cpu' });
  const system = await startThreads(t, { threads: { cpu: 1 }, children: [served] });
  const first = await system.call(announced, 'thread');
  await until(() => (threads.length >= 2 ? true : undefined));
  const [, spare] = threads;
  assert.equal(threads[0], first);
  assert.notEqual(spare, first, 'another thread has imported it, though nothing was started there');
  const before = system.whereis('announced') as Pid;
  system.cast(announced, 'end', undefined);
  await until(() => ([before, undefined].includes(system.whereis('announced')) ? undefined : true));
  assert.equal(await system.call(announced, 'thread'), spare);
  assert.equal(threads.filter((thread) => thread === spare).length, 1);
});

test('an import is told once, when it is over, and a thread is importing until the last is', async (t) => {
  const told: string[] = [];
  listenToImports({
    importing: (is) => told.push(`importing ${is}`),
    imported: (module) => told.push(module.slice(0, 15)),
  });
  t.after(() => listenToImports(undefined));
  const good = 'data:text/javascript,export const one = 1;';
  const [exports, again] = await Promise.all([importModule(good), importModule(good)]);
  assert.deepEqual([exports['one'], again['one']], [1, 1]);
  await assert.rejects(importModule('data:text/javascript,throw new Error("no")'), /no/);
  assert.deepEqual(told, ['importing true', 'data:text/javas', 'importing false', 'importing true', 'importing false']);
});
