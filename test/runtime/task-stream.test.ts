import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CallError,
  type Context,
  countChildren,
  isErrorExit,
  name,
  TaskError,
  type TaskOutcome,
  type TaskStreamOptions,
  task,
  taskSupervisor,
} from '../../runtime/index.ts';
import { TASK_STREAM_KEPT } from '../../runtime/limits.ts';
import { settle } from '../../runtime/testing.ts';
import { gate, runAs } from '../support/task-owner.ts';
import { mailboxOf, openProcess, startTestSystem, type TestSystem, watch } from '../support/test-system.ts';

const sup = name<any>('tasks');

function startTasks(t: Parameters<typeof startTestSystem>[0], maxChildren?: number): Promise<TestSystem> {
  const options = { name: 'tasks', ...(maxChildren === undefined ? {} : { maxChildren }) };
  return startTestSystem(t, { children: [taskSupervisor('tasks', options)] });
}

/** Iterates in the background, as code of a process. */
function collect(stream: AsyncIterable<TaskOutcome<unknown>>): {
  readonly outcomes: TaskOutcome<unknown>[];
  readonly over: Promise<unknown>;
} {
  const outcomes: TaskOutcome<unknown>[] = [];
  const loop = async (): Promise<unknown> => {
    for await (const outcome of stream) outcomes.push(outcome);
    return 'done';
  };
  return { outcomes, over: loop().catch((error: unknown) => error) };
}

async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const each of stream) list.push(each);
  return list;
}

const oks = (...results: unknown[]): { ok: unknown }[] => results.map((ok) => ({ ok }));

test('asyncStream gives one outcome per item, in the order of the items', async (t) => {
  const system = await startTestSystem(t);
  const owner = await openProcess(system);
  const double = async (by: number): Promise<number> => {
    await settle(4 - by);
    return by * 2;
  };
  assert.deepEqual(await all(task.asyncStream(owner.ctx, [1, 2, 3], double)), oks(2, 4, 6));
  assert.deepEqual(await all(task.asyncStream(owner.ctx, new Set<number>(), double)), []);
  assert.deepEqual(await mailboxOf(owner), []);
  await settle();
  assert.equal(system.system.processCount, (await startedAlone(t)) + 1, 'nothing of it runs any more');
});

/** How many processes a test system has with nothing in it. */
async function startedAlone(t: Parameters<typeof startTestSystem>[0]): Promise<number> {
  return (await startTestSystem(t)).system.processCount;
}

test('asyncStream takes async iterables, and each loop over it is a stream of its own', async (t) => {
  const system = await startTestSystem(t);
  const owner = await openProcess(system);
  async function* numbers(): AsyncGenerator<number> {
    for (let i = 0; i < 5; i++) {
      await settle(1);
      yield i;
    }
  }
  assert.deepEqual(await all(task.asyncStream(owner.ctx, numbers(), (n) => n + 1)), oks(1, 2, 3, 4, 5));
  const stream = task.asyncStream(owner.ctx, [1, 2], (n) => n);
  assert.deepEqual(await all(stream), oks(1, 2));
  assert.deepEqual(await all(stream), oks(1, 2));
});

test('no more than maxConcurrency tasks run at once, and the next starts when one is done', async (t) => {
  const system = await startTestSystem(t);
  const owner = await openProcess(system);
  const slow = gate();
  const { outcomes, over } = collect(task.asyncStream(owner.ctx, 'abcd', slow.run, { maxConcurrency: 2 }));
  const entered = (): string => slow.entered.map(({ arg }) => arg).join('');
  await settle();
  assert.equal(entered(), 'ab');
  await slow.open('b', 'B');
  assert.equal(entered(), 'abc');
  assert.deepEqual(outcomes, [], 'the order of the items');
  await slow.open('a', 'A');
  assert.equal(entered(), 'abcd');
  assert.deepEqual(outcomes, oks('A', 'B'));
  await slow.open('d', 'D');
  await slow.open('c', 'C');
  assert.equal(await over, 'done');
  assert.deepEqual(outcomes, oks('A', 'B', 'C', 'D'));
});

