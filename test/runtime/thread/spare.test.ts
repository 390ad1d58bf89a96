/** The spare thread of a group: what it has imported when it takes the place of another. */

import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { test } from 'node:test';
import { BroadcastChannel, MessageChannel } from 'node:worker_threads';
import { channels, child, name, type Pid } from '../../../runtime/index.ts';
import { importModule, listenToImports } from '../../../runtime/kernel/imports.ts';
import { SPARE_AGAIN_MS, SPARE_DELAY_MS } from '../../../runtime/limits.ts';
import type { simulatedClock } from '../../../runtime/testing.ts';
import { rehearse } from '../../../runtime/thread/rehearsal.ts';
import { ThreadHost } from '../../../runtime/thread/thread-host.ts';
import { threadPlan } from '../../../runtime/thread/thread-plan.ts';
import type { WorkerThread } from '../../../runtime/thread/worker-thread.ts';
import { Announced, type AnnouncedProtocol, importsChannel } from '../../support/announced-import.ts';
import { loneKernel } from '../../support/lone-kernel.ts';
import { startThreads, until } from '../../support/thread-system.ts';
import { countWorkers } from '../../support/worker-count.ts';

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

test('a spare is started some time after the system, and some time after one has taken a place', async (t) => {
  const kernel = loneKernel();
  const clock = kernel.clock as ReturnType<typeof simulatedClock>;
  const workers = countWorkers(t);
  // To a clock that jumps a thread would seem not to yield.
  const host = new ThreadHost(kernel, threadPlan({ cpu: 1 }, { busyMs: 0, stallMs: 0 }));
  t.after(() => host.stop());
  await host.start();
  const { running } = host as unknown as { readonly running: ReadonlyMap<number, WorkerThread> };
  await clock.advance(SPARE_DELAY_MS - 1);
  assert.equal(workers.count, 1);
  await clock.advance(1);
  assert.equal(workers.count, 2);
  const [first] = [...running.values()] as [WorkerThread];
  void first.terminate();
  await until(() => [...running.values()].find((each) => each !== first && each.isReady));
  assert.equal(workers.count, 1);
  await clock.advance(SPARE_AGAIN_MS - 1);
  assert.equal(workers.count, 1);
  await clock.advance(1);
  assert.equal(workers.count, 2);
  await host.stop();
  assert.equal(workers.count, 0);
});

test('a rehearsal starts and ends a process as another thread would, and leaves nothing behind', async (t) => {
  const seen: string[] = [];
  for (const [channel, what] of [
    [channels.processStart, 'start'],
    [channels.processExit, 'exit'],
  ] as const) {
    const listener = (event: unknown): void => void seen.push(`${what} in ${(event as { system: string }).system}`);
    subscribe(channel, listener);
    t.after(() => unsubscribe(channel, listener));
  }
  const listeners = process.listenerCount('uncaughtException');
  // Channels keep no thread alive; the port of a worker does.
  const { port1 } = new MessageChannel();
  port1.on('message', () => {});
  t.after(() => port1.close());
  await rehearse();
  assert.deepEqual(
    seen,
    ['start', 'start', 'exit', 'exit'].map((what) => `${what} in beamish rehearsal`),
  );
  assert.equal(process.listenerCount('uncaughtException'), listeners);
});
