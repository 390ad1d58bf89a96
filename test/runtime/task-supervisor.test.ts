import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CallError,
  countChildren,
  isErrorExit,
  name,
  type ReceivedMessage,
  startChild,
  TaskError,
  task,
  taskSupervisor,
  terminateChild,
} from '../../runtime/index.ts';
import { settle } from '../../runtime/testing.ts';
import { gate, runAs } from '../support/task-owner.ts';
import { mailboxOf, openProcess, startTestSystem, type TestSystem, tagsOf, watch } from '../support/test-system.ts';

const sup = name<any>('tasks');

function startTasks(
  t: Parameters<typeof startTestSystem>[0],
  options: Parameters<typeof taskSupervisor>[1] = {},
): Promise<TestSystem> {
  return startTestSystem(t, { children: [taskSupervisor('tasks', { name: 'tasks', ...options })] });
}

const boom = (): never => {
  throw new Error('boom');
};

test('async starts a task below the supervisor, linked to its owner; await brings its result', async (t) => {
  const system = await startTasks(t);
  const owner = await openProcess(system);
  const slow = gate();
  const started = await taskSupervisor.async(owner.ctx, sup, slow.run, 'a');
  assert.equal((await countChildren(system.system, sup)).active, 1);
  assert.equal(slow.entered[0]?.ctx.parent, system.system.whereis(sup));
  const result = task.await(owner.ctx, started);
  await slow.open('a', 'result');
  assert.equal(await result, 'result');
  assert.deepEqual(await mailboxOf(owner), []);
  assert.equal((await countChildren(system.system, sup)).active, 0);
  const failing = await runAs(system, async (ctx) => task.await(ctx, await taskSupervisor.async(ctx, sup, boom)));
  assert.ok('exited' in failing && isErrorExit(failing.exited), 'linked: it ends its owner');
});

test('a task runs when its owner has heard of its start, and may end at once', async (t) => {
  const system = await startTasks(t);
  const owner = await openProcess(system);
  const started = await taskSupervisor.asyncNolink(owner.ctx, sup, () => 'at once');
  assert.equal(await task.await(owner.ctx, started), 'at once');
});

test('asyncNolink: a task that fails gives its owner DOWN, and the owner lives', async (t) => {
  const system = await startTasks(t);
  const owner = await openProcess(system);
  const failed = await taskSupervisor.asyncNolink(owner.ctx, sup, boom);
  const [down, ...rest] = await mailboxOf(owner);
  assert.deepEqual(rest, []);
  const { ref, reason } = (down as ReceivedMessage).payload as { ref: unknown; reason: unknown };
  assert.equal(ref, failed.ref);
  assert.ok(isErrorExit(reason));
  const again = await taskSupervisor.asyncNolink(owner.ctx, sup, boom);
  await assert.rejects(task.await(owner.ctx, again), (error) => error instanceof TaskError);
  assert.equal(system.system.isAlive(owner.pid), true);
});

test('asyncNolink: the task outlives its owner', async (t) => {
  const system = await startTasks(t);
  const owner = await openProcess(system);
  const slow = gate();
  const started = await taskSupervisor.asyncNolink(owner.ctx, sup, slow.run, 'a');
  system.system.exitProcess(owner.pid, 'kill');
  await settle();
  assert.equal(system.system.isAlive(started.pid), true);
  await slow.open('a', 1);
  assert.equal(system.system.isAlive(started.pid), false);
});

test('a failed task is not restarted, and costs the supervisor nothing', async (t) => {
  const system = await startTasks(t);
  const before = system.system.whereis(sup);
  const runs: number[] = [];
  for (let i = 0; i < 5; i++) {
    const fail = (arg: number): never => {
      runs.push(arg);
      return boom();
    };
    assert.ok('ok' in (await taskSupervisor.startChild(system.system, sup, fail, i)));
  }
  await settle();
  assert.deepEqual(runs, [0, 1, 2, 3, 4]);
  assert.equal(system.system.whereis(sup), before);
});

test('startChild runs a task for its own sake; terminateChild stops it', async (t) => {
  const system = await startTasks(t);
  const slow = gate();
  const started = await taskSupervisor.startChild(system.system, sup, slow.run, 'a');
  assert.ok('ok' in started && started.ok !== undefined);
  assert.equal(await terminateChild(system.system, sup, started.ok), 'ok');
  assert.equal(slow.entered[0]?.signal.reason, 'shutdown');
});

test('maxChildren bounds the tasks: async rejects with TaskError, startChild returns max_children', async (t) => {
  const system = await startTasks(t, { maxChildren: 1 });
  const owner = await openProcess(system);
  const slow = gate();
  const first = await taskSupervisor.async(owner.ctx, sup, slow.run, 'a');
  for (const start of [taskSupervisor.async, taskSupervisor.asyncNolink]) {
    await assert.rejects(
      start(owner.ctx, sup, () => 1),
      (error) => error instanceof TaskError && error.code === 'ERR_TASK_START' && error.reason === 'max_children',
    );
  }
  assert.deepEqual(await taskSupervisor.startChild(system.system, sup, () => 1), { error: 'max_children' });
  await task.shutdown(owner.ctx, first);
  assert.equal(await task.await(owner.ctx, await taskSupervisor.async(owner.ctx, sup, () => 1)), 1);
});

test('what is no task is refused, and the supervisor goes on', async (t) => {
  const system = await startTasks(t);
  const before = system.system.whereis(sup);
  for (const wrong of [undefined, 'junk', { run: () => 1 }]) {
    const result = await startChild(system.system, sup, wrong);
    assert.ok('error' in result && isErrorExit(result.error), String(wrong));
  }
  assert.equal(system.system.whereis(sup), before);
});

test('without a supervisor of that name every start rejects with CallError', async (t) => {
  const system = await startTestSystem(t);
  const owner = await openProcess(system);
  for (const starting of [
    taskSupervisor.async(owner.ctx, sup, () => 1),
    taskSupervisor.asyncNolink(owner.ctx, sup, () => 1),
    taskSupervisor.startChild(system.system, sup, () => 1),
  ]) {
    await assert.rejects(starting, (error) => error instanceof CallError && error.reason === 'noproc');
  }
});

test('an owner that ends while its task is being started: the task does not run', async (t) => {
  const system = await startTasks(t);
  const owner = await openProcess(system);
  let ran = false;
  void taskSupervisor.asyncNolink(owner.ctx, sup, () => {
    ran = true;
  });
  system.system.exitProcess(owner.pid, 'kill');
  await settle();
  assert.equal(ran, false);
  assert.equal((await countChildren(system.system, sup)).active, 0);
});

test('a supervisor that ends stops its tasks, after taskShutdown with kill', async (t) => {
  const system = await startTasks(t, { taskShutdown: 100, restart: 'temporary' });
  const owner = await openProcess(system);
  const stubborn = await taskSupervisor.asyncNolink(owner.ctx, sup, (_none, ctx) => {
    ctx.trapExit(true);
    return new Promise(() => {});
  });
  const { reasons } = await watch(system, stubborn.pid);
  const stopped = terminateChild(system.system, system.system.root, 'tasks');
  await system.clock.advance(99);
  assert.deepEqual(reasons, []);
  await system.clock.advance(1);
  assert.deepEqual(reasons, ['killed']);
  assert.equal(await stopped, 'ok');
  assert.deepEqual(await tagsOf(owner), ['DOWN']);
});
