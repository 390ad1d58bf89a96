import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ChildOptions,
  child,
  countChildren,
  deleteChild,
  type GenServer,
  genServer,
  getChildSpec,
  type Pid,
  restartChild,
  type SupervisorFlags,
  startChild,
  supervisor,
  terminateChild,
  whichChildren,
} from '../../runtime/index.ts';
import { settle } from '../../runtime/testing.ts';
import { SupervisionTrace, startUnderRoot, type WorkerPlan } from '../support/supervision-trace.ts';
import { openProcess, startTestSystem, type TestSystem } from '../support/test-system.ts';
import { sup } from '../support/traced-supervisor.ts';

interface Dynamic extends TestSystem {
  readonly trace: SupervisionTrace;
  /** Starts a child; its id is only for the trace. */
  start(id: string, plan?: WorkerPlan): Promise<Pid>;
}

async function startSup(
  t: Parameters<typeof startTestSystem>[0],
  options: ChildOptions = {},
  flags: SupervisorFlags = {},
): Promise<Dynamic> {
  const system = await startTestSystem(t);
  const trace = new SupervisionTrace(t, system.system.name);
  const all = { name: 'sup', restart: 'temporary', strategy: 'simple_one_for_one', ...flags } as const;
  await startUnderRoot(system, supervisor('sup', all, [trace.template(options)]));
  const start = async (id: string, plan: WorkerPlan = {}): Promise<Pid> => {
    const result = await startChild(system.system, sup, trace.start(id, plan));
    assert.ok('ok' in result && result.ok !== undefined, JSON.stringify(result));
    trace.take();
    return result.ok;
  };
  return { ...system, trace, start };
}

test('children come only by startChild: init gets the argument of that call', async (t) => {
  const { system, trace } = await startSup(t);
  assert.deepEqual(await whichChildren(system, sup), []);
  const result = await startChild(system, sup, trace.start('a'));
  assert.ok('ok' in result && result.ok !== undefined);
  assert.equal(await system.call(result.ok, 'ping'), 'a#1');
});

test('with an argument in the template, init gets both, that of the template first', async (t) => {
  const { system } = await startTestSystem(t);
  const seen: unknown[] = [];
  const Echo: GenServer<object, unknown> = genServer(import.meta, 'Echo', {
    init: (start) => {
      seen.push(start);
      return start;
    },
  });
  const sups = supervisor('sup', { name: 'sup', strategy: 'simple_one_for_one' }, [child(Echo, 'own')]);
  await startUnderRoot({ system }, sups);
  await startChild(system, sup, 'extra');
  assert.deepEqual(seen, [['own', 'extra']]);
});

test('a restart uses the argument of the start again', async (t) => {
  const { system, trace, start } = await startSup(t);
  const [a] = [await start('a'), await start('b')];
  system.exitProcess(a, 'boom');
  await settle();
  assert.deepEqual(trace.take(), ['exit a#1 boom', 'report child_terminated - boom', 'init a#2']);
  assert.deepEqual(await countChildren(system, sup), { specs: 1, active: 2, supervisors: 0, workers: 2 });
});

test('restartChild, deleteChild and terminateChild by id give simple_one_for_one', async (t) => {
  const { system } = await startSup(t);
  assert.deepEqual(await restartChild(system, sup, 'a'), { error: 'simple_one_for_one' });
  assert.deepEqual(await deleteChild(system, sup, 'a'), { error: 'simple_one_for_one' });
  assert.deepEqual(await terminateChild(system, sup, 'a'), { error: 'simple_one_for_one' });
});

test('terminateChild by pid stops a child; a dead pid is ok; a living stranger is not_found', async (t) => {
  const dynamic = await startSup(t);
  const { system, trace, start } = dynamic;
  const a = await start('a');
  const stranger = await openProcess(dynamic);
  assert.equal(await terminateChild(system, sup, a), 'ok');
  await settle();
  assert.deepEqual(trace.take(), ['exit a#1 shutdown']);
  assert.equal(await terminateChild(system, sup, a), 'ok');
  assert.deepEqual(await terminateChild(system, sup, stranger.pid), { error: 'not_found' });
  assert.equal(system.isAlive(stranger.pid), true);
});

test('at a shutdown all children are signalled at once', async (t) => {
  const { system, trace, start } = await startSup(t);
  const waiting: (() => void)[] = [];
  const terminate = (): Promise<void> => new Promise((resolve) => waiting.push(resolve));
  for (const id of ['a', 'b', 'c']) await start(id, { trapExit: true, terminate });
  const stopping = terminateChild(system, system.root, 'sup');
  await settle();
  assert.equal(waiting.length, 3, 'all run terminate at the same time');
  for (const finish of waiting.reverse()) finish();
  await stopping;
  assert.deepEqual(trace.take().at(-1), 'exit sup shutdown');
});

