import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  child,
  type GenServer,
  genServer,
  name,
  type Pid,
  type StartChildResult,
  type SupervisorFlags,
  startChild,
  supervisor,
  terminateChild,
  whichChildren,
} from '../../runtime/index.ts';
import { settle } from '../../runtime/testing.ts';
import { startUnderRoot } from '../support/supervision-trace.ts';
import { type Cleanup, startTestSystem, type TestSystem } from '../support/test-system.ts';

const sup = name<any>('sup');
const full = { error: 'max_children' };
const Worker: GenServer<object, undefined> = genServer(import.meta, 'Worker', { init: () => 0 });

async function startSup(
  t: Cleanup,
  maxChildren: number | 'infinity',
  restart: 'permanent' | 'temporary' = 'temporary',
): Promise<TestSystem> {
  const test = await startTestSystem(t);
  const flags = { name: 'sup', strategy: 'simple_one_for_one', maxChildren, intensity: 10 } as const;
  await startUnderRoot(test, supervisor('sup', flags, [child(Worker, undefined, { restart })]));
  return test;
}

const start = ({ system }: TestSystem): Promise<StartChildResult> => startChild(system, sup, undefined);

async function started(test: TestSystem): Promise<Pid> {
  const result = await start(test);
  assert.ok('ok' in result && result.ok !== undefined, JSON.stringify(result));
  return result.ok;
}

test('one child more than maxChildren is refused, and nothing is started', async (t) => {
  const test = await startSup(t, 2);
  await started(test);
  await started(test);
  const processes = test.system.processCount;
  assert.deepEqual(await start(test), full);
  assert.equal(test.system.processCount, processes);
  assert.equal((await whichChildren(test.system, sup)).length, 2);
});

test('there is room again when a child was terminated or has ended', async (t) => {
  const test = await startSup(t, 1);
  const first = await started(test);
  assert.deepEqual(await start(test), full);
  assert.deepEqual(await terminateChild(test.system, sup, first), 'ok');
  const second = await started(test);
  assert.deepEqual(await start(test), full);
  test.system.exitProcess(second, 'boom');
  await settle();
  await started(test);
  assert.deepEqual(await start(test), full);
});

test('a child that is restarted keeps its place', async (t) => {
  const test = await startSup(t, 1, 'permanent');
  const first = await started(test);
  test.system.exitProcess(first, 'boom');
  await settle();
  const [row] = await whichChildren(test.system, sup);
  assert.notEqual(row?.pid, first);
  assert.deepEqual(await start(test), full);
});

test('starts that are asked for at once do not get past the limit', async (t) => {
  const test = await startSup(t, 3);
  const results = await Promise.all(Array.from({ length: 8 }, () => start(test)));
  assert.equal(results.filter((result) => 'ok' in result).length, 3);
  assert.deepEqual(results.slice(3), Array(5).fill(full));
});

test('0 lets no child in, infinity all', async (t) => {
  assert.deepEqual(await start(await startSup(t, 0)), full);
  const test = await startSup(t, 'infinity');
  for (let i = 0; i < 50; i++) await started(test);
});

for (const maxChildren of [-1, 1.5, Number.NaN, '3', Number.POSITIVE_INFINITY]) {
  test(`maxChildren ${String(maxChildren)} is refused`, async (t) => {
    const { system } = await startTestSystem(t);
    const flags = { strategy: 'simple_one_for_one', maxChildren } as SupervisorFlags;
    const spec = supervisor('bad', flags, [child(Worker, undefined)]);
    const result = await startChild(system, system.root, spec);
    const error = 'error' in result ? result.error : result;
    assert.match(JSON.stringify(error), /invalid_max_children/);
  });
}

test('another strategy has no maxChildren', async (t) => {
  const { system } = await startTestSystem(t);
  const result = await startChild(system, system.root, supervisor('bad', { maxChildren: 3 }, []));
  const error = 'error' in result ? result.error : result;
  assert.match(JSON.stringify(error), /bad_combination.*max_children/);
});
