import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  child,
  countChildren,
  deleteChild,
  getChildSpec,
  name,
  type Pid,
  restartChild,
  type Strategy,
  startChild,
  supervisor,
  terminateChild,
  whichChildren,
} from '../../runtime/index.ts';
import { settle } from '../../runtime/testing.ts';
import { PlannedWorker } from '../support/supervision-trace.ts';
import { openProcess, type TestSystem } from '../support/test-system.ts';
import { startSup, sup } from '../support/traced-supervisor.ts';

const pidOf = ({ system }: TestSystem, id: string): Pid =>
  system.whereis(name(id)) ?? assert.fail(`${id} does not run`);

test('startChild starts a child and keeps its specification, as the newest', async (t) => {
  const { system, trace, ...rest } = await startSup(t, {}, (of) => [of.worker('a')]);
  const result = await startChild(system, sup, trace.worker('b'));
  assert.deepEqual(result, { ok: pidOf({ system, ...rest }, 'b') });
  assert.deepEqual(
    (await whichChildren(system, sup)).map(({ id }) => id),
    ['b', 'a'],
  );
});

test('startChild of an id that runs gives already_started; of one that does not, already_present', async (t) => {
  const traced = await startSup(t, {}, (trace) => [trace.worker('a')]);
  const { system, trace } = traced;
  assert.deepEqual(await startChild(system, sup, trace.worker('a')), {
    error: { already_started: pidOf(traced, 'a') },
  });
  await terminateChild(system, sup, 'a');
  assert.deepEqual(await startChild(system, sup, trace.worker('a')), { error: 'already_present' });
  assert.equal(trace.attempts('a'), 1);
});

test('startChild of a child that fails gives the reason and the specification, which is not kept', async (t) => {
  const { system, trace } = await startSup(t);
  const spec = trace.worker('a', { plan: [{ stop: 'no' }] });
  assert.deepEqual(await startChild(system, sup, spec), { error: 'no', child: spec });
  assert.deepEqual(await whichChildren(system, sup), []);
  const again = await startChild(system, sup, spec);
  assert.ok('ok' in again, 'so it can be started again');
});

test('startChild of a child that ignores gives ok undefined; the specification is kept unless temporary', async (t) => {
  const { system, trace } = await startSup(t);
  const plan = { plan: ['ignore'] } as const;
  assert.deepEqual(await startChild(system, sup, trace.worker('a', plan)), { ok: undefined });
  assert.deepEqual(await startChild(system, sup, trace.worker('b', { ...plan, restart: 'temporary' })), {
    ok: undefined,
  });
  assert.deepEqual(await whichChildren(system, sup), [{ id: 'a', pid: undefined, type: 'worker' }]);
  assert.deepEqual(await countChildren(system, sup), { specs: 1, active: 0, supervisors: 0, workers: 1 });
});

test('startChild under a name that is taken gives already_started and keeps nothing', async (t) => {
  const traced = await startSup(t);
  const holder = await openProcess(traced, { name: 'taken' });
  const spec = traced.trace.worker('a', { name: 'taken' });
  const result = await startChild(traced.system, sup, spec);
  assert.deepEqual(result, { error: { already_started: holder.pid }, child: spec });
  assert.deepEqual(await whichChildren(traced.system, sup), []);
});

test('terminateChild stops a child and keeps its specification, unless it is temporary', async (t) => {
  const { system, trace } = await startSup(t, {}, (of) => [of.worker('a'), of.worker('b', { restart: 'temporary' })]);
  assert.equal(await terminateChild(system, sup, 'a'), 'ok');
  assert.equal(await terminateChild(system, sup, 'b'), 'ok');
  assert.deepEqual(trace.take(), ['exit a#1 shutdown', 'exit b#1 shutdown']);
  assert.deepEqual(await whichChildren(system, sup), [{ id: 'a', pid: undefined, type: 'worker' }]);
  assert.equal(await terminateChild(system, sup, 'a'), 'ok', 'also when it does not run');
  assert.deepEqual(await terminateChild(system, sup, 'b'), { error: 'not_found' });
  assert.deepEqual(await terminateChild(system, sup, 'nobody'), { error: 'not_found' });
});