test('one shutdown time for all: those that are left are killed, in one report per reason', async (t) => {
  const { system, clock, trace, start } = await startSup(t, { shutdown: 100 });
  const hang = (): Promise<void> => new Promise(() => {});
  for (const id of ['a', 'b', 'c']) await start(id, { trapExit: true, terminate: hang });
  await start('d');
  await start('e', { trapExit: true, terminate: (_reason, ctx) => ctx.exit('weird') });
  const stopping = terminateChild(system, system.root, 'sup');
  await settle();
  trace.take();
  await clock.advance(99);
  assert.deepEqual(trace.take(), []);
  await clock.advance(1);
  await stopping;
  const lines = trace.take();
  assert.deepEqual(lines.slice(0, 3).sort(), ['exit a#1 killed', 'exit b#1 killed', 'exit c#1 killed']);
  assert.deepEqual(lines.slice(3).sort(), [
    'exit sup shutdown',
    'report shutdown_error - killed x3',
    'report shutdown_error - weird x1',
  ]);
});

test('brutal_kill kills all children at once', async (t) => {
  const { system, trace, start } = await startSup(t, { shutdown: 'brutal_kill' });
  for (let i = 0; i < 10; i++) await start(`w${i}`, { trapExit: true });
  await terminateChild(system, system.root, 'sup');
  const lines = trace.take();
  assert.equal(lines.filter((line) => / killed$/.test(line)).length, 10);
  assert.equal(lines.length, 11);
});

test('children that answer a shutdown with other reasons do not keep the supervisor', async (t) => {
  const { system, trace, start } = await startSup(t, { restart: 'temporary' });
  for (const [i, reason] of ['normal', { shutdown: 'x' }, 'boom', 'killed'].entries()) {
    await start(`w${i}`, { trapExit: true, terminate: (_reason, ctx) => ctx.exit(reason) });
  }
  await terminateChild(system, system.root, 'sup');
  const lines = trace.take().filter((line) => !/^(terminate|exit w)/.test(line));
  assert.deepEqual(lines, [
    'report shutdown_error - boom x1',
    'report shutdown_error - killed x1',
    'exit sup shutdown',
  ]);
});

test('a start that fails or ignores stores nothing', async (t) => {
  const { system, trace } = await startSup(t);
  assert.deepEqual(await startChild(system, sup, trace.start('a', { plan: [{ stop: 'no' }] })), { error: 'no' });
  assert.deepEqual(await startChild(system, sup, trace.start('b', { plan: ['ignore'] })), { ok: undefined });
  assert.deepEqual(await whichChildren(system, sup), []);
  assert.deepEqual(await countChildren(system, sup), { specs: 1, active: 0, supervisors: 0, workers: 0 });
  assert.equal(await terminateChild(system, system.root, 'sup'), 'ok');
});

test('a restart that ignores forgets the child, and the supervisor stops cleanly', async (t) => {
  const { system, start } = await startSup(t);
  const a = await start('a', { plan: ['ok', 'ignore'] });
  system.exitProcess(a, 'boom');
  await settle();
  assert.deepEqual(await whichChildren(system, sup), []);
  assert.equal(await terminateChild(system, system.root, 'sup'), 'ok');
});

test('a restart that fails is retried until terminateChild; meanwhile the child is restarting', async (t) => {
  const { system, trace, start } = await startSup(t, {}, { intensity: 100_000 });
  const plan: WorkerPlan['plan'] = ['ok', ...Array.from({ length: 10_000 }, () => ({ stop: 'no' }) as const)];
  const [a] = [await start('a', { plan }), await start('b')];
  system.exitProcess(a, 'boom');
  const list = (await whichChildren(system, sup)).map(({ pid }) => pid);
  assert.equal(list.filter((pid) => pid === 'restarting').length, 1);
  assert.deepEqual(await countChildren(system, sup), { specs: 1, active: 1, supervisors: 0, workers: 2 });
  assert.equal(await terminateChild(system, sup, a), 'ok');
  const attempts = trace.attempts('a');
  await settle();
  assert.equal(trace.attempts('a'), attempts);
  assert.deepEqual(await countChildren(system, sup), { specs: 1, active: 1, supervisors: 0, workers: 1 });
});

test('the intensity holds for all children together', async (t) => {
  const { system, trace, start } = await startSup(t, {}, { intensity: 1 });
  const [a, b] = [await start('a'), await start('b'), await start('c')];
  system.exitProcess(a, 'boom');
  await settle();
  assert.notEqual(system.whereis(sup), undefined);
  system.exitProcess(b, 'boom');
  await settle();
  assert.equal(system.whereis(sup), undefined);
  assert.ok(trace.take().includes('report shutdown - reached_max_restart_intensity'));
});

test('transient and temporary children that end for good are forgotten', async (t) => {
  for (const [restart, reason] of [
    ['transient', 'normal'],
    ['temporary', 'boom'],
  ] as const) {
    const { system, start } = await startSup(t, { restart });
    system.cast(await start('a'), 'stop', reason);
    await settle();
    assert.deepEqual(await whichChildren(system, sup), []);
  }
});

test('which, count and the specification by pid', async (t) => {
  const { system, start } = await startSup(t, { id: 'worker' });
  const a = await start('a');
  assert.deepEqual(await whichChildren(system, sup), [{ id: 'worker', pid: a, type: 'worker' }]);
  const found = await getChildSpec(system, sup, a);
  assert.ok('ok' in found && found.ok.id === 'worker');
  assert.deepEqual(await getChildSpec(system, sup, system.root), { error: 'not_found' });
});

test('a start under simple_one_for_one makes no progress report', async (t) => {
  const { trace, start } = await startSup(t);
  trace.progress.length = 0;
  await start('a');
  assert.deepEqual(trace.progress, []);
});
