/** Processes on worker threads, as a user sees them: placement, calls, names, links and monitors. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import {
  BadArgError,
  CallError,
  type Context,
  child,
  NotTransferableError,
  name,
  type Pid,
  type ReceivedMessage,
  supervisor,
  whichChildren,
} from '../../../runtime/index.ts';
import { Probe, type ProbeProtocol } from '../../support/thread-probe.ts';
import { type ProbePid, signalsOf, startProbe, startThreads, until } from '../../support/thread-system.ts';

const probe = name<ProbeProtocol>;

test('processes of a group take turns on its threads, and calls and casts reach them', async (t) => {
  const system = await startThreads(t);
  const pids: Pid[] = [];
  for (let i = 0; i < 4; i++) pids.push(await startProbe(system, { thread: 'cpu' }));
  const threads = await Promise.all(pids.map((pid) => system.call(pid, 'threadId')));
  assert.equal(new Set(threads).size, 2);
  assert.deepEqual([threads[0], threads[1]], [threads[2], threads[3]]);
  assert.deepEqual(await system.call(pids[0]!, 'echo', { a: [1, 'x', pids[1]] }), { a: [1, 'x', pids[1]] });
  assert.equal(await system.call(pids[0]!, 'callOn', pids[1]), threads[1]);
});

test('the least loaded thread gets the next process', async (t) => {
  const system = await startThreads(t, { threads: { cpu: { count: 2, placement: 'least_loaded' } } });
  const first = await startProbe(system, { thread: 'cpu' });
  const at = await system.call(first, 'threadId');
  await system.call(first, 'spawn', {});
  await system.call(first, 'spawn', {});
  for (let i = 0; i < 2; i++) {
    const next = await startProbe(system, { thread: 'cpu' });
    assert.notEqual(await system.call(next, 'threadId'), at);
  }
});

test('a pid that comes back from another thread is the same object', async (t) => {
  const system = await startThreads(t);
  const far = await startProbe(system, { thread: 'cpu' });
  const near = await startProbe(system, { thread: 'main' });
  assert.equal(await system.call(far, 'echo', near), near);
  assert.equal(await system.call(far, 'echo', far), far);
  assert.equal(await system.call(near, 'echo', far), far);
});

test('a reply may come from a process on a third thread', async (t) => {
  const system = await startThreads(t, { threads: { a: 1, b: 1 } });
  const server = await startProbe(system, { thread: 'a' });
  const other = await startProbe(system, { thread: 'b' });
  const at = await system.call(other, 'threadId');
  assert.equal(await system.call(server, 'late', other), `from thread ${at}`);
  const near = await startProbe(system, { thread: 'main' });
  assert.equal(await system.call(near, 'late', other), `from thread ${at}`);
});

test('a call to a process that is not there, or dies, or does not answer, fails as on one thread', async (t) => {
  const system = await startThreads(t);
  const pid = await startProbe(system, { thread: 'cpu' });
  await assert.rejects(system.call(pid, 'never', undefined, { timeoutMs: 1 }), { code: 'ERR_CALL_TIMEOUT' });
  await assert.rejects(
    system.call(pid, 'crash', 'boom'),
    (error: CallError) => error.code === 'ERR_CALL_EXIT' && error.message.includes('boom'),
  );
  await assert.rejects(system.call(pid, 'threadId'), { code: 'ERR_CALL_NOPROC' });
  assert.equal(system.isAlive(pid), false);
});

test('a name is seen from every thread, and belongs to one process', async (t) => {
  const system = await startThreads(t, { threads: { a: 1, b: 1 } });
  const [a, b] = [await startProbe(system, { thread: 'a' }), await startProbe(system, { thread: 'b' })];
  assert.equal(await system.call(a, 'register', 'only'), 'ok');
  assert.match(await system.call(b, 'register', 'only'), /the name 'only' is taken by <1\./);
  assert.equal(await system.call(b, 'whereis', 'only'), a);
  assert.equal(system.whereis('only'), a);
  assert.throws(() => system.spawn(Probe, undefined, { name: 'only', thread: 'b' }), BadArgError);
  const taken = await system.start(Probe, undefined, { name: 'only', thread: 'b' });
  assert.deepEqual(taken, { error: { already_started: a } });
  system.exitProcess(a, 'kill');
  await until(() => (system.isAlive(a) ? undefined : true));
  assert.equal(system.whereis('only'), undefined);
  assert.equal(await system.call(b, 'whereis', 'only'), undefined);
});

test('of two threads that race for a name exactly one gets it', async (t) => {
  const system = await startThreads(t, { threads: { a: 1, b: 1 } });
  for (let i = 0; i < 100; i++) {
    const [a, b] = await Promise.all([startProbe(system, { thread: 'a' }), startProbe(system, { thread: 'b' })]);
    const raced = `raced ${i}`;
    const results = await Promise.all([a, b].map((pid) => system.call(pid, 'register', raced)));
    assert.equal(results.filter((result) => result === 'ok').length, 1, results.join());
    assert.equal(system.whereis(raced), results[0] === 'ok' ? a : b);
    for (const pid of [a, b]) system.exitProcess(pid, 'kill');
  }
});

test('links and monitors reach over threads, and fire once', async (t) => {
  const system = await startThreads(t, { threads: { a: 1, b: 1 } });
  for (const [from, to] of [
    ['a', 'b'],
    ['main', 'a'],
    ['b', 'main'],
  ]) {
    const watcher = await startProbe(system, { thread: from! });
    const target = await startProbe(system, { thread: to! });
    await system.call(watcher, 'link', target);
    await system.call(watcher, 'link', target);
    const ref = await system.call(watcher, 'monitor', target);
    const other = await system.call(watcher, 'monitor', target);
    assert.equal(await system.call(watcher, 'demonitor', other), true);
    system.cast(target, 'leave', { shutdown: 'enough' });
    const signals = await signalsOf(system, watcher, 2);
    const reason = { shutdown: 'enough' };
    assert.deepEqual(signals, [
      { tag: 'EXIT', from: target, reason },
      { tag: 'DOWN', ref, object: target, reason },
    ]);
    const again = await system.call(watcher, 'monitor', target);
    assert.deepEqual((await signalsOf(system, watcher, 3))[2], {
      tag: 'DOWN',
      ref: again,
      object: target,
      reason: 'noproc',
    });
  }
});

test('an exit signal that is not trapped ends a process on another thread, kill always', async (t) => {
  const system = await startThreads(t);
  const watcher = await startProbe(system, { thread: 'main' });
  for (const [trapExit, reason, ends] of [
    [false, 'boom', 'boom'],
    [true, 'kill', 'killed'],
  ] as const) {
    const target = await startProbe(system, { thread: 'cpu' }, { trapExit });
    const ref = await system.call(watcher, 'monitor', target);
    system.cast(watcher, 'exit', { pid: target, reason });
    const down = await until(async () =>
      (await system.call(watcher, 'signals')).find((signal) => signal.tag === 'DOWN' && signal.ref === ref),
    );
    assert.deepEqual(down, { tag: 'DOWN', ref, object: target, reason: ends });
  }
});

test('init that fails or is too slow on another thread is the result of the start', async (t) => {
  const system = await startThreads(t);
  assert.deepEqual(await system.start(Probe, { refuse: 'no' }, { thread: 'cpu' }), { error: 'no' });
  assert.deepEqual(await system.start(Probe, { hang: true }, { thread: 'cpu', timeoutMs: 1 }), { error: 'timeout' });
  assert.deepEqual(await system.start(Probe, undefined, { thread: 'gpu' }).then(invalidThread), 'gpu');
  assert.throws(() => system.spawn(Probe, undefined, { thread: 'gpu' }), /there is no thread group 'gpu'/);
});

function invalidThread(result: unknown): unknown {
  return (result as { error: { invalid_thread: unknown } }).error.invalid_thread;
}

test('code that another thread cannot import is the exit reason of the process', async (t) => {
  const system = await startThreads(t);
  const { reason } = await failed(system.start({ ...Probe, exportName: 'Absent' }, undefined, { thread: 'cpu' }));
  assert.match(reason, /has no export 'Absent'/);
  const nowhere = { ...Probe, module: new URL('nowhere.js', import.meta.url).href };
  assert.match(
    (await failed(system.start(nowhere, undefined, { thread: 'cpu' }))).reason,
    /cannot import .*nowhere\.js/,
  );
});

async function failed(starting: Promise<unknown>): Promise<{ readonly reason: string }> {
  return { reason: JSON.stringify(await starting) };
}

test('what cannot cross is refused where it is sent, and fails the call if it is a reply', async (t) => {
  const system = await startThreads(t);
  const pid = await startProbe(system, { thread: 'cpu' });
  assert.throws(() => system.send(pid, 'note', { list: [1, () => 2] }), {
    name: 'NotTransferableError',
    message: /^payload\.list\[1\] is a function/,
  });
  await assert.rejects(system.call(pid, 'echo', { a: Symbol('x') }), NotTransferableError);
  await assert.rejects(system.call(pid, 'value', 'function'), (error: CallError) => {
    return error instanceof CallError && JSON.stringify(error.reason).includes('the reply.f is a function');
  });
  assert.equal(await system.call(pid, 'echo', 'still there'), 'still there');
  assert.throws(() => system.spawn(() => undefined, undefined, { thread: 'cpu' }), /cannot go to another thread/);
});

test('a supervisor on a worker thread supervises children on any thread', async (t) => {
  const anywhere = [
    child(Probe, undefined, { id: 'here', name: 'here' }),
    child(Probe, undefined, { id: 'main', name: 'on main', thread: 'main' }),
    child(Probe, undefined, { id: 'apart', name: 'apart', isolated: true }),
  ];
  const system = await startThreads(t, { children: [supervisor('far', { name: 'far', thread: 'cpu' }, anywhere)] });
  const rows = await whichChildren(system, 'far');
  assert.deepEqual(
    rows.map(({ id }) => id),
    ['apart', 'main', 'here'],
  );
  const tree = await system.tree();
  assert.equal(tree.children[0]!.children.length, 3);
  const threads = await Promise.all(['here', 'on main', 'apart'].map((each) => system.call(probe(each), 'threadId')));
  assert.equal(new Set(threads).size, 3);
  const main = system.whereis(probe('on main'))!;
  await assert.rejects(system.call(main, 'crash', 'boom'), { code: 'ERR_CALL_EXIT' });
  const next = await until(() => (system.whereis('on main') === main ? undefined : system.whereis(probe('on main'))));
  assert.equal(await system.call(next, 'threadId'), threads[1]);
});

test('messages to a pid that has just been spawned elsewhere wait for its process', async (t) => {
  const system = await startThreads(t, { threads: { a: 1, b: 1 } });
  const spawner = await startProbe(system, { thread: 'a' });
  for (let i = 0; i < 50; i++) {
    const pid = await system.call(spawner, 'spawn', { thread: 'b' });
    assert.equal(await system.call(pid, 'echo', i), i);
  }
});

test('a process with a thread of its own ends that thread when it exits', async (t) => {
  const system = await startThreads(t);
  const before = system.processCount;
  const pid = await startProbe(system, { isolated: true });
  const at = await system.call(pid, 'threadId');
  assert.notEqual(at, await system.call(await startProbe(system, { thread: 'cpu' }), 'threadId'));
  system.cast(pid, 'leave', 'normal');
  await until(() => (system.processCount === before + 1 ? true : undefined));
});

test('the exit signal of a linked process comes before the DOWN of a monitor that found it dead', async (t) => {
  const system = await startThreads(t);
  const told = (far: ProbePid): Promise<readonly string[]> =>
    new Promise((resolve) => {
      system.spawn(async (_arg: undefined, ctx: Context) => {
        ctx.trapExit(true);
        ctx.link(far);
        await ctx.call(far, 'echo', 1);
        ctx.cast(far, 'leave', 'boom');
        await new Promise((goOn) => setImmediate(goOn));
        // This thread takes nothing from the other one meanwhile.
        while (ctx.isAlive(far));
        ctx.monitor(far);
        const tags: string[] = [];
        while (tags.length < 2) tags.push(((await ctx.receive(() => true, 'infinity')) as ReceivedMessage).tag);
        resolve(tags);
      }, undefined);
    });
  for (let i = 0; i < 20; i++) {
    assert.deepEqual(await told(await startProbe(system, { thread: 'cpu' })), ['EXIT', 'DOWN']);
  }
});

test('a pid is the same object also when its thread has gone and another one names it', async (t) => {
  const system = await startThreads(t);
  // Of all workers that start from here on it is the first to end.
  const threadEnd = new Promise<void>((resolve) => {
    const started = (worker: Worker): unknown => worker.once('exit', () => resolve());
    process.on('worker', started);
    t.after(() => process.off('worker', started));
  });
  const witness = await startProbe(system, { thread: 'cpu' });
  const gone = await startProbe(system, { isolated: true });
  await system.call(witness, 'monitor', gone);
  system.cast(gone, 'leave', 'boom');
  await threadEnd;
  const [down] = await signalsOf(system, witness, 1);
  assert.equal((down as { object: Pid }).object, gone);
});