test('terminateChild restarts nothing, whatever the strategy', async (t) => {
  for (const strategy of ['one_for_one', 'one_for_all', 'rest_for_one'] as Strategy[]) {
    const { system, trace } = await startSup(t, { strategy, intensity: 0 }, (of) =>
      ['a', 'b', 'c'].map((id) => of.worker(id)),
    );
    assert.equal(await terminateChild(system, sup, 'a'), 'ok');
    await settle();
    assert.deepEqual(trace.take(), ['exit a#1 shutdown']);
  }
});

test('restartChild starts a child that does not run, and does not count as a restart', async (t) => {
  const traced = await startSup(t, { intensity: 0 }, (trace) => [trace.worker('a')]);
  const { system } = traced;
  assert.deepEqual(await restartChild(system, sup, 'a'), { error: 'running' });
  assert.deepEqual(await restartChild(system, sup, 'nobody'), { error: 'not_found' });
  for (let i = 0; i < 5; i++) {
    await terminateChild(system, sup, 'a');
    assert.deepEqual(await restartChild(system, sup, 'a'), { ok: pidOf(traced, 'a') });
  }
  assert.equal(traced.trace.attempts('a'), 6);
});

test('restartChild that fails or ignores keeps the specification', async (t) => {
  const { system } = await startSup(t, {}, (trace) => [trace.worker('a', { plan: ['ok', { stop: 'no' }, 'ignore'] })]);
  await terminateChild(system, sup, 'a');
  assert.deepEqual(await restartChild(system, sup, 'a'), { error: 'no' });
  assert.deepEqual(await whichChildren(system, sup), [{ id: 'a', pid: undefined, type: 'worker' }]);
  assert.deepEqual(await restartChild(system, sup, 'a'), { ok: undefined });
  const third = await restartChild(system, sup, 'a');
  assert.ok('ok' in third && third.ok !== undefined);
});

test('deleteChild forgets a child that does not run; running and not_found are errors', async (t) => {
  const { system } = await startSup(t, {}, (trace) => [trace.worker('a')]);
  assert.deepEqual(await deleteChild(system, sup, 'a'), { error: 'running' });
  assert.deepEqual(await deleteChild(system, sup, 'nobody'), { error: 'not_found' });
  await terminateChild(system, sup, 'a');
  assert.equal(await deleteChild(system, sup, 'a'), 'ok');
  assert.deepEqual(await deleteChild(system, sup, 'a'), { error: 'not_found' });
  assert.deepEqual(await whichChildren(system, sup), []);
});

test('whichChildren lists the newest first, with pid, undefined or restarting, and the type', async (t) => {
  const traced = await startSup(t, {}, (trace) => [trace.worker('a'), supervisor('inner', {}, []), trace.worker('b')]);
  const { system, trace } = traced;
  await startChild(system, sup, trace.worker('c'));
  await terminateChild(system, sup, 'a');
  const list = await whichChildren(system, sup);
  assert.deepEqual(
    list.map(({ id, type }) => [id, type]),
    [
      ['c', 'worker'],
      ['b', 'worker'],
      ['inner', 'supervisor'],
      ['a', 'worker'],
    ],
  );
  assert.deepEqual([list[0]?.pid, list[3]?.pid], [pidOf(traced, 'c'), undefined]);
  await restartChild(system, sup, 'a');
  assert.equal((await whichChildren(system, sup)).at(-1)?.id, 'a', 'a restart does not move it');
});

