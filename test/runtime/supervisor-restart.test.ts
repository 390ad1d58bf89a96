import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ChildSpec,
  countChildren,
  deleteChild,
  name,
  type Pid,
  type RestartType,
  restartChild,
  type Strategy,
  startChild,
  supervisor,
  terminateChild,
  whichChildren,
} from '../../runtime/index.ts';
import { settle } from '../../runtime/testing.ts';
import type { SupervisionTrace, WorkerPlan } from '../support/supervision-trace.ts';
import { startSup, sup, type TracedSystem } from '../support/traced-supervisor.ts';

/** Ends a worker by a signal and lets the supervisor act. */
async function kill({ system, trace }: TracedSystem, id: string, reason: unknown = 'boom'): Promise<string[]> {
  system.exitProcess(system.whereis(name(id)) ?? assert.fail(`${id} does not run`), reason);
  await settle();
  return trace.take();
}

/** Makes a worker return `stop(reason)`. */
async function stopWith({ system, trace }: TracedSystem, id: string, reason: unknown): Promise<string[]> {
  system.cast(name<any>(id), 'stop', reason);
  await settle();
  return trace.take();
}

async function rows({ system }: TracedSystem): Promise<string[]> {
  const children = await whichChildren(system, sup);
  return children.map(({ id, pid }) => `${id} ${typeof pid === 'object' ? 'runs' : pid}`);
}

const abc = (trace: SupervisionTrace, plans: Record<string, WorkerPlan> = {}): ChildSpec[] =>
  ['a', 'b', 'c'].map((id) => trace.worker(id, plans[id]));

test('permanent: always restarted; transient: after an abnormal exit; temporary: never', async (t) => {
  const reasons = ['normal', 'shutdown', { shutdown: 'x' }, 'boom', 'killed'];
  const restarted: Record<string, boolean[]> = {};
  for (const restart of ['permanent', 'transient', 'temporary'] as RestartType[]) {
    const system = await startSup(t, { intensity: 100 }, () => []);
    restarted[restart] = [];
    for (const [i, reason] of reasons.entries()) {
      await startChild(system.system, sup, system.trace.worker(`w${i}`, { restart }));
      await stopWith(system, `w${i}`, reason);
      restarted[restart].push(system.trace.attempts(`w${i}`) === 2);
    }
  }
  assert.deepEqual(restarted, {
    permanent: [true, true, true, true, true],
    transient: [false, false, false, true, true],
    temporary: [false, false, false, false, false],
  });
});

test('a transient child that ends normally keeps its specification; a temporary one loses it', async (t) => {
  const system = await startSup(t, {}, (trace) => [
    trace.worker('a', { restart: 'transient' }),
    trace.worker('b', { restart: 'temporary' }),
    trace.worker('c', { restart: 'temporary' }),
  ]);
  await stopWith(system, 'a', 'normal');
  await stopWith(system, 'b', 'normal');
  await kill(system, 'c');
  assert.deepEqual(await rows(system), ['a undefined']);
  assert.deepEqual(await countChildren(system.system, sup), { specs: 1, active: 0, supervisors: 0, workers: 1 });
});

test('one_for_one restarts only the child that failed', async (t) => {
  const system = await startSup(t, { strategy: 'one_for_one' }, abc);
  assert.deepEqual(await kill(system, 'b'), ['exit b#1 boom', 'report child_terminated b boom', 'init b#2']);
  assert.deepEqual(await rows(system), ['c runs', 'b runs', 'a runs']);
});

test('one_for_all stops the others in reverse order and starts all in order', async (t) => {
  const system = await startSup(t, { strategy: 'one_for_all' }, abc);
  assert.deepEqual(await kill(system, 'b'), [
    'exit b#1 boom',
    'report child_terminated b boom',
    'exit c#1 shutdown',
    'exit a#1 shutdown',
    'init a#2',
    'init b#2',
    'init c#2',
  ]);
});