test('an ordered stream keeps so many outcomes for a slow task, and starts no more', async (t) => {
  const system = await startTestSystem(t);
  const owner = await openProcess(system);
  const slow = gate();
  let ran = 0;
  const run = (item: number, ctx: Context): unknown => {
    ran++;
    return item === 0 ? slow.run(item, ctx) : item;
  };
  const items = Array.from({ length: TASK_STREAM_KEPT + 100 }, (_none, i) => i);
  const options: TaskStreamOptions = { maxConcurrency: 10, timeoutMs: 'infinity' };
  const { outcomes, over } = collect(task.asyncStream(owner.ctx, items, run, options));
  await settle(50);
  assert.deepEqual(outcomes, []);
  const most = TASK_STREAM_KEPT + 10;
  assert.ok(ran > TASK_STREAM_KEPT && ran <= most, `${ran} started, ${most} may`);
  await slow.open(0, 0);
  assert.equal(await over, 'done');
  assert.deepEqual(outcomes, oks(...items));
});

test('with ordered false an outcome comes as soon as it is there', async (t) => {
  const system = await startTestSystem(t);
  const owner = await openProcess(system);
  const slow = gate();
  const { outcomes, over } = collect(
    task.asyncStream(owner.ctx, 'abc', slow.run, { maxConcurrency: 3, ordered: false }),
  );
  for (const each of ['c', 'a', 'b']) {
    await slow.open(each, each);
    assert.deepEqual(outcomes.at(-1), { ok: each });
  }
  assert.equal(await over, 'done');
});

test('an outcome does not wait for a slow input', async (t) => {
  const system = await startTestSystem(t);
  const owner = await openProcess(system);
  let more: () => void = () => {};
  async function* items(): AsyncGenerator<string> {
    yield 'a';
    await new Promise<void>((resolve) => {
      more = resolve;
    });
    yield 'b';
  }
  const { outcomes, over } = collect(task.asyncStream(owner.ctx, items(), (item) => item, { maxConcurrency: 4 }));
  await settle();
  assert.deepEqual(outcomes, oks('a'));
  more();
  assert.equal(await over, 'done');
  assert.deepEqual(outcomes, oks('a', 'b'));
});

test('a linked task that fails ends the process that iterates', async (t) => {
  const system = await startTestSystem(t);
  const slow = gate();
  const outcome = runAs(system, (ctx) => all(task.asyncStream(ctx, 'ab', slow.run)));
  await slow.fail('a', new Error('boom'));
  const ended = await outcome;
  assert.ok('exited' in ended && isErrorExit(ended.exited));
  assert.equal((ended.exited.error as Error).message, 'boom');
  assert.deepEqual(slow.entered[1]?.signal.reason, ended.exited, 'and the other tasks with it');
});

test('in a process that traps exits a linked task that fails is an outcome', async (t) => {
  const system = await startTestSystem(t);
  const owner = await openProcess(system, { trapExit: true });
  const some = (item: number, ctx: Context): number => (item === 2 ? ctx.exit('two') : item);
  assert.deepEqual(await all(task.asyncStream(owner.ctx, [1, 2, 3], some)), [{ ok: 1 }, { exit: 'two' }, { ok: 3 }]);
  assert.deepEqual(await mailboxOf(owner), [], 'no exit signal of the tasks, nor of the stream');
  assert.equal(owner.ctx.trapExit(true), true, 'the flag is as it was');
});

test('a task that takes too long throws in the loop, is killed, and so are the others', async (t) => {
  const system = await startTestSystem(t);
  const owner = await openProcess(system);
  const slow = gate();
  const { outcomes, over } = collect(
    task.asyncStream(owner.ctx, 'ab', slow.run, { timeoutMs: 100, maxConcurrency: 2 }),
  );
  await slow.open('a', 1);
  await system.clock.advance(99);
  assert.deepEqual(outcomes, oks(1));
  await system.clock.advance(1);
  const error = await over;
  assert.ok(error instanceof TaskError && error.code === 'ERR_TASK_TIMEOUT' && error.reason === 'timeout');
  assert.equal(slow.entered[1]?.signal.reason, 'killed');
  assert.equal(system.system.isAlive(owner.pid), true, 'the link does not carry it');
  assert.deepEqual(await mailboxOf(owner), []);
});