test('countChildren counts specifications, running children, supervisors and workers', async (t) => {
  const traced = await startSup(t, {}, (trace) => [
    trace.worker('a'),
    trace.worker('b'),
    supervisor('inner', { name: 'inner', restart: 'transient' }, []),
  ]);
  const { system } = traced;
  assert.deepEqual(await countChildren(system, sup), { specs: 3, active: 3, supervisors: 1, workers: 2 });
  await terminateChild(system, sup, 'a');
  await terminateChild(system, sup, 'inner');
  assert.deepEqual(await countChildren(system, sup), { specs: 3, active: 1, supervisors: 1, workers: 2 });
});

test('getChildSpec gives the specification with its defaults, by id or pid', async (t) => {
  const traced = await startSup(t, {}, (trace) => [
    child(PlannedWorker, trace.start('a'), { id: 'a', name: 'a' }),
    supervisor('inner', {}, []),
  ]);
  const { system } = traced;
  const found = await getChildSpec(system, sup, 'a');
  assert.ok('ok' in found);
  const { start, ...defaults } = found.ok;
  assert.deepEqual(defaults, {
    id: 'a',
    name: 'a',
    restart: 'permanent',
    shutdown: 5_000,
    type: 'worker',
    significant: false,
  });
  assert.equal(start.behaviour, PlannedWorker);
  assert.deepEqual(await getChildSpec(system, sup, pidOf(traced, 'a')), found);
  const inner = await getChildSpec(system, sup, 'inner');
  assert.ok('ok' in inner);
  assert.deepEqual([inner.ok.shutdown, inner.ok.type], ['infinity', 'supervisor']);
  assert.deepEqual(await getChildSpec(system, sup, 'nobody'), { error: 'not_found' });
  assert.deepEqual(await getChildSpec(system, sup, system.root), { error: 'not_found' });
});

test('a supervisor that does not exist: the calls fail with noproc', async (t) => {
  const { system } = await startSup(t);
  for (const call of [whichChildren, countChildren]) {
    await assert.rejects(call(system, name<any>('nobody')), { code: 'ERR_CALL_NOPROC' });
  }
  await assert.rejects(startChild(system, name<any>('nobody'), {}), { code: 'ERR_CALL_NOPROC' });
});

test('what a supervisor cannot understand does not end it', async (t) => {
  const traced = await startSup(t, {}, (trace) => [trace.worker('a')]);
  const { system, trace } = traced;
  const pid = pidOf(traced, 'sup');
  for (const payload of [undefined, null, 5, {}, { from: pid, reason: 'x' }, { ref: 1 }]) {
    for (const tag of ['EXIT', 'DOWN', 'timeout', 'constructor', 'anything']) system.send<any, any>(sup, tag, payload);
  }
  await settle();
  for (const odd of [undefined, null, 5, {}, [], 'a', { id: 'x' }]) {
    assert.ok('error' in (await startChild(system, sup, odd)), `startChild ${JSON.stringify(odd)}`);
  }
  for (const odd of [undefined, null, 5, {}, system.root]) {
    assert.deepEqual(await terminateChild(system, sup, odd as never), { error: 'not_found' });
    assert.deepEqual(await restartChild(system, sup, odd as never), { error: 'not_found' });
    assert.deepEqual(await deleteChild(system, sup, odd as never), { error: 'not_found' });
    assert.deepEqual(await getChildSpec(system, sup, odd as never), { error: 'not_found' });
  }
  for (const bad of ['', 5, null]) {
    const result = await startChild(system, sup, { ...trace.worker('b'), name: bad });
    assert.ok('error' in result, `a specification with the name ${JSON.stringify(bad)}`);
  }
  for (const bad of [-1, Number.NaN, 'x', 2 ** 31]) {
    const result = await startChild(system, sup, { ...trace.worker('b'), handlerTimeoutMs: bad });
    assert.ok('error' in result, `a specification with handlerTimeoutMs ${bad}`);
  }
  assert.equal(pidOf(traced, 'sup'), pid);
  assert.equal(await terminateChild(system, sup, 'a'), 'ok');
  assert.deepEqual(trace.take(), ['exit a#1 shutdown']);
});
