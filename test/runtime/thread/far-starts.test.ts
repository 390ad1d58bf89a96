/** Starts on other threads that come to nothing, and those that meet the death of a thread. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { child, supervisor } from '../../../runtime/index.ts';
import { Pid } from '../../../runtime/kernel/pid.ts';
import type { ChannelsOptions } from '../../../runtime/thread/channels.ts';
import { Directory } from '../../../runtime/thread/directory.ts';
import { FarProcesses } from '../../../runtime/thread/far-processes.ts';
import { type Frame, op } from '../../../runtime/thread/frames.ts';
import { Pids } from '../../../runtime/thread/pids.ts';
import { SystemMemory } from '../../../runtime/thread/system-memory.ts';
import { ThreadMemory } from '../../../runtime/thread/thread-memory.ts';
import { ThreadNode } from '../../../runtime/thread/thread-node.ts';
import { loneKernel, loneProcess } from '../../support/lone-kernel.ts';
import { Probe } from '../../support/thread-probe.ts';
import { startProbe, startThreads, threadExits, until } from '../../support/thread-system.ts';
import { countWorkers } from '../../support/worker-count.ts';

test('a spawn on a thread of its own that fails leaves no thread behind', async (t) => {
  const workers = countWorkers(t);
  const system = await startThreads(t, { threads: { cpu: { count: 1, spare: false } } });
  const far = await startProbe(system, { thread: 'cpu' });
  for (const spawns of [
    () => system.spawn(() => undefined, undefined, { isolated: true }),
    () => system.spawn(Probe, (() => undefined) as any, { isolated: true }),
  ]) {
    assert.throws(spawns, /function/);
  }
  assert.deepEqual(await system.start(Probe, undefined, { isolated: true, name: 'init' }), {
    error: { already_started: system.whereis('init') },
  });
  assert.throws(() => system.spawn(Probe, undefined, { isolated: true, name: 'n'.repeat(256) }), /at most 255/);
  for (const what of ['function', 'argument'] as const) {
    assert.match(await system.call(far, 'spawnFails', { what }), /function/);
  }
  assert.match(await system.call(far, 'spawnFails', { what: 'name', name: 'init' }), /is taken/);
  await until(() => (workers.count === 1 ? true : undefined));
});

test('a process with a thread of its own starts though another thread dies meanwhile', async (t) => {
  const system = await startThreads(t, { threads: { cpu: { count: 1, spare: false } } });
  for (let i = 0; i < 5; i++) {
    const victim = await startProbe(system, { thread: 'cpu' });
    const starting = system.start(Probe, undefined, { isolated: true });
    system.cast(victim, 'exitProcess', 3);
    const started = await starting;
    assert.ok(started !== 'ignore' && 'ok' in started, JSON.stringify(started));
    assert.equal(await system.call(started.ok as Pid<any>, 'echo', i), i);
    system.exitProcess(started.ok, 'kill');
  }
});

test('the orderly end of a thread of its own is no fault, and a call to its process finds none', async (t) => {
  const workers = countWorkers(t);
  const system = await startThreads(t, { threads: { cpu: { count: 1, spare: false } } });
  const exits = threadExits(t, system);
  const pid = await startProbe(system, { isolated: true });
  system.cast(pid, 'leave', 'normal');
  await until(() => (workers.count === 1 ? true : undefined));
  system.cast(await startProbe(system, { thread: 'cpu' }), 'exitProcess', 3);
  await until(() => (exits.length > 0 ? true : undefined));
  assert.deepEqual(
    exits.map(({ group }) => group),
    ['cpu'],
  );
  await assert.rejects(system.call(pid, 'threadId'), { code: 'ERR_CALL_NOPROC' });
});

/** What one thread asks of the thread 1, which has been terminated without its knowing. */
function beforeTheNews(): {
  readonly far: FarProcesses;
  readonly memory: SystemMemory;
  readonly kernel: ReturnType<typeof loneKernel>;
} {
  const kernel = loneKernel();
  const memory = new SystemMemory(SystemMemory.allocate(), 0);
  const own = new ThreadMemory(ThreadMemory.allocate(16, 16));
  const directory = new Directory({ cpu: 'round_robin' }, 0, () => 0);
  directory.add({ thread: 0, group: null, position: 0, memory: own.memory });
  directory.add({ thread: memory.newThread(), group: 'cpu', position: 0, memory: ThreadMemory.allocate(16, 16) });
  const pids = new Pids(kernel);
  const outbox = { send: (_thread: number, _frame: Frame): void => {}, flush: (): void => {} };
  const far = new FarProcesses({ kernel, memory, own, directory, pids, outbox, isolated: () => 2 });
  kernel.connect(far, own.ownMax);
  memory.markDead(1, true);
  memory.names.releaseAll(1);
  return { far, memory, kernel };
}