test('rest_for_one stops those after it in reverse order and starts it and them in order', async (t) => {
  const system = await startSup(t, { strategy: 'rest_for_one' }, (trace) => [...abc(trace), trace.worker('d')]);
  assert.deepEqual(await kill(system, 'b'), [
    'exit b#1 boom',
    'report child_terminated b boom',
    'exit d#1 shutdown',
    'exit c#1 shutdown',
    'init b#2',
    'init c#2',
    'init d#2',
  ]);
  assert.equal(system.trace.attempts('a'), 1);
});

test('one_for_all and rest_for_one stop temporary siblings and forget them', async (t) => {
  for (const strategy of ['one_for_all', 'rest_for_one'] as Strategy[]) {
    const system = await startSup(t, { strategy }, (trace) => abc(trace, { b: { restart: 'temporary' } }));
    const lines = await kill(system, 'a');
    assert.deepEqual(lines, [
      'exit a#1 boom',
      'report child_terminated a boom',
      'exit c#1 shutdown',
      'exit b#1 shutdown',
      'init a#2',
      'init c#2',
    ]);
    assert.deepEqual(await rows(system), ['c runs', 'a runs']);
  }
});

test('a group restart starts siblings that were stopped by hand or had ended normally too', async (t) => {
  for (const strategy of ['one_for_all', 'rest_for_one'] as Strategy[]) {
    const system = await startSup(t, { strategy }, (trace) => abc(trace, { c: { restart: 'transient' } }));
    await terminateChild(system.system, sup, 'b');
    await stopWith(system, 'c', 'normal');
    assert.deepEqual(await rows(system), ['c undefined', 'b undefined', 'a runs']);
    const lines = await kill(system, 'a');
    assert.deepEqual(lines.slice(2), ['init a#2', 'init b#2', 'init c#2']);
    assert.deepEqual(await rows(system), ['c runs', 'b runs', 'a runs']);
  }
});

test('more restarts than the intensity within the period: the supervisor gives up', async (t) => {
  const system = await startSup(t, { intensity: 2, periodMs: 1_000 }, abc);
  await kill(system, 'a');
  await kill(system, 'b');
  assert.deepEqual(await kill(system, 'a'), [
    'exit a#2 boom',
    'report child_terminated a boom',
    'report shutdown a reached_max_restart_intensity',
    'exit c#1 shutdown',
    'exit b#2 shutdown',
    'exit sup shutdown',
  ]);
});

test('restarts outside the period do not count; one exactly at its edge does', async (t) => {
  const system = await startSup(t, { intensity: 1, periodMs: 1_000 }, abc);
  for (let i = 0; i < 5; i++) {
    await kill(system, 'a');
    await system.clock.advance(1_001);
  }
  assert.deepEqual(await rows(system), ['c runs', 'b runs', 'a runs']);
  await kill(system, 'a');
  await system.clock.advance(1_000);
  await kill(system, 'a');
  assert.equal(system.system.whereis(sup), undefined);
});

test('by default one restart in 5,000 ms is tolerated', async (t) => {
  const tolerant = await startSup(t, {}, abc);
  await kill(tolerant, 'a');
  await tolerant.clock.advance(5_001);
  await kill(tolerant, 'a');
  assert.deepEqual(await rows(tolerant), ['c runs', 'b runs', 'a runs']);
  const strict = await startSup(t, {}, abc);
  await kill(strict, 'a');
  await strict.clock.advance(4_999);
  await kill(strict, 'b');
  assert.equal(strict.system.whereis(sup), undefined);
});

test('intensity 0: the first failure ends the supervisor', async (t) => {
  const system = await startSup(t, { intensity: 0 }, abc);
  assert.deepEqual(await kill(system, 'b'), [
    'exit b#1 boom',
    'report child_terminated b boom',
    'report shutdown b reached_max_restart_intensity',
    'exit c#1 shutdown',
    'exit a#1 shutdown',
    'exit sup shutdown',
  ]);
});

test('a group restart counts as one restart', async (t) => {
  for (const strategy of ['one_for_all', 'rest_for_one'] as Strategy[]) {
    const system = await startSup(t, { strategy, intensity: 2 }, abc);
    await kill(system, 'a');
    await kill(system, 'a');
    assert.deepEqual(await rows(system), ['c runs', 'b runs', 'a runs']);
    await kill(system, 'a');
    assert.equal(system.system.whereis(sup), undefined);
  }
});