test('with kill_task a task that takes too long is an outcome; each has its own time', async (t) => {
  const system = await startTestSystem(t);
  const owner = await openProcess(system);
  const slow = gate();
  const options: TaskStreamOptions = { timeoutMs: 100, onTimeout: 'kill_task', maxConcurrency: 1 };
  const { outcomes, over } = collect(task.asyncStream(owner.ctx, 'abc', slow.run, options));
  await system.clock.advance(100);
  assert.deepEqual(outcomes, [{ exit: 'timeout' }]);
  await system.clock.advance(99);
  await slow.open('b', 2);
  assert.equal(system.clock.pending, 1, 'the one of the task that runs');
  await system.clock.advance(99);
  await slow.open('c', 3);
  assert.equal(await over, 'done');
  assert.deepEqual(outcomes, [{ exit: 'timeout' }, { ok: 2 }, { ok: 3 }]);
  assert.equal(system.clock.pending, 0, 'no timer is left');
});

test('the time of a task runs while the loop is busy', async (t) => {
  const system = await startTestSystem(t);
  const owner = await openProcess(system);
  const slow = gate();
  const options: TaskStreamOptions = { timeoutMs: 100, onTimeout: 'kill_task', maxConcurrency: 2 };
  const stream = task.asyncStream(owner.ctx, 'ab', slow.run, options)[Symbol.asyncIterator]();
  const first = stream.next();
  await slow.open('a', 1);
  assert.deepEqual(await first, { done: false, value: { ok: 1 } });
  await system.clock.advance(100);
  assert.equal(slow.entered[1]?.signal.reason, 'killed');
  assert.deepEqual(await stream.next(), { done: false, value: { exit: 'timeout' } });
  assert.equal((await stream.next()).done, true);
});

test('to leave the loop kills the tasks that run, ends the input, and leaves nothing behind', async (t) => {
  const system = await startTestSystem(t);
  for (const trapExit of [false, true]) {
    const owner = await openProcess(system, { trapExit });
    const slow = gate();
    let closed = false;
    function* items(): Generator<string> {
      try {
        yield* 'abcdef';
      } finally {
        closed = true;
      }
    }
    const leave = async (): Promise<void> => {
      for await (const _each of task.asyncStream(owner.ctx, items(), slow.run, { maxConcurrency: 3 })) break;
    };
    const left = leave();
    await slow.open('a', 1);
    await left;
    assert.deepEqual(
      slow.entered.map(({ signal }) => signal.reason),
      ['normal', 'killed', 'killed'],
    );
    assert.equal(closed, true);
    assert.deepEqual(await mailboxOf(owner), []);
  }
});

test('a stream that is killed throws in the loop of a process that traps exits; nothing is left behind', async (t) => {
  const system = await startTestSystem(t);
  const owner = await openProcess(system, { trapExit: true });
  const slow = gate();
  const { over } = collect(task.asyncStream(owner.ctx, 'a', slow.run));
  await settle();
  owner.ctx.exitProcess(slow.entered[0]?.ctx.parent ?? assert.fail(), 'kill');
  const error = await over;
  assert.ok(error instanceof TaskError && error.code === 'ERR_TASK_EXIT' && error.reason === 'killed');
  assert.equal(slow.entered[0]?.signal.reason, 'killed');
  assert.deepEqual(await mailboxOf(owner), []);
});

test('to leave the loop does not wait for an input that never comes', async (t) => {
  const system = await startTestSystem(t);
  const owner = await openProcess(system);
  async function* items(): AsyncGenerator<number> {
    yield 1;
    await new Promise(() => {});
  }
  for await (const each of task.asyncStream(owner.ctx, items(), (item) => item)) {
    assert.deepEqual(each, { ok: 1 });
    break;
  }
});