test('a name that was claimed for a process on a thread that has just died is free again', async () => {
  const { far, memory, kernel } = beforeTheNews();
  const parent = loneProcess(kernel);
  const starting = far.start(parent, 1, Probe as any, undefined, { name: 'late' });
  far.spawn(parent, 1, Probe as any, undefined, { name: 'later' });
  assert.equal(memory.names.holder('late'), undefined);
  assert.equal(memory.names.holder('later'), undefined);
  far.threadDown(1, 'killed');
  assert.deepEqual(await starting, { error: 'killed' });
});

test('a link that came before its process, from a thread that died in between, brings the exit signal', () => {
  const kernel = loneKernel(1);
  const memory = new SystemMemory(SystemMemory.allocate(), 1);
  const own = { thread: 1, group: 'cpu', position: 0, memory: ThreadMemory.allocate(16, 16) };
  const directory = new Directory({ cpu: 'round_robin' }, 0, () => 0);
  const outside = { connect: () => {}, isolated: () => 9, spinUs: 0 };
  const node = new ThreadNode({ kernel, memory, directory, own, ...outside });
  const arrived = (thread: number, frame: Frame): void =>
    (node.channels as unknown as { options: ChannelsOptions }).options.arrived(thread, frame);
  const from = (thread: number): Pid => new Pid(kernel.id, thread, 0, 1);
  // Thread 2 spawns here, and its pid gets to thread 3 before the spawn gets here.
  const serial = 3 * 2 ** 36 + 1;
  const slot = new ThreadMemory(own.memory).reserve(serial) as number;
  arrived(3, [op.link, from(3), slot, serial]);
  arrived(3, [op.monitor, from(3), 7, slot, serial]);
  node.threadDown(3, 'killed');
  const behaviour = { module: Probe.module, exportName: Probe.exportName };
  arrived(2, [op.spawn, slot, serial, { behaviour, arg: undefined, ancestors: [from(2)], options: {}, link: false }]);
  assert.ok(kernel.table.at(slot, serial) === undefined, 'its peer is dead, and it does not trap exits yet');
  node.channels.close();
});

test('a tree whose names all die with their threads gets every name back', async (t) => {
  const children = Array.from({ length: 12 }, (_, i) =>
    child(Probe, undefined, { id: `p${i}`, name: `p${i}`, thread: i % 2 === 0 ? 'a' : 'b' }),
  );
  const system = await startThreads(t, {
    threads: { a: 1, b: 1 },
    children: [supervisor('pair', { intensity: 100, thread: 'b', strategy: 'one_for_all' }, children)],
    intensity: 100,
  });
  for (let i = 0; i < 4; i++) {
    const before = children.map((_, n) => system.whereis(`p${n}`));
    system.cast<any, any>('p0', 'exitProcess', 1);
    system.cast<any, any>('p1', 'exitProcess', 1);
    await until(() => {
      const now = children.map((_, n) => system.whereis(`p${n}`));
      return now.every((pid, n) => pid !== undefined && pid !== before[n] && system.isAlive(pid)) ? true : undefined;
    });
  }
});