test('each retry of a failed restart counts, and each makes a start_error report', async (t) => {
  const plan = ['ok', { stop: 'no' }, { stop: 'no' }, { stop: 'no' }] as const;
  const system = await startSup(t, { intensity: 3 }, (trace) => abc(trace, { b: { plan } }));
  assert.deepEqual(await kill(system, 'b'), [
    'exit b#1 boom',
    'report child_terminated b boom',
    'init b#2',
    'exit b#2 no',
    'report start_error b no',
    'init b#3',
    'exit b#3 no',
    'report start_error b no',
    'init b#4',
    'exit b#4 no',
    'report start_error b no',
    'report shutdown b reached_max_restart_intensity',
    'exit c#1 shutdown',
    'exit a#1 shutdown',
    'exit sup shutdown',
  ]);
});

test('a restart that fails is retried until it succeeds', async (t) => {
  const plan = ['ok', 'throw', { stop: 'no' }] as const;
  const system = await startSup(t, { intensity: 3 }, (trace) => abc(trace, { b: { plan } }));
  const lines = await kill(system, 'b');
  assert.equal(lines.at(-1), 'init b#4');
  assert.deepEqual(await rows(system), ['c runs', 'b runs', 'a runs']);
});

test('between two tries of a restart the supervisor answers calls: the child shows as restarting', async (t) => {
  const plan: WorkerPlan['plan'] = ['ok', ...Array.from({ length: 50 }, () => ({ stop: 'no' }) as const)];
  const system = await startSup(t, { intensity: 1_000 }, (trace) => abc(trace, { b: { plan } }));
  system.system.exitProcess(system.system.whereis(name('b')) as Pid, 'boom');
  const seen = await rows(system);
  const count = await countChildren(system.system, sup);
  assert.deepEqual(seen, ['c runs', 'b restarting', 'a runs']);
  assert.deepEqual(count, { specs: 3, active: 2, supervisors: 0, workers: 3 });
  await settle(60);
  assert.deepEqual(await rows(system), ['c runs', 'b runs', 'a runs']);
});

test('while a restart is retried: what startChild, restartChild and deleteChild answer', async (t) => {
  const plan: WorkerPlan['plan'] = ['ok', ...Array.from({ length: 10_000 }, () => ({ stop: 'no' }) as const)];
  const system = await startSup(t, { intensity: 100_000 }, (trace) => abc(trace, { b: { plan } }));
  const { system: owner, trace } = system;
  owner.exitProcess(owner.whereis(name('b')) as Pid, 'boom');
  assert.deepEqual(await restartChild(owner, sup, 'b'), { error: 'restarting' });
  assert.deepEqual(await deleteChild(owner, sup, 'b'), { error: 'restarting' });
  assert.deepEqual(await startChild(owner, sup, trace.worker('b')), { error: 'already_present' });
  assert.equal(await terminateChild(owner, sup, 'b'), 'ok');
  assert.deepEqual(await rows(system), ['c runs', 'b undefined', 'a runs']);
  const attempts = trace.attempts('b');
  await settle();
  assert.equal(trace.attempts('b'), attempts, 'no try after it');
  assert.equal(await deleteChild(owner, sup, 'b'), 'ok');
});

test('a supervisor can be stopped while a restart is retried', async (t) => {
  const plan: WorkerPlan['plan'] = ['ok', ...Array.from({ length: 10_000 }, () => ({ stop: 'no' }) as const)];
  const system = await startSup(t, { intensity: 100_000 }, (trace) => abc(trace, { b: { plan } }));
  system.system.exitProcess(system.system.whereis(name('b')) as Pid, 'boom');
  assert.equal(await terminateChild(system.system, system.system.root, 'sup'), 'ok');
  const lines = system.trace.take().filter((line) => !line.includes(' b'));
  assert.deepEqual(lines, ['exit c#1 shutdown', 'exit a#1 shutdown', 'exit sup shutdown']);
});