test('an input that throws throws in the loop, and the tasks are killed', async (t) => {
  const system = await startTestSystem(t);
  const owner = await openProcess(system);
  const slow = gate();
  async function* items(): AsyncGenerator<string> {
    yield 'a';
    await settle();
    throw new Error('no more');
  }
  const { over } = collect(task.asyncStream(owner.ctx, items(), slow.run, { maxConcurrency: 2 }));
  assert.equal(((await over) as Error).message, 'no more');
  assert.equal(slow.entered[0]?.signal.reason, 'killed');
});

test('the tasks end with the process that iterates, also if that exits normal in the middle', async (t) => {
  const system = await startTestSystem(t);
  for (const trapExit of [false, true]) {
    const owner = await openProcess(system, { trapExit });
    const slow = gate();
    void task.asyncStream(owner.ctx, 'ab', slow.run, { maxConcurrency: 2 })[Symbol.asyncIterator]().next();
    await settle();
    const { reasons } = await watch(system, slow.entered[0]!.ctx.self);
    owner.finish();
    await settle();
    assert.deepEqual(reasons, ['shutdown']);
  }
});

test('a stream of a supervisor: its tasks run below it', async (t) => {
  const system = await startTasks(t);
  const owner = await openProcess(system);
  const slow = gate();
  const { outcomes, over } = collect(taskSupervisor.asyncStream(owner.ctx, sup, 'ab', slow.run, { maxConcurrency: 2 }));
  await settle();
  assert.equal((await countChildren(system.system, sup)).active, 2);
  await slow.open('b', 2);
  await slow.open('a', 1);
  assert.equal(await over, 'done');
  assert.deepEqual(outcomes, oks(1, 2));
});

test('asyncStreamNolink: a task that fails is an outcome, and the process that iterates lives', async (t) => {
  const system = await startTasks(t);
  const owner = await openProcess(system);
  const some = (item: number, ctx: Context): number => (item === 2 ? ctx.exit('two') : item);
  const stream = taskSupervisor.asyncStreamNolink(owner.ctx, sup, [1, 2, 3], some);
  assert.deepEqual(await all(stream), [{ ok: 1 }, { exit: 'two' }, { ok: 3 }]);
  assert.deepEqual(await mailboxOf(owner), []);
});

test('a supervisor that starts no more tasks, or is not there, throws in the loop', async (t) => {
  const system = await startTasks(t, 1);
  const owner = await openProcess(system);
  const slow = gate();
  const full = collect(taskSupervisor.asyncStream(owner.ctx, sup, 'ab', slow.run, { maxConcurrency: 2 }));
  const error = await full.over;
  assert.ok(error instanceof TaskError && error.code === 'ERR_TASK_START' && error.reason === 'max_children');
  assert.equal(slow.entered[0]?.signal.reason, 'killed');
  const nobody = await collect(taskSupervisor.asyncStream(owner.ctx, name('nobody'), 'ab', slow.run)).over;
  assert.ok(nobody instanceof CallError && nobody.reason === 'noproc');
  assert.equal(system.system.isAlive(owner.pid), true);
});

test('wrong options are refused at once', async (t) => {
  const { ctx } = await openProcess(await startTestSystem(t));
  for (const options of [
    { maxConcurrency: 0 },
    { maxConcurrency: 1.5 },
    { timeoutMs: -1 },
    { onTimeout: 'ignore' },
  ] as TaskStreamOptions[]) {
    assert.throws(() => task.asyncStream(ctx, [1], (n) => n, options), { code: 'ERR_BADARG' });
  }
  assert.throws(() => task.asyncStream(ctx, [1], 'run' as never), { code: 'ERR_BADARG' });
  for (const items of [1, undefined, {}])
    assert.throws(() => task.asyncStream(ctx, items as never, (n) => n), { code: 'ERR_BADARG' });
});
