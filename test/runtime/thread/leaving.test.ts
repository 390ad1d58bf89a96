/** A thread that ends by itself: its processes are gone when their code is, not when the last of the thread is. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { child, type Pid } from '../../../runtime/index.ts';
import { type Leave, SlowLeaver, type SlowLeaverProtocol } from '../../support/slow-leaver.ts';
import { Probe } from '../../support/thread-probe.ts';
import { signalsOf, startProbe, startThreads, successorOf, until } from '../../support/thread-system.ts';
import { countWorkers } from '../../support/worker-count.ts';

for (const [by, reason] of [
  ['exit', /^\{"worker_exit":\{"exit_code":3\}\}$/],
  ['throw', /"worker_exit":\{"error":\{"name":"Error","message":"on the way out"/],
] as const) {
  for (const how of ['as long as it is let', 'for ever'] as const) {
    test(`a listener of exit may run ${how} after ${by}: nobody waits for it, and the thread ends`, async (t) => {
      const workers = countWorkers(t);
      const leaver = child(SlowLeaver, undefined, { id: 'leaver', name: 'leaver', thread: 'cpu' });
      const system = await startThreads(t, {
        threads: { cpu: { count: 1, spare: false }, io: { count: 1, spare: false } },
        workers: { busyMs: 0, stallMs: 0 },
        children: [leaver],
      });
      const word = new SharedArrayBuffer(4);
      const pid = system.whereis('leaver') as Pid<SlowLeaverProtocol>;
      // Its last note goes through a channel that did not exist before.
      const witness = await startProbe(system, { thread: 'io' });
      const ref = await system.call(witness, 'monitor', pid);
      const leave: Leave = { until: how === 'for ever' ? 'never' : word, by, last: witness };
      system.cast(pid, 'leave', leave);
      const [note, down] = await signalsOf(system, witness, 2);
      assert.deepEqual(note, { tag: 'note', payload: 'last words' });
      assert.ok(down?.tag === 'DOWN' && down.ref === ref);
      assert.match(JSON.stringify(down.reason), reason);
      const next = await successorOf(system, 'leaver', pid);
      assert.ok(system.isAlive(next));
      if (how !== 'for ever') {
        assert.equal(workers.count, 3, 'the thread is still there');
        new Int32Array(word)[0] = 1;
        Atomics.notify(new Int32Array(word), 0);
      }
      await until(() => (workers.count === 2 ? true : undefined));
      assert.equal((await system.call(witness, 'signals')).length, 2);
    });
  }
}

test('a thread that helped out stays in the place of the one that did not yield, and there are no more', async (t) => {
  const system = await startThreads(t, {
    threads: { cpu: 1 },
    workers: { stallMs: 1_000, busyMs: 50 },
    children: [child(Probe, undefined, { id: 'a', name: 'a', thread: 'cpu' })],
  });
  const first = system.whereis('a') as Pid;
  system.cast<any, any>(first, 'loop');
  // One that is started before the thread is seen not to yield ends with it.
  const helper = await until(async () => {
    const started = await system.start(Probe, undefined, { thread: 'cpu' });
    return started === 'ignore' || 'error' in started ? undefined : started.ok;
  });
  const thread = await system.call(helper, 'threadId');
  const next = await successorOf(system, 'a', first);
  assert.equal(await system.call<any, any>(next, 'threadId'), thread);
  for (let i = 0; i < 3; i++) {
    assert.equal(await system.call(await startProbe(system, { thread: 'cpu' }), 'threadId'), thread);
  }
});