test('a sibling that fails in a group restart is the one that is retried', async (t) => {
  const plans = { b: { plan: ['ok', { stop: 'no' }] } } as const;
  const all = await startSup(t, { strategy: 'one_for_all', intensity: 5 }, (trace) => abc(trace, plans));
  assert.deepEqual(await kill(all, 'a'), [
    'exit a#1 boom',
    'report child_terminated a boom',
    'exit c#1 shutdown',
    'exit b#1 shutdown',
    'init a#2',
    'init b#2',
    'exit b#2 no',
    'report start_error b no',
    'exit a#2 shutdown',
    'init a#3',
    'init b#3',
    'init c#2',
  ]);
  const rest = await startSup(t, { strategy: 'rest_for_one', intensity: 5 }, (trace) => abc(trace, plans));
  assert.deepEqual(await kill(rest, 'a'), [
    'exit a#1 boom',
    'report child_terminated a boom',
    'exit c#1 shutdown',
    'exit b#1 shutdown',
    'init a#2',
    'init b#2',
    'exit b#2 no',
    'report start_error b no',
    'init b#3',
    'init c#2',
  ]);
});

test('a child that ignores at its restart is kept without a process', async (t) => {
  const system = await startSup(t, {}, (trace) => abc(trace, { b: { plan: ['ok', 'ignore'] } }));
  await kill(system, 'b');
  assert.deepEqual(await rows(system), ['c runs', 'b undefined', 'a runs']);
});

test('a supervisor that gives up exits shutdown: permanent is restarted by its parent and counts there', async (t) => {
  for (const restart of ['permanent', 'transient', 'temporary'] as RestartType[]) {
    const system = await startSup(t, { intensity: 1 }, (trace) => [
      supervisor('inner', { name: 'inner', restart, intensity: 0 }, [trace.worker('a')]),
    ]);
    await kill(system, 'a');
    if (restart !== 'permanent') {
      assert.equal(system.trace.attempts('a'), 1);
      assert.deepEqual(await rows(system), restart === 'transient' ? ['inner undefined'] : []);
      continue;
    }
    assert.equal(system.trace.attempts('a'), 2);
    const lines = await kill(system, 'a');
    assert.deepEqual(lines.slice(-3), [
      'report child_terminated inner shutdown',
      'report shutdown inner reached_max_restart_intensity',
      'exit sup shutdown',
    ]);
  }
});

test('children that die at the same time are restarted each, and count each', async (t) => {
  const tolerant = await startSup(t, { intensity: 3 }, abc);
  for (const id of ['a', 'b', 'c']) tolerant.system.exitProcess(tolerant.system.whereis(name(id)) as Pid, 'boom');
  await settle();
  assert.deepEqual(await rows(tolerant), ['c runs', 'b runs', 'a runs']);
  const strict = await startSup(t, { intensity: 2 }, abc);
  for (const id of ['a', 'b', 'c']) strict.system.exitProcess(strict.system.whereis(name(id)) as Pid, 'boom');
  await settle();
  assert.equal(strict.system.whereis(sup), undefined);
});

test('a group restart in which a sibling dies while others are stopped takes that death along', async (t) => {
  const system = await startSup(t, { strategy: 'one_for_all', intensity: 1 }, abc);
  for (const id of ['a', 'b', 'c']) system.system.exitProcess(system.system.whereis(name(id)) as Pid, 'boom');
  await settle();
  assert.deepEqual(await rows(system), ['c runs', 'b runs', 'a runs'], 'one restart, not three');
  assert.deepEqual(
    ['a', 'b', 'c'].map((id) => system.trace.attempts(id)),
    [2, 2, 2],
  );
});

test('a restarted child has the start argument it had, an empty mailbox and a new pid', async (t) => {
  const system = await startSup(t, {}, abc);
  const before = system.system.whereis(name('a')) as Pid;
  system.system.cast(name<any>('a'), 'run', () => new Promise(() => {}));
  for (let i = 0; i < 5; i++) system.system.cast(name<any>('a'), 'throw', new Error('of the old incarnation'));
  await settle();
  await kill(system, 'a');
  assert.notEqual(system.system.whereis(name('a')), before);
  assert.equal(await system.system.call(name<any>('a'), 'ping'), 'a#2');
  assert.equal(system.trace.attempts('a'), 2);
});
